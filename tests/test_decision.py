"""The decision on readings given by hand: precedence, joining, flips, questions."""

from __future__ import annotations

import math

import pytest

from advisor import Advisor, Reading, Signal
from advisor.decision import Decider
from advisor.values import Calibration, Evidence, State


@pytest.fixture
def decider(advisor: Advisor) -> Decider:
    return Decider(advisor.knowledge, Calibration())


def reading(**states: State) -> Reading:
    said = (Evidence(0, 0, 1, "x"),)
    return Reading({name: Signal(name, state, 0.97, said) for name, state in states.items()})


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ({"none_pure_api": "asserted", "none_public_seo": "asserted"}, "fastapi"),
        ({"none_public_seo": "asserted", "users_product": "asserted"}, "django_or_fastapi"),
        ({"none_bi": "asserted", "users_product": "asserted"}, "bi_tool"),
        ({"users_product": "asserted", "users_model_evaluators": "asserted"}, "reflex"),
        ({"users_model_evaluators": "asserted", "users_internal_analysts": "asserted"}, "gradio"),
        ({"users_internal_analysts": "asserted", "req_sso": "asserted", "req_db_writeback": "asserted"}, "streamlit"),
        ({"users_product": "negated", "users_internal_analysts": "asserted"}, "streamlit"),
        ({"users_product": "deferred", "state_single_function": "asserted"}, "gradio"),
    ],
)
def test_the_first_rule_that_holds_decides(decider: Decider, states: dict[str, State], outcome: str) -> None:
    decision = decider.decide(reading(**states))
    assert decision.outcome == outcome
    assert math.isclose(sum(decision.scores.values()), 1)


@pytest.mark.parametrize("states", [{}, {"users_nontechnical_explorers": "asserted"}, {"req_streaming": "asserted"}])
def test_what_no_rule_catches_is_no_recommendation(decider: Decider, states: dict[str, State]) -> None:
    assert decider.decide(reading(**states)).status != "recommended"


def test_the_task_queue_never_moves_the_outcome(decider: Decider) -> None:
    without = decider.decide(reading(users_model_evaluators="asserted"))
    added = decider.decide(reading(users_model_evaluators="asserted", heavy_background="asserted"))
    assert (without.outcome, without.add_ons) == ("gradio", ())
    assert (added.outcome, added.add_ons) == ("gradio", ("task_queue",))


def test_every_flip_leads_where_it_says(decider: Decider) -> None:
    for criterion in ("none_pure_api", "none_bi", "users_product", "users_internal_analysts"):
        before: dict[str, State] = {criterion: "asserted"}
        decision = decider.decide(reading(**before))
        assert decision.flips
        for flip in decision.flips:
            assert decider.decide(reading(**{**before, **flip.changes})).outcome == flip.outcome != decision.outcome


def test_two_voices_that_disagree_are_less_sure_than_one(advisor: Advisor, decider: Decider) -> None:
    names = list(advisor.knowledge.outcomes)
    against = {name: 0.9 if name == "gradio" else 0.1 / (len(names) - 1) for name in names}
    alone = reading(users_product="asserted")
    assert decider.decide(Reading(alone.signals, against)).confidence < decider.decide(alone).confidence


def test_unsure_means_a_question_and_sure_means_none(decider: Decider) -> None:
    assert decider.decide(reading()).question
    assert decider.decide(reading(none_pure_api="asserted")).question is None
