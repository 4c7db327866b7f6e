"""Reads and checks the labelled examples.

In: ``knowledge/examples``: one JSONL file a writer, and ``writers.toml``, which says who writes how and for which split.
Out: checked examples by split. All problems are reported at once, with file and line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from advisor.errors import KnowledgeError
from advisor.knowledge import FOLDER
from advisor.values import OutcomeId, State

EXAMPLES = FOLDER / "examples"

Split = Literal["train", "calibration", "test"]
T = TypeVar("T", bound=BaseModel)
Kind = Literal["plain", "named_framework", "terse", "contrast", "conflicting", "noisy", "negation"]


class Shown(BaseModel):
    """A criterion, what the text does with it, and the exact words that show it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    state: State
    quote: str = Field(min_length=1)


class Example(BaseModel):
    """A text with the right answer. ``pair`` ties two texts that differ in one fact; ``manner`` is its register."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str = Field(min_length=1)
    label: OutcomeId
    accept: tuple[OutcomeId, ...] = Field(min_length=1)
    task_queue: bool
    criteria: tuple[Shown, ...]
    pair: str | None
    kind: Kind
    manner: str = Field(alias="register")
    technical: bool

    @property
    def writer(self) -> str:
        """Who wrote it: the id up to its first dash."""
        return self.id.split("-")[0]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.label not in self.accept:
            raise ValueError(f"label {self.label} is not in accept")
        for shown in self.criteria:
            if shown.quote not in self.text:
                raise ValueError(f"{shown.id}: the quote is no exact part of the text: {shown.quote!r}")
        return self


class Writer(BaseModel):
    """Who wrote a file: ``split`` it belongs to, ``negations``: whether negated and deferred criteria are labelled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    voice: str = Field(min_length=1)
    split: Split
    negations: bool


def writers(folder: Path = EXAMPLES) -> dict[str, Writer]:
    """Every writer of ``writers.toml``, in its order."""
    table = tomllib.loads((folder / "writers.toml").read_text(encoding="utf-8"))
    return {name: Writer.model_validate(value) for name, value in table.items()}


def load(criteria: Iterable[str], folder: Path = EXAMPLES) -> dict[str, tuple[Example, ...]]:
    """All examples by writer; raises ``KnowledgeError`` with every problem of every file."""
    known, problems = set(criteria), []
    found: dict[str, tuple[Example, ...]] = {}
    for name in writers(folder):
        path = folder / f"{name}.jsonl"
        if not path.is_file():
            problems.append(f"{path}: not found; writers.toml names this writer")
            continue
        try:
            rows = lines(path, Example)
        except KnowledgeError as error:
            problems += error.problems
            continue
        for number, example in rows:
            problems += [f"{path}:{number}: criterion {s.id!r} does not exist" for s in example.criteria if s.id not in known]
        found[name] = tuple(example for _, example in rows)
    listed = {f"{name}.jsonl" for name in writers(folder)}
    problems += [f"{path}: no writer of writers.toml" for path in folder.glob("*.jsonl") if path.name not in listed]
    if problems:
        raise KnowledgeError(problems)
    return found


def lines(path: Path, model: type[T]) -> list[tuple[int, T]]:
    """The records of a JSONL file with their line numbers; raises ``KnowledgeError`` with every problem of the file."""
    rows, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                rows.append((number, model.model_validate_json(line)))
            except ValidationError as error:
                problems += [f"{path}:{number}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if problems:
        raise KnowledgeError(problems)
    return rows


def of_split(split: Split, criteria: Iterable[str], folder: Path = EXAMPLES) -> tuple[Example, ...]:
    """The examples of one split, in the order of ``writers.toml``."""
    return selected(load(criteria, folder), split, folder)


def selected(by_writer: Mapping[str, Sequence[Example]], split: Split, folder: Path = EXAMPLES) -> tuple[Example, ...]:
    """Of examples that are loaded, those of one split."""
    table = writers(folder)
    return tuple(e for name, examples in by_writer.items() if table[name].split == split for e in examples)


def pairs(examples: Sequence[Example]) -> list[tuple[Example, Example]]:
    """Pairs whose two texts have no acceptable outcome in common."""
    by_pair: dict[str, list[Example]] = {}
    for example in examples:
        if example.pair:
            by_pair.setdefault(example.pair, []).append(example)
    return [(two[0], two[1]) for two in by_pair.values() if len(two) == 2 and not set(two[0].accept) & set(two[1].accept)]


def drawn(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """``count`` examples drawn at random, or one more: the two of a pair stay together."""
    order = np.random.default_rng(seed).permutation(len(examples))
    by_pair: dict[str, list[Example]] = {}
    for e in examples:
        by_pair.setdefault(e.pair or e.id, []).append(e)
    chosen: dict[str, Example] = {}
    for place in order:
        if len(chosen) >= count:
            break
        chosen.update({e.id: e for e in by_pair[examples[place].pair or examples[place].id]})
    return list(chosen.values())
