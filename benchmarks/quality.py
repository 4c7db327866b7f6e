"""The quality report: how well the advisor reads texts that nothing was trained or tuned on.

``python -m benchmarks.quality`` reads the test split through ``Advisor.advise``, writes ``results/quality.json`` and the
pictures ``pictures/confusion.png`` and ``pictures/calibration.png``. The split is scored only to report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from advisor import Advisor
from advisor.values import ABSTENTIONS
from benchmarks import readme, scores
from benchmarks.machine import ROOT, keep
from benchmarks.scores import Judged
from training.examples import Example, of_split, writers

PICTURES = ROOT / "benchmarks" / "pictures"
LENGTHS = ((0, 25), (25, 70), (70, 10_000))
"""Words: at least the first, fewer than the second."""


def judge(advisor: Advisor, example: Example) -> Judged:
    """What the advisor says of one example."""
    advice = advisor.advise([example.text])
    decision = advice.decision
    threshold = advisor.knowledge.number("asserted")
    return Judged(
        example=example,
        outcome=decision.outcome if decision else "clarify",
        confidence=decision.confidence if decision else 0.0,
        task_queue=bool(decision and "task_queue" in decision.add_ons),
        said={
            name: tuple((e.start, e.end) for e in signal.evidence)
            for name, signal in advice.reading.signals.items()
            if signal.asserted >= threshold
        },
    )


def report(judged: Sequence[Judged], outcomes: Sequence[str]) -> dict[str, Any]:
    """All numbers of the quality report."""
    recommended = [j for j in judged if j.outcome not in ABSTENTIONS]
    abstained = [j for j in judged if j.outcome in ABSTENTIONS]
    to_abstain = [j for j in judged if j.example.label in ABSTENTIONS]
    queues = [j for j in judged if j.example.task_queue]
    error, curve = scores.calibration(judged)
    table = writers()

    def right(where: Callable[[Example], bool]) -> dict[str, float]:
        return scores.share(j.right for j in judged if where(j.example))

    return {
        "acceptable": right(lambda e: True),
        "acceptable_in_peoples_voices": right(lambda e: not e.technical),
        "acceptable_in_technical_registers": right(lambda e: e.technical),
        "both_of_a_flip_pair": scores.both_right(judged),
        "criteria": scores.criteria_f1(judged),
        "task_queue": scores.f1(sum(j.task_queue for j in queues), sum(j.task_queue for j in judged), len(queues)),
        "abstention": {
            "recall": round(sum(j.outcome in ABSTENTIONS for j in to_abstain) / len(to_abstain), 4),
            "precision": round(sum(bool(ABSTENTIONS & set(j.example.accept)) for j in abstained) / max(1, len(abstained)), 4),
        },
        "evidence_overlap": scores.evidence_overlap(judged),
        "calibration_error": scores.calibration(recommended)[0],
        "calibration_error_with_abstentions": error,
        "calibration_curve": curve,
        "outcome_f1": scores.outcome_f1(judged, outcomes),
        "misleading_framework_names": right(lambda e: e.kind == "named_framework"),
        "negations": right(lambda e: any(s.state != "asserted" for s in e.criteria)),
        "by_register": {
            table[name].voice: right(lambda e, name=name: e.writer == name)  # type: ignore[misc]
            for name in table
            if table[name].split == "test"
        },
        "by_kind": {k: right(lambda e, k=k: e.kind == k) for k in sorted({j.example.kind for j in judged})},  # type: ignore[misc]
        "by_length": {
            f"{low} to {high - 1} words": right(lambda e, low=low, high=high: low <= len(e.text.split()) < high)  # type: ignore[misc]
            for low, high in LENGTHS
        },
    }


def confusion_picture(judged: Sequence[Judged], outcomes: Sequence[str]) -> None:
    """Right answers in rows, given answers in columns; an acceptable answer counts as the right one."""
    table = np.zeros((len(outcomes), len(outcomes)), dtype=int)
    for j in judged:
        table[outcomes.index(j.outcome if j.right else j.example.label), outcomes.index(j.outcome)] += 1
    figure, axes = plt.subplots(figsize=(7, 6))
    axes.imshow(table / np.maximum(1, table.sum(1, keepdims=True)), cmap="Greens", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", fontsize=9)
    axes.set_xticks(range(len(outcomes)), outcomes, rotation=45, ha="right")
    axes.set_yticks(range(len(outcomes)), outcomes)
    axes.set_xlabel("answer given")
    axes.set_ylabel("right answer")
    figure.tight_layout()
    figure.savefig(PICTURES / "confusion.png", dpi=110)


def calibration_picture(curve: Sequence[tuple[float, float, int]], error: float) -> None:
    """Share right against confidence, by tenths of confidence."""
    figure, axes = plt.subplots(figsize=(5.5, 5))
    axes.plot([0, 1], [0, 1], color="#94a3b8", linestyle="--")
    axes.plot([c[0] for c in curve], [c[1] for c in curve], marker="o", color="#0f766e")
    for confidence, right, count in curve:
        axes.annotate(str(count), (confidence, right), textcoords="offset points", xytext=(5, -11), fontsize=8)
    axes.set_xlabel("confidence")
    axes.set_ylabel(f"share acceptable (calibration error {error:.3f})")
    figure.tight_layout()
    figure.savefig(PICTURES / "calibration.png", dpi=110)


def main() -> None:
    """Score the test split, write the report and its pictures, and bring the README up to date."""
    advisor = Advisor.load()
    outcomes = list(advisor.knowledge.outcomes)
    judged = [judge(advisor, example) for example in of_split("test", advisor.knowledge.criteria)]
    numbers = report(judged, outcomes)
    keep("quality", numbers)
    readme.write()
    confusion_picture(judged, outcomes)
    calibration_picture(numbers["calibration_curve"], numbers["calibration_error_with_abstentions"])


if __name__ == "__main__":
    main()
