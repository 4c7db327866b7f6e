"""Joins the rules and the reader's opinion, and says what a score is worth.

In: readings of the calibration split, which nothing else uses. Out: the weights of both voices and the curve from the
top score to the share that is acceptable.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from advisor.decision import Decider
from advisor.knowledge import Knowledge
from advisor.values import Calibration, Reading
from training.examples import Example

LEAST = 0.15
"""Neither voice falls silent: a criterion that is corrected must be able to move the outcome."""
POINTS = 9
"""Points of the curve: enough for its shape, too few to follow the noise of some hundred texts."""


def calibrate(knowledge: Knowledge, readings: Sequence[Reading], examples: Sequence[Example]) -> Calibration:
    """The calibration under which the acceptable outcomes of the examples are likeliest."""
    plain = Decider(knowledge, Calibration())
    outcomes = list(knowledge.outcomes)
    by_rules = [plain.by_rules({n: s.asserted for n, s in reading.signals.items()}) for reading in readings]
    accepted = np.array([[o in e.accept for o in outcomes] for e in examples])

    def joined(weights: np.ndarray) -> np.ndarray:
        decider = Decider(knowledge, Calibration(rules=float(weights[0]), opinion=float(weights[1])))
        scores = [decider.join(rules, reading.opinion) for rules, reading in zip(by_rules, readings, strict=True)]
        return np.array([[s[o] for o in outcomes] for s in scores])

    def loss(weights: np.ndarray) -> float:
        return float(-np.log(np.maximum((joined(weights) * accepted).sum(1), 1e-9)).mean())

    best = minimize(loss, x0=np.array([0.3, 0.8]), method="L-BFGS-B", bounds=[(LEAST, 2.0), (LEAST, 2.0)]).x
    scores = joined(best)
    top = scores.argmax(1)
    right = accepted[np.arange(len(top)), top]
    curve = isotone(scores.max(1), right)
    return Calibration(rules=round(float(best[0]), 4), opinion=round(float(best[1]), 4), curve=curve)


def isotone(scores: np.ndarray, right: np.ndarray) -> tuple[tuple[float, float], ...]:
    """A rising curve through (score, share that is right), as ``POINTS`` points at equal shares of the texts."""
    edges = np.quantile(scores, np.linspace(0, 1, POINTS + 1))
    middle, share = [], []
    for low, high in pairwise(edges):
        inside = (scores >= low) & (scores <= high)
        middle.append(float(scores[inside].mean()))
        # one imagined text of either kind keeps a bin of some dozens from claiming certainty
        share.append(float((right[inside].sum() + 1) / (inside.sum() + 2)))
    rising = IsotonicRegression(y_min=0, y_max=1).fit_transform(middle, share)
    points = dict(zip([round(m, 4) for m in middle], [round(float(r), 4) for r in rising], strict=True))
    return tuple(sorted(points.items()))
