"""Turns that a click on the page writes: plain words with an exact meaning, so that undo, retry and replay hold for them too.

In: criteria and the states that somebody gives them. Out: a turn; and back from the turn to what it sets. All wording comes
from the knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.knowledge import Knowledge
from advisor.values import State


@dataclass(frozen=True, slots=True)
class Correction:
    """What a turn sets criteria to (None: left open), and whether it only supposes so."""

    sets: Mapping[str, State | None]
    supposed: bool


class Corrections:
    """Words corrections and suppositions, and knows them again."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._known: dict[str, Correction] = {}
        self._parts: dict[str, tuple[str, State]] = {}
        states: tuple[State | None, ...] = ("asserted", "negated", None)
        for name in knowledge.criteria:
            for state in states:
                self._known[self.turn(name, state)] = Correction({name: state}, supposed=False)
                if state:
                    self._parts[self._part(name, state)] = (name, state)
        before, after = knowledge.wording["correct"]["what_if"].split("{changes}")
        self._before, self._after, self._joiner = before, after, knowledge.say("flips", "joiner")

    def turn(self, criterion: str, state: State | None) -> str:
        """The turn that sets one criterion."""
        short = self._knowledge.criteria[criterion].short
        return self._knowledge.say("correct", state if state in ("asserted", "negated") else "open", short=short)

    def supposition(self, changes: Mapping[str, State]) -> str:
        """The turn that supposes some changes."""
        parts = self._joiner.join(self._part(name, state) for name, state in changes.items())
        return self._knowledge.say("correct", "what_if", changes=parts)

    def read(self, turn: str) -> Correction | None:
        """What a turn sets; None for a turn that no click has written."""
        text = turn.strip()
        if text in self._known:
            return self._known[text]
        if not (text.startswith(self._before) and text.endswith(self._after)):
            return None
        sets, rest = {}, text[len(self._before) : len(text) - len(self._after)]
        while rest:
            part = max((p for p in self._parts if rest.startswith(p)), key=len, default=None)
            if part is None:
                return None
            name, state = self._parts[part]
            sets[name] = state
            rest = rest[len(part) :].removeprefix(self._joiner)
        return Correction(sets, supposed=True) if sets else None

    def _part(self, criterion: str, state: State) -> str:
        short = self._knowledge.criteria[criterion].short
        return self._knowledge.say("flips", "asserted" if state == "asserted" else "negated", short=short)
