"""Reads what a turn does in its conversation: tells, corrects, takes back, supposes, asks.

In: a turn and its context. Out: ``Heard``. The turn's vector from the trained encoder and its words go together into one
linear map. Does not read criteria and answers nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from advisor.encoder import Encoder, Vectors
from advisor.errors import ModelError
from advisor.knowledge import Knowledge
from advisor.values import ACTS, Blend, Heard

REBUILD = "python -m training --conversation"
_TOKEN = re.compile(r"\w+(?:'\w+)?|\?")


@dataclass(frozen=True, slots=True)
class Context:
    """What came before: whether a project stands, whether it has an outcome, and whether a question is open."""

    stands: bool
    decided: bool
    open: bool


def terms(turn: str) -> list[str]:
    """The words of a turn and its pairs of words, begin and end marked; at most the first 40 words."""
    words = ["<", *_TOKEN.findall(turn.lower())[:40], ">"]
    return [*words[1:-1], *(f"{a} {b}" for a, b in pairwise(words))]


def flags(turn: str, context: Context, names: int) -> Vectors:
    """Context and shape as numbers: (7,)."""
    words = len(turn.split())
    return np.array(
        [context.stands, context.decided, context.open, min(words, 60) / 20, words <= 3, "?" in turn, min(names, 2) / 2],
        dtype=np.float32,
    )


class ActReader:
    """A linear map over vector, words and context, rebuilt by ``training``."""

    def __init__(self, knowledge: Knowledge, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._names = self.names(knowledge)
        self._uncovered = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, knowledge.uncovered))})(?![\w-])", re.IGNORECASE)
        try:
            stored = load_file(folder / "acts.safetensors")
            vocabulary = json.loads((folder / "acts.json").read_text(encoding="utf-8"))
            blends = json.loads((folder / "blends.json").read_text(encoding="utf-8"))
            self.blends = {act: Blend(**values) for act, values in blends.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(f"The weights of the acts in {folder} cannot be read: {error}. Rebuild them: {REBUILD}") from error
        self._vector, self._context, self._bias = (stored[n].astype(np.float32) for n in ("vector", "context", "bias"))
        self._words = dict(zip(vocabulary, stored["words"].astype(np.float32), strict=True))

    @staticmethod
    def names(knowledge: Knowledge) -> list[tuple[str, re.Pattern[str]]]:
        """Each outcome with the pattern of the words by which people mean it."""
        return [
            (outcome.id, re.compile(rf"\b(?:{'|'.join(map(re.escape, outcome.names))})\b(?!-)", re.IGNORECASE))
            for outcome in knowledge.outcomes.values()
            if outcome.names
        ]

    def about(self, turn: str) -> tuple[str, ...]:
        """The outcomes that the turn names, in the order of the outcomes; a longer name hides a shorter one inside it."""
        spans = [(m.start(), m.end(), name) for name, pattern in self._names for m in pattern.finditer(turn)]
        kept = {n for a, b, n in spans if not any(c <= a and b <= d and (c, d) != (a, b) for c, d, _ in spans)}
        return tuple(name for name, _ in self._names if name in kept)

    def hear(self, turn: str, context: Context) -> Heard:
        """The likeliest act; a turn that refers to a project can only be one where a project stands."""
        about = self.about(turn)
        scores = self._bias + unit(self._encoder.tokens(turn).vectors.mean(axis=0)) @ self._vector
        scores = scores + flags(turn, context, len(about)) @ self._context
        for term in set(terms(turn)):
            if term in self._words:
                scores = scores + self._words[term]
        if not context.stands:
            scores = np.where([act in NEEDS_PROJECT for act in ACTS], -np.inf, scores)
        if not context.open:
            scores = np.where([act == "answer" for act in ACTS], -np.inf, scores)
        shares = np.exp(scores - scores.max())
        best = int(shares.argmax())
        unknown = tuple(dict.fromkeys(match.group() for match in self._uncovered.finditer(turn)))
        return Heard(ACTS[best], about, float(shares[best] / shares.sum()), unknown)


NEEDS_PROJECT = frozenset({"refine", "retract", "answer", "why", "why_not", "what_if"})
"""Acts that refer to a project that already stands."""


def unit(vector: Vectors) -> Vectors:
    """The vector with length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)
