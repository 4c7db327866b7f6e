"""Turns a reading into a decision by the article's rules, kept as data in precedence order.

In: a ``Reading``. Out: a ``Decision``. Probabilities go through the rules; the reader's own opinion on the outcome is a
second voice, joined and calibrated. Does not word anything and does not look at the text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from advisor.knowledge import Knowledge
from advisor.schema import Option, QuestionRecord
from advisor.values import ABSTENTIONS, FLOOR, Calibration, Decision, Flip, Question, Reading, State


class Decider:
    """Applies the rules of the knowledge."""

    def __init__(self, knowledge: Knowledge, calibration: Calibration) -> None:
        self._knowledge = knowledge
        self._calibration = calibration

    def decide(self, reading: Reading, asked: Collection[str] = (), in_a_row: int = 0, project: bool = False) -> Decision:
        """The decision for what was read; a reading without signals is one that says too little.

        A question of ``asked`` is not asked again. After ``questions_in_a_row`` questions, or when none is left, the best guess
        is named instead of another one. What is said of a ``project`` that stands is never off topic.
        """
        asserted = {name: signal.asserted for name, signal in reading.signals.items()}
        by_rules, opinion = self.by_rules(asserted), reading.opinion
        if reading.unset:
            read = {**asserted, **{name: signal.asserted for name, signal in reading.unset.items()}}
            opinion = follow(opinion, self.by_rules(read), by_rules)
        scores = self.join(by_rules, opinion, by_hand=bool(reading.unset))
        ranked = sorted(scores, key=lambda outcome: -scores[outcome])
        spent = in_a_row >= self._knowledge.number("questions_in_a_row") or len(asked) >= len(self._knowledge.questions)
        outcome = next(o for o in ranked if not (project and o == "off_topic"))
        guess = spent and outcome == "clarify"
        if guess:
            outcome = next(o for o in ranked if o not in ABSTENTIONS)
        runner_up = next((o for o in ranked if o != outcome and o not in ABSTENTIONS), None)
        given, true = zip(*self._calibration.curve, strict=True)
        confidence = float(np.interp(scores[outcome], np.array(given), np.array(true)))
        heavy = asserted.get("heavy_background", 0.0) >= self._knowledge.number("task_queue")
        return Decision(
            outcome=outcome,
            scores=scores,
            confidence=confidence,
            runner_up=runner_up,
            by_rule=by_rules[outcome],
            add_ons=("task_queue",) if heavy and outcome not in ABSTENTIONS else (),
            flips=() if outcome == "off_topic" else self.flips(asserted, outcome, scores),
            question=None
            if outcome == "off_topic" or spent
            else self.question(asserted, opinion, scores, outcome, confidence, asked, by_hand=bool(reading.unset)),
            guess=guess,
        )

    def by_rules(self, asserted: Mapping[str, float]) -> dict[str, float]:
        """Probability of every outcome when each rule holds as surely as its surest criterion; adds up to 1.

        What no rule catches is shared by the abstentions, which the rules cannot tell apart.
        """
        scores = dict.fromkeys(self._knowledge.outcomes, 0.0)
        left = 1.0
        for rule in self._knowledge.rules:
            holds = max(asserted.get(criterion, 0.0) for criterion in rule.any)
            scores[rule.outcome] += left * holds
            left *= 1 - holds
        for outcome in ABSTENTIONS:
            scores[outcome] = left / len(ABSTENTIONS)
        return scores

    def join(self, by_rules: Mapping[str, float], opinion: Mapping[str, float], by_hand: bool = False) -> dict[str, float]:
        """Both voices as one distribution: a weighted mean of the logarithms, adding up to 1.

        Where somebody has set criteria by hand they are taken at their word, so the rules count in full.
        """
        names = list(by_rules)
        weight = max(1.0, self._calibration.rules) if by_hand else self._calibration.rules
        logs = weight * np.log(np.maximum([by_rules[n] for n in names], FLOOR))
        if opinion:
            logs = logs + self._calibration.opinion * np.log(np.maximum([opinion[n] for n in names], FLOOR))
        shares = np.exp(logs - logs.max())
        return dict(zip(names, (shares / shares.sum()).tolist(), strict=True))

    def flips(self, asserted: Mapping[str, float], outcome: str, scores: Mapping[str, float]) -> tuple[Flip, ...]:
        """For other outcomes the fewest criteria to assert or take back so that the rules lead there, fewest first."""
        threshold = self._knowledge.number("asserted")
        said = [name for name, probability in asserted.items() if probability >= threshold]
        found = []
        for place, target in enumerate(self._knowledge.rules):
            if target.outcome == outcome:
                continue
            above = {criterion for rule in self._knowledge.rules[:place] for criterion in rule.any}
            changes: dict[str, State] = {name: "negated" for name in said if name in above}
            if not set(target.any) & set(said):
                changes[target.any[0]] = "asserted"
            if changes:
                found.append(Flip(changes, target.outcome))
        found.sort(key=lambda flip: (len(flip.changes), -scores[flip.outcome]))
        return tuple(found[: int(self._knowledge.number("flip_count"))])

    def question(
        self,
        asserted: Mapping[str, float],
        opinion: Mapping[str, float],
        scores: Mapping[str, float],
        outcome: str,
        confidence: float,
        asked: Collection[str] = (),
        by_hand: bool = False,
    ) -> Question | None:
        """The question, of those not yet asked, whose answer is expected to move the scores most.

        None where the outcome is sure enough, or nothing is left to ask.
        """
        if outcome not in ABSTENTIONS and confidence >= self._knowledge.number("sure"):
            return None
        left = [record for record in self._knowledge.questions if record.id not in asked]
        if not left:
            return None
        gains = [(self._gain(record, asserted, opinion, scores, by_hand), record) for record in left]
        gain, best = max(gains, key=lambda item: item[0])
        if outcome not in ABSTENTIONS and gain < self._knowledge.number("question_gain"):
            return None
        return Question(best.id, best.text, tuple(option.label for option in best.options))

    def _gain(
        self,
        record: QuestionRecord,
        asserted: Mapping[str, float],
        opinion: Mapping[str, float],
        scores: Mapping[str, float],
        by_hand: bool,
    ) -> float:
        weights = [_likelihood(option, asserted) for option in record.options]
        moved = []
        for option in record.options:
            answer = {name: 1.0 if state == "asserted" else 0.0 for name, state in option.sets.items()}
            after = self.join(self.by_rules({**asserted, **answer}), opinion, by_hand)
            moved.append(sum(abs(after[name] - scores[name]) for name in scores) / 2)
        return sum(w * m for w, m in zip(weights, moved, strict=True)) / sum(weights)


def follow(opinion: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The opinion moved as the rules moved from ``before`` to ``after``, adding up to 1; empty where there is none.

    No opinion is so sure that a correction could not move it: no share counts for less than ``FLOOR``.
    """
    moved = {name: max(share, FLOOR) * max(after[name], FLOOR) / max(before[name], FLOOR) for name, share in opinion.items()}
    total = sum(moved.values())
    return {name: share / total for name, share in moved.items()}


def _likelihood(option: Option, asserted: Mapping[str, float]) -> float:
    """How likely this answer is from what was read, between 0.05 and 0.95."""
    shares = [asserted.get(n, 0.0) if state == "asserted" else 1 - asserted.get(n, 0.0) for n, state in option.sets.items()]
    return float(np.clip(np.mean(shares), 0.05, 0.95))
