"""Joins the rules, the encoder's opinion and the words', and says what a score is worth.

In: readings of the calibration split, on which no weight of the reader is trained. Out: the weights of the voices and the
curve from the top score to the share that is acceptable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from advisor.decision import Decider
from advisor.encoder import Vectors
from advisor.knowledge import Knowledge
from advisor.values import Calibration, Reading
from advisor.words import joined
from training.examples import Example

LEAST = 0.15
"""Neither voice falls silent: a criterion that is corrected must be able to move the outcome."""
POINTS = 9
"""Points of the curve: enough for its shape, too few to follow the noise of some hundred texts."""


def calibrate(
    knowledge: Knowledge, readings: Sequence[Reading], words: Sequence[Vectors], examples: Sequence[Example]
) -> Calibration:
    """The calibration under which the acceptable outcomes of the examples are likeliest.

    ``readings``: with the encoder's opinion alone. ``words``: logarithms of the words' view, in the order of the outcomes.
    """
    plain = Decider(knowledge, Calibration())
    outcomes = list(knowledge.outcomes)
    by_rules = [plain.by_rules({n: s.asserted for n, s in reading.signals.items()}) for reading in readings]
    accepted = np.array([[o in e.accept for o in outcomes] for e in examples])

    def scored(weights: np.ndarray) -> np.ndarray:
        rules, opinion, trust = map(float, weights)
        decider = Decider(knowledge, Calibration(rules=rules, opinion=opinion))
        opinions = [_with_words(reading.opinion, logs, trust) for reading, logs in zip(readings, words, strict=True)]
        scores = [decider.join(by_rule, told) for by_rule, told in zip(by_rules, opinions, strict=True)]
        return np.array([[s[o] for o in outcomes] for s in scores])

    def loss(weights: np.ndarray) -> float:
        return float(-np.log(np.maximum((scored(weights) * accepted).sum(1), 1e-9)).mean())

    bounds = [(LEAST, 2.0), (LEAST, 2.0), (0.0, 2.0)]
    best = minimize(loss, x0=np.array([0.3, 0.8, 0.4]), method="L-BFGS-B", bounds=bounds).x
    scores = scored(best)
    top = scores.argmax(1)
    right = accepted[np.arange(len(top)), top]
    curve = isotone(scores.max(1), right)
    rules, opinion, trust = (round(float(weight), 4) for weight in best)
    return Calibration(rules, opinion, trust, curve)


def _with_words(opinion: Mapping[str, float], logs: Vectors, trust: float) -> dict[str, float]:
    return dict(zip(opinion, joined(np.log(list(opinion.values())), logs, trust).tolist(), strict=True))


def isotone(scores: np.ndarray, right: np.ndarray) -> tuple[tuple[float, float], ...]:
    """A rising curve from (0, 0) through (score, share that is right), as ``POINTS`` points at equal shares of the texts."""
    edges = np.quantile(scores, np.linspace(0, 1, POINTS + 1))
    middle, share = [], []
    for low, high in pairwise(edges):
        inside = (scores >= low) & (scores <= high)
        middle.append(float(scores[inside].mean()))
        # one imagined text of either kind keeps a bin of some dozens from claiming certainty
        share.append(float((right[inside].sum() + 1) / (inside.sum() + 2)))
    rising = IsotonicRegression(y_min=0, y_max=1).fit_transform(middle, share)
    points = dict(zip([round(m, 4) for m in middle], [round(float(r), 4) for r in rising], strict=True))
    return ((0.0, 0.0), *sorted(points.items()))
