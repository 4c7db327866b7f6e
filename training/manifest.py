"""Ties the weights to what they were made from, so that a test can tell when they are out of step.

In: the folder of the weights and what went into them. Out: ``manifest.json`` with digests. Does not judge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from advisor.encoder import PUBLISHED_SHA256, file_sha256
from advisor.errors import ModelError
from training.examples import Example, Split, writers
from training.features import Vocabulary
from training.fit import Settings
from training.talks import DIALOGUES

LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "scipy", "numpy")


def digest(examples: Mapping[str, Sequence[Example]], split: Split) -> dict[str, str]:
    """SHA-256 of every writer's examples of a split, and of its dialogues and questions."""
    table = writers()
    found = {
        name: hashlib.sha256(
            "\n".join([table[name].model_dump_json(), *(e.model_dump_json() for e in rows)]).encode()
        ).hexdigest()
        for name, rows in examples.items()
        if table[name].split == split
    }
    return found | {path.name: file_sha256(path) for path in sorted(DIALOGUES.glob(f"{split}_*.jsonl"))}


def write(folder: Path, order: Vocabulary, settings: Settings, train: Mapping[str, str]) -> None:
    """``manifest.json`` in ``folder``: what the weights were trained from, with the digest of every other file there.

    ``train``: the digest of the train split as it was when it was read.
    """
    content: dict[str, Any] = {
        "base_sha256": PUBLISHED_SHA256,
        "criteria": order.criteria,
        "outcomes": order.outcomes,
        "settings": asdict(settings),
        "train_sha256": train,
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    _finish(folder, content)


def check_train(folder: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    """Raises ``ModelError`` where the weights were trained on other texts than those of today."""
    if _read(folder).get("train_sha256") != digest(examples, "train"):
        raise ModelError(f"{folder}: the train split has changed since these weights were made. Run: python -m training")


def renew(folder: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    """The manifest after a calibration."""
    _finish(folder, {**_read(folder), "calibration_sha256": digest(examples, "calibration")})


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Run: python -m training") from error
    return content


def _finish(folder: Path, content: dict[str, Any]) -> None:
    content["files_sha256"] = {p.name: file_sha256(p) for p in sorted(folder.iterdir()) if p.name != "manifest.json"}
    (folder / "manifest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
