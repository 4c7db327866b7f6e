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
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from advisor import knowledge as knowledge_files
from advisor.encoder import SentenceEncoder, default_model
from advisor.errors import AdvisorError
from advisor.trained import TrainedReader, weights_in
from advisor.values import Statement
from advisor.words import BagOfWords
from training import conversation, fit, manifest
from training.calibrate import calibrate
from training.examples import load, selected
from training.reader import material, train

OUT = knowledge_files.FOLDER / "reader"
THREADS = 2
"""Fixed, because sums over another number of threads round differently."""


def settings(folder: Path = knowledge_files.FOLDER) -> fit.Settings:
    """The settings of the training, from ``training.toml``."""
    table = tomllib.loads((folder / "training.toml").read_text(encoding="utf-8"))
    kinds = {field.name: int if field.type == "int" else float for field in fields(fit.Settings)}
    values: dict[str, Any] = {name: kind(table[name]["value"]) for name, kind in kinds.items()}
    return fit.Settings(**values)


def rebuild(out: Path, limit: int | None, quiet: bool) -> None:
    """Train, and write the weights into the folder ``out``. ``limit``: only so many examples of each split, one epoch."""
    torch.set_num_threads(THREADS)
    knowledge = knowledge_files.load()
    chosen = settings()
    if limit:
        chosen = replace(chosen, epochs=1.0)
    train(knowledge, material(knowledge, limit), chosen, out, quiet)


def recalibrate(reader: Path, out: Path, limit: int | None) -> None:
    """Fit on the calibration split how the voices are joined, and in ``out`` what a conversation needs, for these weights."""
    torch.set_num_threads(THREADS)
    knowledge = knowledge_files.load()
    by_writer = load(knowledge.criteria)
    manifest.check_train(reader, by_writer)
    train, held = selected(by_writer, "train")[:limit], selected(by_writer, "calibration")[:limit]
    weights = weights_in(reader)
    encoder = SentenceEncoder(str(default_model()), weights.adapter)
    words = BagOfWords(reader)
    trained = TrainedReader(knowledge, encoder, weights.load_heads(encoder.dim), weights, trust=0.0)
    readings = [trained.read((Statement(0, e.text),)) for e in held]
    found = calibrate(knowledge, readings, [words.logs(e.text) for e in held], held)
    (reader / "calibration.json").write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    manifest.renew(reader, by_writer)
    conversation.rebuild(knowledge, reader, train, out, limit)


def main(arguments: list[str] | None = None) -> int:
    """0: the weights are written. 2: they could not be."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="the reader's weights; conversation/ beside it is written too")
    parser.add_argument("--limit", type=int, help="a trial on so many examples, to see that the command works")
    parser.add_argument("--calibration", action="store_true", help="only what is fitted on the calibration split, minutes")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(arguments)
    try:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=given.out.parent, prefix=".training-") as name:
            reader, talk = Path(name) / "reader", Path(name) / "conversation"
            talk.mkdir()
            if given.calibration:
                shutil.copytree(given.out, reader)
            else:
                reader.mkdir()
                rebuild(reader, given.limit, given.quiet)
            recalibrate(reader, talk, given.limit)
            for made, place in ((reader, given.out), (talk, given.out.with_name("conversation"))):
                if place.exists():
                    place.replace(Path(name) / f"old {place.name}")
                made.replace(place)
    except (AdvisorError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
