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
from training.examples import Example, writers
from training.features import Vocabulary
from training.fit import Settings

LIBRARIES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "scipy", "numpy")


def digest(examples: Mapping[str, Sequence[Example]]) -> dict[str, str]:
    """SHA-256 of every writer's examples of the training and calibration splits, with the split they belong to."""
    table = writers()
    return {
        name: hashlib.sha256(
            "\n".join([table[name].model_dump_json(), *(e.model_dump_json() for e in rows)]).encode()
        ).hexdigest()
        for name, rows in examples.items()
        if table[name].split != "test"
    }


def write(folder: Path, order: Vocabulary, settings: Settings, examples: Mapping[str, Sequence[Example]]) -> None:
    """``manifest.json`` in ``folder``, with the digest of every other file there."""
    content: dict[str, Any] = {
        "base_sha256": PUBLISHED_SHA256,
        "criteria": order.criteria,
        "outcomes": order.outcomes,
        "settings": asdict(settings),
        "examples_sha256": digest(examples),
        "libraries": {name: version(name) for name in LIBRARIES},
        "files_sha256": {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != "manifest.json"},
    }
    (folder / "manifest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
