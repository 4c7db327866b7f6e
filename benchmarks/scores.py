"""Counts and scores over judged texts. Pure: in come records of what was right and what was said, out come numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.examples import Example, pairs


@dataclass(frozen=True, slots=True)
class Judged:
    """One example and what the advisor said: outcome id (abstentions included), confidence, task queue, criteria, quotes.

    ``said`` maps each asserted criterion to the spans quoted for it.
    """

    example: Example
    outcome: str
    confidence: float
    task_queue: bool
    said: Mapping[str, tuple[tuple[int, int], ...]]

    @property
    def right(self) -> bool:
        """Whether the outcome is acceptable."""
        return self.outcome in self.example.accept


def share(rights: Iterable[bool]) -> dict[str, float]:
    """Share that is right with its 95 % interval (Wilson), and how many there were."""
    values = list(rights)
    n = len(values)
    if n == 0:
        return {"of": 0}
    p, z = sum(values) / n, 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {"share": round(p, 4), "low": round(middle - half, 4), "high": round(middle + half, 4), "of": n}


def f1(true_and_said: int, said: int, true: int) -> dict[str, float]:
    """Precision, recall and F1 from counts; 0 where nothing was said or true."""
    precision, recall = true_and_said / said if said else 0.0, true_and_said / true if true else 0.0
    both = precision + recall
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / both if both else 0.0, 4),
    }


def outcome_f1(judged: Sequence[Judged], outcomes: Sequence[str]) -> dict[str, dict[str, float]]:
    """F1 of every outcome; an acceptable outcome counts as the true one."""
    table = {}
    for outcome in outcomes:
        true = sum((j.outcome if j.right else j.example.label) == outcome for j in judged)
        said = sum(j.outcome == outcome for j in judged)
        table[outcome] = f1(sum(j.outcome == outcome and j.right for j in judged), said, true)
    return table


def criteria_f1(judged: Sequence[Judged]) -> dict[str, float]:
    """Micro-F1 over asserted criteria."""
    both = said = true = 0
    for j in judged:
        wanted = {s.id for s in j.example.criteria if s.state == "asserted"}
        both, said, true = both + len(wanted & set(j.said)), said + len(j.said), true + len(wanted)
    return f1(both, said, true)


def evidence_overlap(judged: Sequence[Judged]) -> dict[str, float]:
    """Of the true criteria that were read, the share whose quote shares a word with the true words."""
    hits = []
    for j in judged:
        for shown in j.example.criteria:
            if shown.state == "asserted" and shown.id in j.said:
                start = j.example.text.index(shown.quote)
                end = start + len(shown.quote)
                hits.append(any(a < end and b > start for a, b in j.said[shown.id]))
    return share(hits)


def calibration(judged: Sequence[Judged], bins: int = 10) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error over bins of equal width, and (mean confidence, share right, count) of every bin."""
    rows, error = [], 0.0
    for place in range(bins):
        inside = [
            j for j in judged if place / bins <= j.confidence < (place + 1) / bins or (place == bins - 1 and j.confidence == 1)
        ]
        if inside:
            mean, right = sum(j.confidence for j in inside) / len(inside), sum(j.right for j in inside) / len(inside)
            rows.append((round(mean, 4), round(right, 4), len(inside)))
            error += abs(mean - right) * len(inside) / len(judged)
    return round(error, 4), rows


def both_right(judged: Sequence[Judged]) -> dict[str, float]:
    """Of the pairs that differ in one fact which flips the outcome, the share with both texts right."""
    right = {j.example.id: j.right for j in judged}
    return share(right[one.id] and right[other.id] for one, other in pairs([j.example for j in judged]))
