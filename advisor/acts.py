"""Reads what a turn does in its conversation: tells, corrects, takes back, supposes, asks.

In: a turn and its context. Out: ``Heard``. A linear map over the turn's vector and the flags of its context; the encoder has
been trained with a head for acts, so its vectors tell them. Does not read criteria and answers nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from advisor.encoder import Encoder, Vectors
from advisor.errors import ModelError
from advisor.knowledge import Knowledge
from advisor.values import ACTS, Heard

MEANING = 3.0
"""Weight of the unit vector beside the flags, which are near 1 each."""


@dataclass(frozen=True, slots=True)
class Context:
    """What came before: whether a project stands, whether it has an outcome, and whether a question is open."""

    stands: bool
    decided: bool
    open: bool


def flags(turn: str, context: Context, names: int) -> Vectors:
    """Context and shape as numbers: (``FLAGS``,)."""
    words = len(turn.split())
    return np.array(
        [context.stands, context.decided, context.open, min(words, 60) / 20, words <= 3, "?" in turn, min(names, 2) / 2],
        dtype=np.float32,
    )


class Names:
    """The words by which people mean an outcome."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._patterns = [
            (outcome.id, re.compile(rf"\b(?:{'|'.join(map(re.escape, outcome.names))})\b(?!-)", re.IGNORECASE))
            for outcome in knowledge.outcomes.values()
            if outcome.names
        ]

    def of(self, turn: str) -> tuple[str, ...]:
        """The outcomes that the turn names, in the order of the outcomes; a longer name hides a shorter one inside it."""
        spans = [(m.start(), m.end(), name) for name, pattern in self._patterns for m in pattern.finditer(turn)]
        kept = {n for a, b, n in spans if not any(c <= a and b <= d and (c, d) != (a, b) for c, d, _ in spans)}
        return tuple(name for name, _ in self._patterns if name in kept)


def told(vector: Vectors, flagged: Vectors) -> Vectors:
    """What the map sees: the turn's mean vector, made unit length and weighed, and its flags."""
    return np.concatenate([MEANING * vector / max(float(np.linalg.norm(vector)), 1e-9), flagged])


class ActReader:
    """Hears the act of a turn, and what it names."""

    def __init__(self, knowledge: Knowledge, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._names, self._sure_of_restart = Names(knowledge), knowledge.number("restart")
        self._uncovered = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, knowledge.uncovered))})(?![\w-])", re.IGNORECASE)
        path = folder / "acts.safetensors"
        try:
            stored = load_file(path)
            self._weights, self._bias = stored["weights"].astype(np.float32), stored["bias"].astype(np.float32)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"{path} cannot be read: {error!r}. Rebuild it: python -m training --calibration") from error

    def hear(self, turn: str, context: Context) -> Heard:
        """The likeliest act; a turn that refers to a project can only be one where a project stands.

        A project that stands is not forgotten on a guess: a restart must be surer than the others.
        """
        about = self._names.of(turn)
        vector = self._encoder.tokens(turn).vectors.mean(axis=0)
        scores = told(vector, flags(turn, context, len(about))) @ self._weights + self._bias
        if not context.stands:
            scores = np.where([act in NEEDS_PROJECT for act in ACTS], -np.inf, scores)
        if not context.open:
            scores = np.where([act == "answer" for act in ACTS], -np.inf, scores)
        shares = _shares(scores)
        if context.stands and shares[ACTS.index("restart")] < self._sure_of_restart:
            shares = _shares(np.where([act == "restart" for act in ACTS], -np.inf, scores))
        best = int(shares.argmax())
        unknown = tuple(dict.fromkeys(match.group() for match in self._uncovered.finditer(turn)))
        return Heard(ACTS[best], about, float(shares[best]), unknown, float(shares[ACTS.index("question")]))


def _shares(scores: Vectors) -> Vectors:
    """The distribution of these scores."""
    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum(), dtype=np.float32)


NEEDS_PROJECT = frozenset({"refine", "retract", "answer", "why", "why_not", "what_if"})
"""Acts that refer to a project that already stands."""
