"""Shared parts: the real advisor, loaded once, the samples, a served page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from advisor import Advisor
from benchmarks.serving import served

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"

Sample = dict[str, Any]


def samples(name: str) -> list[Sample]:
    """The records of one file of samples; they are for checking only and are never trained on."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def conversations() -> list[list[str]]:
    """Every sample as user turns: descriptions, real texts, hostile inputs, questions, dialogues grown turn by turn."""
    single = [[s["text"]] for name in ("descriptions", "real", "hostile") for s in samples(name)]
    asked = [[s["question"]] for s in samples("questions")]
    talks = [[t["user"] for t in s["turns"]] for s in samples("dialogues")]
    grown = [talk[: end + 1] for talk in talks for end in range(len(talk))]
    return [*single, *asked, *grown]


@pytest.fixture(scope="session")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    os.environ.setdefault("ADVISOR_CACHE", str(tmp_path_factory.mktemp("cache")))
    return Advisor.load()


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """The page as `python app.py` serves it."""
    with served() as url:
        yield url
