"""One step of a conversation: what a turn does, and the project as it stands after it.

In: the project so far and a turn. Out: a ``Step``. Knows the order of reading, folding and deciding within a turn; the
reading, the fold and the rules are elsewhere. Pure: the same project and turn give the same step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from advisor.acts import Context
from advisor.clauses import split
from advisor.corrections import Correction, Corrections
from advisor.errors import ModelError
from advisor.knowledge import Knowledge
from advisor.options import SHORT, Options
from advisor.standing import blend, contradicted, drop, fold, said, set_by_hand
from advisor.values import Blend, Decision, Evidence, Heard, Reading, Signal, Standing, Statement, Step

Read = Callable[[tuple[Statement, ...]], Reading]
Decide = Callable[[Reading, tuple[str, ...], int, bool], Decision]
Hear = Callable[[str, Context], Heard]

TELLING = frozenset({"describe", "refine", "retract", "answer"})
"""Acts that change the project."""
ANSWERING = frozenset({"describe", "refine", "answer"})
"""Acts in which a short turn may answer the question that is open."""
ANSWER_PROBABILITY = 0.95
"""A short answer is as plain as a criterion can be said, yet it may answer another question than the one asked."""
SURE_OF_ASKING = 0.7
"""A first turn from which an outcome can be read is a description, unless it is this surely something else. With the
weights of 2026-11-25 that took 3 of 678 descriptions of the calibration split for questions, and 50 of 402 questions, on which
the acts are fitted too, for descriptions."""
BY_HAND = 0.99
"""Probability of a criterion that somebody has set by hand."""
_WORD = re.compile(r"[^\W_]")


def load_blends(folder: Path) -> dict[str, Blend]:
    """The fitted blend of each act; raises ``ModelError`` where the file cannot be read."""
    path = folder / "blends.json"
    try:
        return {act: Blend(**values) for act, values in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Rebuild it: python -m training --calibration") from error


class Dialogue:
    """Takes one turn after another."""

    def __init__(
        self,
        knowledge: Knowledge,
        read: Read,
        decide: Decide,
        hear: Hear,
        blends: Mapping[str, Blend],
        legible: Callable[[str], bool] = lambda _turn: True,
    ) -> None:
        """``legible``: whether a turn is in a language that ``read`` knows."""
        self._knowledge = knowledge
        self._legible = legible
        self._corrections, self._options = Corrections(knowledge), Options(knowledge)
        self._blends = blends
        self._read, self._decide, self._hear = read, decide, hear
        self._threshold = knowledge.number("asserted")

    def step(self, before: Standing, number: int, turn: str) -> Step:
        """The step that turn ``number`` takes from the project as it stood."""
        if not _WORD.search(turn) or not self._legible(turn):
            return Step(Heard("describe", (), 1.0), before, before)
        correction = self._corrections.read(turn)
        if correction:
            return self._corrected(before, number, turn, correction)
        decided = before.recommended is not None
        heard = self._hear(turn, Context(bool(before.statements), decided, before.open is not None))
        if before.open and turn.strip() in before.open.options:  # a chip, whatever else it may sound like
            heard = Heard("answer", heard.about, 1.0)
        statement = Statement(number, turn)
        if not before.statements or heard.act == "restart":
            return self._first(before, statement, heard)
        if heard.act not in TELLING and heard.act != "what_if":
            return Step(heard, before, before)
        statements, latest, signals = self._told(before, statement, heard)
        by_hand = {name: signal for name, signal in before.by_hand.items() if latest.get(name) is before.latest.get(name)}
        now = Standing(statements, latest, by_hand, self.reading(before, statements, latest, by_hand, heard.act))
        if heard.act == "what_if":
            return Step(heard, before, before, signals, self._supposed(now))
        return Step(heard, before, self._stand(now, before), signals)

    def reading(
        self,
        before: Standing,
        statements: tuple[Statement, ...],
        latest: Mapping[str, Signal],
        by_hand: Mapping[str, Signal],
        act: str,
    ) -> Reading:
        """All statements together, folded, with the opinion blended as the act of the last one asks for."""
        joint, alone = self._read(statements), self._read(statements[-1:])
        stood = before.decision.scores if before.decision else {}
        opinion = blend(self._blends.get(act, Blend()), joint.opinion, alone.opinion, stood)
        return set_by_hand(fold(joint, latest, opinion), by_hand)

    def _corrected(self, before: Standing, number: int, turn: str, correction: Correction) -> Step:
        """Criteria set by hand: nothing is read anew, and the words are the turn that a click has written."""
        if not before.statements:  # there is nothing to correct
            return Step(Heard("refine", (), 1.0), before, before)
        words = (Evidence(number, 0, len(turn), turn),)
        signals = tuple(
            Signal(name, state or "asserted", BY_HAND if state else 0.0, words if state else ())
            for name, state in correction.sets.items()
        )
        by_hand = {**before.by_hand, **{signal.criterion: signal for signal in signals}}
        now = replace(before, by_hand=by_hand, reading=set_by_hand(before.reading, by_hand))
        if correction.supposed:
            return Step(Heard("what_if", (), 1.0), before, before, signals, self._supposed(now))
        return Step(Heard("refine", (), 1.0), before, self._stand(now, before), signals)

    def _supposed(self, now: Standing) -> Standing:
        return replace(now, decision=self._decide(now.reading, (), 0, True))

    def _first(self, before: Standing, statement: Statement, heard: Heard) -> Step:
        """A turn with no project before it, or one that starts over: a description, unless it plainly asks or chats.

        ``supposed`` is what the turn alone would be, where it is no description: it tells what is out of scope.
        """
        reading = self._read((statement,))
        alone = self._stand(Standing((statement,), reading=reading), Standing())
        decision = alone.decision
        assert decision is not None
        signals = said(reading, self._threshold)
        telling = decision.recommends and decision.confidence >= self._threshold
        if heard.act == "restart":
            telling = telling and len(statement.text.split()) > SHORT
            return Step(heard, before, alone if telling else Standing(), signals if telling else ())
        if heard.act not in TELLING and telling and heard.probability >= SURE_OF_ASKING:
            return Step(heard, before, before)
        if heard.act not in TELLING and not telling:
            return Step(heard, before, before, supposed=alone)
        if decision.outcome == "off_topic":
            return Step(replace(heard, act="off_topic"), before, before, supposed=alone)
        return Step(replace(heard, act="describe"), before, alone, signals)

    def _told(
        self, before: Standing, statement: Statement, heard: Heard
    ) -> tuple[tuple[Statement, ...], dict[str, Signal], tuple[Signal, ...]]:
        """The statements that still hold with this turn, the last words on the criteria, and what the turn itself says."""
        signals = list(said(self._read((statement,)), self._threshold))
        if before.open and heard.act in ANSWERING:
            chosen, unsure = self._options.read(before.open, statement.text)
            if unsure:
                return (*before.statements, statement), dict(before.latest), ()
            if chosen:
                words = (Evidence(statement.turn, 0, len(statement.text), statement.text),)
                sure = [Signal(name, state, ANSWER_PROBABILITY, words) for name, state in chosen.sets.items()]
                signals = [*sure, *(s for s in signals if s.criterion not in chosen.sets)]
        if heard.act == "retract" and all(self._stands(s, before) for s in signals):
            signals = [Signal(s.criterion, "negated", s.probability, s.evidence) for s in signals]
        kept = tuple(self._cut(earlier, signals) for earlier in before.statements)
        latest = {**before.latest, **{s.criterion: s for s in signals}}
        return (*kept, statement), latest, tuple(signals)

    def _stands(self, signal: Signal, before: Standing) -> bool:
        """Whether the turn only names what stood asserted: in a retraction that is what is taken back."""
        stood = before.reading.signals.get(signal.criterion)
        return signal.state == "asserted" and stood is not None and stood.asserted >= self._threshold

    def _cut(self, earlier: Statement, signals: Sequence[Signal]) -> Statement:
        """An earlier statement without what these signals do not let stand."""
        gone = contradicted(self._read((earlier,)), signals, self._threshold)
        if not gone:
            return earlier
        return drop(earlier, gone, split(earlier.text, earlier.turn, int(self._knowledge.number("dropped_words"))))

    def _stand(self, now: Standing, before: Standing) -> Standing:
        """The project decided, with what it then asks."""
        decision = self._decide(now.reading, before.asked, before.in_a_row, bool(before.statements))
        asked = decision.question
        row = before.in_a_row + 1 if asked and not decision.recommends else before.in_a_row if decision.guess else 0
        already = (*before.asked, asked.id) if asked else before.asked
        return replace(now, decision=decision, asked=already, open=asked, in_a_row=row)
