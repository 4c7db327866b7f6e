"""Corrections by hand: turns with an exact meaning that undo and replay can rely on."""

from __future__ import annotations

from itertools import pairwise

import pytest

from advisor import Advisor
from advisor.corrections import Correction, Corrections
from advisor.values import State
from tests.conftest import samples

PORTAL = "A portal where customers log in, file a warranty claim in four steps and follow its status."


@pytest.fixture(scope="module")
def corrections(advisor: Advisor) -> Corrections:
    return Corrections(advisor.knowledge)


@pytest.mark.parametrize("state", ["asserted", "negated", None])
def test_every_correction_is_read_back_as_it_was_written(
    advisor: Advisor, corrections: Corrections, state: State | None
) -> None:
    for name in advisor.knowledge.criteria:
        assert corrections.read(corrections.turn(name, state)) == Correction({name: state}, supposed=False)


def test_every_supposition_is_read_back_as_it_was_written(advisor: Advisor, corrections: Corrections) -> None:
    names = list(advisor.knowledge.criteria)
    for first, second in pairwise(names):
        changes: dict[str, State] = {first: "asserted", second: "negated"}
        assert corrections.read(corrections.supposition(changes)) == Correction(changes, supposed=True)


@pytest.mark.parametrize("turn", ["What if?", "What if it rained?", "Correction: it does hold.", PORTAL, ""])
def test_other_turns_are_no_corrections(corrections: Corrections, turn: str) -> None:
    assert corrections.read(turn) is None


def test_a_correction_moves_the_verdict_and_the_turns_without_it_bring_it_back(
    advisor: Advisor, corrections: Corrections
) -> None:
    first = advisor.advise([PORTAL])
    assert first.decision
    said = [s.criterion for s in first.reading.signals.values() if s.asserted >= 0.5]
    turns = [PORTAL, *(corrections.turn(name, "negated") for name in said)]
    turns.append(corrections.turn("users_internal_analysts", "asserted"))
    moved = advisor.advise(turns)
    assert moved.decision
    assert moved.decision.outcome == "streamlit"
    assert moved.reading.signals["users_internal_analysts"].evidence[0].quote == turns[-1]
    assert advisor.advise([PORTAL]) == first


def test_what_is_left_open_no_longer_counts_and_a_later_turn_may_say_it_again(
    advisor: Advisor, corrections: Corrections
) -> None:
    name = "users_product"
    opened = advisor.advise([PORTAL, corrections.turn(name, None)])
    assert opened.reading.signals[name].probability < 0.5
    again = advisor.advise(
        [PORTAL, corrections.turn(name, None), "Our customers sign in with their own accounts and file claims."]
    )
    assert again.reading.signals[name].asserted >= 0.5


def test_every_flip_of_a_decision_holds_when_it_is_supposed(advisor: Advisor, corrections: Corrections) -> None:
    """What would change the answer is a promise: the what-if behind it must lead to that outcome, and change nothing."""
    broken, checked = [], 0
    for sample in samples("descriptions"):
        advice = advisor.advise([sample["text"]])
        if advice.act != "describe" or not advice.decision:
            continue
        for flip in advice.decision.flips:
            supposed = advisor.advise([sample["text"], corrections.supposition(flip.changes)])
            checked += 1
            assert supposed.act == "what_if"
            assert supposed.decision == advice.decision
            if advisor.knowledge.outcomes[flip.outcome].headline not in supposed.sentences[0].text:
                broken.append((sample["text"], flip))
    assert checked >= 40
    assert broken == []
