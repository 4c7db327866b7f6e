"""Finds near-copies between two sets of texts: texts that share most of their word triples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from training.examples import Example

NEAR = 0.4
"""Share of the shorter text's word triples that also stand in the other text; above it one is a near-copy."""


def near_copies(ours: Sequence[Example], others: Sequence[Example]) -> list[tuple[str, str, float]]:
    """(our id, other id, share) of every near-copy; ``others`` may be larger, the cost is one look-up a word."""
    where: dict[tuple[str, ...], list[int]] = {}
    sizes = []
    for place, example in enumerate(others):
        triples = _triples(example.text)
        sizes.append(len(triples))
        for triple in triples:
            where.setdefault(triple, []).append(place)
    found = []
    for example in ours:
        triples = _triples(example.text)
        shared = Counter(place for triple in triples for place in where.get(triple, ()))
        for place, count in shared.items():
            share = count / max(1, min(len(triples), sizes[place]))
            if share > NEAR and count > 2:
                found.append((example.id, others[place].id, round(share, 2)))
    return found


def _triples(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[place : place + 3]) for place in range(len(words) - 2)}
