"""Turns the user's words into signals: the seam ``Reader`` and the untrained reader.

In: statements. Out: a ``Reading``. Does not decide. The trained reader is in ``trained.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from advisor.clauses import split
from advisor.encoder import Encoder, Vectors, embed_once
from advisor.knowledge import Knowledge
from advisor.values import Clause, Evidence, Reading, Signal, State, Statement


class Reader(Protocol):
    """Reads criteria out of turns."""

    def read(self, statements: tuple[Statement, ...]) -> Reading:
        """Signals for every criterion of the closed vocabulary, with exact quotes, read from all statements together.

        Pure: same statements, same reading. Stretches that were dropped are not read.
        """


class PrototypeReader:
    """Compares each clause with the phrasings and counter-examples of every criterion; nothing is trained.

    For any encoder. The embeddings of the knowledge are kept in ``cache`` under a key of their content and the model;
    a cache that cannot be written is done without.
    """

    def __init__(self, knowledge: Knowledge, encoder: Encoder, cache: Path | None) -> None:
        self._knowledge = knowledge
        self._encoder = encoder
        texts = [t for c in knowledge.criteria.values() for t in (*c.phrasings, *c.counter_examples)]
        vectors = iter(embed_once(texts, encoder, cache))
        self._near = [np.stack([next(vectors) for _ in (*c.phrasings, *c.counter_examples)])
                      for c in knowledge.criteria.values()]  # fmt: skip
        self._cues = [(cue, re.compile(r"\b(?:" + "|".join(map(re.escape, cue.words)) + r")\b", re.IGNORECASE))
                      for cue in knowledge.cues]  # fmt: skip

    def read(self, statements: tuple[Statement, ...]) -> Reading:
        number = self._knowledge.number
        parts = [(s, self._clauses(s)) for s in statements]
        clauses = [clause for _, own in parts for clause in own]
        if not clauses:
            return Reading({})
        vectors = np.concatenate([self._pool(statement.text, own) for statement, own in parts])
        states = [self.state(clause.text) for clause in clauses]
        signals, nearest = {}, -1.0
        for criterion, prototypes in zip(self._knowledge.criteria.values(), self._near, strict=True):
            similar = vectors @ prototypes.T
            said = similar[:, : len(criterion.phrasings)].max(axis=1)
            other = similar[:, len(criterion.phrasings) :].max(axis=1)
            nearest = max(nearest, float(said.max()))
            margin = (said - other) - number("prototype_margin") + (said - 0.45)
            best = int(margin.argmax())
            probability = float(1 / (1 + np.exp(-number("prototype_scale") * margin[best])))
            clause = clauses[best]
            evidence = (Evidence(clause.turn, clause.start, clause.end, clause.text),)
            signals[criterion.id] = Signal(criterion.id, states[best], probability, evidence)
        return Reading(signals, self._opinion(nearest))

    def _clauses(self, statement: Statement) -> list[Clause]:
        """The clauses of a statement that no later turn took back."""
        found = split(statement.text, statement.turn, int(self._knowledge.number("clause_words")))
        return [c for c in found if not any(c.start < end and c.end > start for start, end in statement.dropped)]

    def _opinion(self, nearest: float) -> dict[str, float]:
        off = 0.9 if nearest < self._knowledge.number("off_topic_similarity") else 1 / len(self._knowledge.outcomes)
        rest = (1 - off) / (len(self._knowledge.outcomes) - 1)
        return {outcome: off if outcome == "off_topic" else rest for outcome in self._knowledge.outcomes}

    def _pool(self, turn: str, clauses: Sequence[Clause]) -> Vectors:
        """Late chunking: one pass over the turn, then the mean over the tokens of each clause, as unit vectors."""
        if not clauses:
            return np.zeros((0, self._encoder.dim), dtype=np.float32)
        view = self._encoder.tokens(turn)
        rows = [view.vectors[(view.spans[:, 1] > c.start) & (view.spans[:, 0] < c.end)] for c in clauses]
        pooled = np.stack([row.mean(axis=0) if len(row) else view.vectors.mean(axis=0) for row in rows])
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), dtype=np.float32)

    def state(self, clause: str) -> State:
        """Asserted, unless a cue reaches words of the clause."""
        for cue, pattern in self._cues:
            for match in pattern.finditer(clause):
                reach = clause[match.end() :] if cue.direction == "forward" else clause[: match.start()]
                words = re.findall(r"\w+", reach)
                if words and len(words) <= cue.scope:
                    return cue.state
        return "asserted"
