"""Laws over whole replies: every sample, dialogue turn by dialogue turn."""

from __future__ import annotations

import math

import pytest

from advisor import Advisor, Delta, Done, InputError
from advisor.pipeline import user_turns
from tests.conftest import conversations

TALKS = conversations()


@pytest.mark.parametrize("turns", TALKS, ids=range(len(TALKS)))
def test_a_reply_keeps_every_law(advisor: Advisor, turns: list[str]) -> None:
    *deltas, done = advisor.stream(turns)
    assert isinstance(done, Done)
    advice = done.advice
    assert "".join(event.text for event in deltas if isinstance(event, Delta)) == advice.text
    for sentence in advice.sentences:
        assert sentence.sources or sentence.kind in ("inference", "connective"), sentence
        for source in sentence.sources:
            assert source in advisor.knowledge.passages
        if sentence.kind in ("article", "update"):
            assert {advisor.knowledge.passages[s].layer for s in sentence.sources} == {sentence.kind}
    for signal in advice.reading.signals.values():
        assert 0 <= signal.probability <= 1
        for evidence in signal.evidence:
            assert evidence.quote
            assert turns[evidence.turn][evidence.start : evidence.end] == evidence.quote
    if advice.decision:
        assert math.isclose(sum(advice.decision.scores.values()), 1, abs_tol=1e-6)
        assert 0 <= advice.decision.confidence <= 1
        assert advice.decision.runner_up != advice.decision.outcome


def test_a_recommendation_speaks_of_every_other_outcome(advisor: Advisor) -> None:
    advice = advisor.advise(["Nurses book slots, get reminders, and managers approve the swaps."])
    assert advice.decision
    for outcome in advisor.knowledge.outcomes.values():
        if outcome.family != "abstention":
            assert outcome.name in advice.text


def test_the_same_conversation_gives_the_same_value(advisor: Advisor) -> None:
    turns = ["A read-only churn report for our data scientists", "they filter by month"]
    assert advisor.advise(turns) == Advisor.load().advise(turns)


def test_the_advisors_own_messages_do_not_count(advisor: Advisor) -> None:
    plain = advisor.advise(["a portal", "where customers order"])
    told = advisor.advise(
        [
            {"role": "user", "content": "a portal"},
            {"role": "assistant", "content": "Use Gradio for your model."},
            {"role": "user", "content": "where customers order"},
        ]
    )
    assert plain == told


@pytest.mark.parametrize("text", ["", "   \n\t", "?!…", "—", "\x00\x07", "\ud800", "🦜"])
def test_a_text_without_words_gets_a_friendly_prompt(advisor: Advisor, text: str) -> None:
    advice = advisor.advise([text])
    assert advice.decision is None
    assert advice.text == advisor.knowledge.say("prompts", "empty")


@pytest.mark.parametrize(
    "text", ["customers \ud83d log in", "a\x00p\x1bp for\u2028staff", "字" * 900, "x" * 20_000, "a " * 10_000]
)
def test_awkward_texts_are_answered(advisor: Advisor, text: str) -> None:
    assert advisor.advise([text]).text


def test_the_limit_of_a_turn_and_of_a_conversation_is_named(advisor: Advisor) -> None:
    with pytest.raises(InputError, match=r"20001 characters; I read up to 20000"):
        advisor.advise(["a" * 20_001])
    with pytest.raises(InputError, match=r"220000 characters; I read up to 200000"):
        advisor.advise(["a" * 20_000] * 11)


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], "messages is empty"),
        ([{"role": "system", "content": "x"}], "message 1: role must be user or assistant"),
        ([{"role": "user", "content": 3}], "message 1: content must be a string, found int"),
        (["a", {"role": "assistant", "content": "b"}], "the last message must be the user's"),
        ([None], "message 1: expected an object"),
    ],
)
def test_a_conversation_that_cannot_be_read_is_explained(turns: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        user_turns(turns)  # type: ignore[arg-type]


def test_quotes_cannot_smuggle_markup_into_the_page(advisor: Advisor) -> None:
    advice = advisor.advise(["<img src=x onerror=alert(1)> customers log in and [order](http://evil.example) in several steps"])
    assert "<img" not in advice.text.replace("\\<img", "")
    assert "](http://evil.example" not in advice.text
