"""Rebuild the reader's weights from ``knowledge/``: ``python -m training``.

Deterministic on one machine and set of versions. New weights replace the old ones only when all of them are written, so a
run that is stopped leaves the old ones whole; the next run starts afresh.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import set_seed

from advisor import knowledge as knowledge_files
from advisor.encoder import SentenceEncoder, default_model
from advisor.errors import AdvisorError
from advisor.heads import Heads
from advisor.trained import TrainedReader, weights_in
from advisor.values import Statement
from training import conversation, features, fit, manifest
from training.calibrate import calibrate
from training.examples import load, of_split, writers

OUT = knowledge_files.FOLDER / "reader"
THREADS = 2
"""Fixed, because sums over another number of threads round differently."""


def settings(folder: Path = knowledge_files.FOLDER) -> tuple[fit.Settings, int]:
    """The settings of ``training.toml`` and the window in tokens."""
    table = tomllib.loads((folder / "training.toml").read_text(encoding="utf-8"))
    names = {field.name: field.type for field in fields(fit.Settings)}
    values = {name: table[name]["value"] for name in names}
    whole = {name: int(value) if names[name] == "int" else float(value) for name, value in values.items()}
    return fit.Settings(**whole), int(table["window"]["value"])  # type: ignore[arg-type]


def rebuild(out: Path, limit: int | None, quiet: bool) -> None:
    """Train, calibrate and write all weights into ``out``. ``limit``: only so many examples of each split, one epoch."""
    torch.set_num_threads(THREADS)
    knowledge = knowledge_files.load()
    chosen, window = settings()
    if limit:
        chosen = fit.Settings(**{**asdict(chosen), "epochs": 1.0})
    table, by_writer = writers(), load(knowledge.criteria)
    train = [e for name, rows in by_writer.items() if table[name].split == "train" for e in rows][:limit]
    held = [e for name, rows in by_writer.items() if table[name].split == "calibration" for e in rows][:limit]
    negations = {e.id: table[name].negations for name, rows in by_writer.items() for e in rows}
    order = features.Vocabulary(tuple(knowledge.criteria), tuple(knowledge.outcomes))

    set_seed(chosen.seed)  # before the heads, whose first weights are drawn by chance
    encoder = SentenceEncoder(str(default_model()))
    before = {name: weight.detach().clone() for name, weight in encoder.model.named_parameters()}
    heads = Heads(encoder.dim, len(order.criteria), len(order.outcomes))
    rows = features.rows(train, negations, encoder.tokenizer, order, window)
    fit.fit(encoder.model, heads, rows, encoder.tokenizer.pad_token_id, chosen, disable_tqdm=quiet)

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".reader-") as name:
        folder = Path(name) / "reader"
        folder.mkdir()
        save_file(fit.changes(encoder.model, before, chosen.rank), folder / "encoder.safetensors")
        save_file({key: value.half() for key, value in heads.state_dict().items()}, folder / "heads.safetensors")
        manifest.write(folder, order, chosen, by_writer)
        reader = TrainedReader(
            knowledge, SentenceEncoder(str(default_model()), folder / "encoder.safetensors"), weights_in(folder)
        )
        found = calibrate(knowledge, [reader.read((Statement(0, e.text),)) for e in held], held)
        (folder / "calibration.json").write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
        manifest.write(folder, order, chosen, by_writer)
        shutil.rmtree(out, ignore_errors=True)
        folder.replace(out)


def rebuild_conversation(out: Path, reader: Path, limit: int | None) -> None:
    """Fit what a conversation needs on the reader's weights, and write it into ``out``."""
    torch.set_num_threads(THREADS)
    knowledge = knowledge_files.load()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".conversation-") as name:
        folder = Path(name) / "conversation"
        folder.mkdir()
        conversation.rebuild(knowledge, reader, of_split("train", knowledge.criteria)[:limit], folder, limit)
        shutil.rmtree(out, ignore_errors=True)
        folder.replace(out)


def main(arguments: list[str] | None = None) -> int:
    """0: the weights are written. 2: they could not be."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the weights")
    parser.add_argument("--limit", type=int, help="a trial on so many examples, to see that the command works")
    parser.add_argument("--conversation", action="store_true", help="only what a conversation needs, some minutes")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(arguments)
    try:
        if not given.conversation:
            rebuild(given.out, given.limit, given.quiet)
        rebuild_conversation(given.out.with_name("conversation"), given.out, given.limit)
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
