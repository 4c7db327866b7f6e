"""Conversations: what a turn does to the project that stands, and what the reply says of it."""

from __future__ import annotations

import pytest

from advisor import Advice, Advisor, Delta
from advisor.explanation import Explainer
from advisor.options import Options
from advisor.values import Question
from benchmarks.conversation import mentions
from tests.conftest import samples

PORTAL = "A portal where customers log in, file a warranty claim in four steps and follow its status."
REPORT = "A read-only churn report for our five data scientists, they filter it by segment and month."


def outcome(advice: Advice) -> str | None:
    return advice.decision.outcome if advice.decision else None


@pytest.mark.parametrize(
    ("turn", "act"),
    [
        ("what if we sold it to customers, each with their own account?", "what_if"),
        ("why not Streamlit?", "why_not"),
        ("why?", "why"),
        ("Gradio or Reflex, which is less work?", "compare"),
        ("is there a trap behind our load balancer?", "question"),
        ("thanks a lot", "meta"),
        ("who won the champions league in 2019", "off_topic"),
    ],
)
def test_only_telling_turns_change_the_project(advisor: Advisor, turn: str, act: str) -> None:
    for story in (PORTAL, REPORT):
        before, after = advisor.advise([story]), advisor.advise([story, turn])
        assert after.act == act
        assert after.decision == before.decision
        assert after.reading == before.reading


def test_a_what_if_is_answered_in_full(advisor: Advisor) -> None:
    advice = advisor.advise(
        [PORTAL, "What if they only ever looked at a list of claims with two filters and never filed anything?"]
    )
    assert advice.act == "what_if"
    assert "Supposing that" in advice.text
    assert "the recommendation stands: Reflex" in advice.text


def test_a_restart_forgets(advisor: Advisor) -> None:
    advice = advisor.advise([PORTAL, "start over"])
    assert advice.act == "restart"
    assert advice.decision is None
    again = advisor.advise([PORTAL, "start over", REPORT])
    assert outcome(again) == "streamlit"
    assert {e.turn for s in again.reading.signals.values() for e in s.evidence} == {2}


def test_a_replay_gives_the_same_values_whatever_was_asked_before(advisor: Advisor) -> None:
    turns = [PORTAL, "why not Streamlit?", "actually nobody files anything, our analysts only look at last month's claims"]
    first = [advisor.advise(turns[: n + 1]) for n in range(len(turns))]
    advisor.advise([REPORT, *turns])
    assert [Advisor.load().advise(turns[: n + 1]) for n in range(len(turns))] == first


def test_no_more_than_two_questions_in_a_row_and_none_twice(advisor: Advisor) -> None:
    turns, asked = ["I want to build some kind of app for my business."], []
    for _ in range(5):
        advice = advisor.advise(turns)
        if advice.question:
            asked.append(advice.question.id)
        turns.append("not sure")
    assert len(asked) == len(set(asked))
    asks = [advisor.advise(turns[: n + 1]).status == "needs_information" for n in range(4)]
    assert asks == [True, True, False, False]


def test_every_chip_means_its_option(advisor: Advisor) -> None:
    options = Options(advisor.knowledge)
    for record in advisor.knowledge.questions:
        question = Question(record.id, record.text, tuple(option.label for option in record.options))
        for option in record.options:
            assert options.read(question, option.label) == (option, False)


@pytest.mark.parametrize(
    ("question", "answer", "label", "unsure"),
    [
        ("accounts", "yeah", "Yes, accounts", False),
        ("accounts", "not really", "No accounts", False),
        ("accounts", "no accounts", "No accounts", False),
        ("accounts", "they don’t log in", "No accounts", False),
        ("writes", "no, they edit", "They enter and change things", False),
        ("writes", "nope, just look", "They only look", False),
        ("writes", "nothing gets stored", "They only look", False),
        ("model", "no", "No, something else", False),
        ("screen", "the second one", "Only programs", False),
        ("who_and_what", "our own clients", "Customers or staff work in it", False),
        ("who_and_what", "not sure yet, mostly clients", None, False),
        ("who_and_what", "hm, not sure", None, True),
        ("exploration", "the singers", None, False),
    ],
)
def test_a_short_answer_is_read_against_its_question(
    advisor: Advisor, question: str, answer: str, label: str | None, unsure: bool
) -> None:
    option, told = Options(advisor.knowledge).read(Question(question, "", ()), answer)
    assert (option and option.label, told) == (label, unsure)


def test_a_chip_sets_what_it_says(advisor: Advisor) -> None:
    first = advisor.advise(["I want to build some kind of app for my business."])
    assert first.question
    record = next(r for r in advisor.knowledge.questions if r.id == first.question.id)
    for option in record.options:
        advice = advisor.advise(["I want to build some kind of app for my business.", option.label])
        assert advice.act == "answer"
        assert {name: advice.reading.signals[name].state for name in option.sets} == dict(option.sets)


def test_the_guidance_is_quoted_with_what_has_changed_since(advisor: Advisor) -> None:
    advice = advisor.advise(["Does Streamlit have a login of its own?"])
    assert advice.act == "question"
    assert "U01" in advice.sources
    assert "Since the article" in advice.text


@pytest.mark.parametrize("question", ["What does a Streamlit licence cost?", "Should I use Plotly Dash instead?"])
def test_what_the_guidance_does_not_cover_is_admitted(advisor: Advisor, question: str) -> None:
    assert "does not cover" in advisor.advise([question]).text


def test_a_comparison_along_what_the_project_needs_is_a_table(advisor: Advisor) -> None:
    story = "Several hospitals share it, each kept apart; staff sign in with SSO and every record is written to the database."
    advice = advisor.advise([story, "compare Streamlit, Gradio and Reflex for this"])
    assert advice.act == "compare"
    assert "| Requirement | Streamlit | Gradio | Reflex |\n| --- | --- | --- | --- |" in advice.text
    rows = [s for s in advice.sentences if s.block == "row"]
    assert rows
    for row in rows:
        assert row.kind == "article"
        assert row.sources
        assert f"| {' | '.join(row.cells)} [" in advice.text
    streamed = advisor.stream([story, "compare Streamlit, Gradio and Reflex for this"])
    assert "".join(event.text for event in streamed if isinstance(event, Delta)) == advice.text


def test_a_comparison_without_names_is_of_all_three_and_of_what_stands(advisor: Advisor) -> None:
    advice = advisor.advise(
        ["Machines post orders to us and get a price back; nobody ever looks at a screen.", "compare all three"]
    )
    assert advice.act == "compare"
    for name in ("Streamlit", "Gradio", "Reflex", "FastAPI"):
        assert name in advice.text.split("\n")[0]


def test_a_tool_that_a_passage_names_is_no_bar_and_another_is(advisor: Advisor) -> None:
    assert "G18" in advisor.advise(["Is it true that Reflex is React underneath?"]).sources
    assert not advisor.advise(["Does Streamlit compile its widgets to Angular?"]).sources


def test_a_turn_without_words_leaves_the_project_alone(advisor: Advisor) -> None:
    before, after = advisor.advise([PORTAL]), advisor.advise([PORTAL, "👍"])
    assert after.decision == before.decision
    assert "welcome" in after.text


def test_a_covered_question_without_a_project_is_in_scope(advisor: Advisor) -> None:
    advice = advisor.advise(["Does Streamlit have a login of its own?"])
    assert advice.status == "needs_information"
    assert advisor.advise(["who won the champions league in 2019"]).status == "out_of_scope"


def test_the_sample_dialogues_are_heard_and_answered_as_they_should_be(advisor: Advisor) -> None:
    """The goals of the conversation, on the few sample dialogues: each share over all their turns."""
    acts, stands, replies = [], [], []
    for talk in samples("dialogues"):
        turns: list[str] = []
        for turn in talk["turns"]:
            turns.append(turn["user"])
            advice = advisor.advise(turns)
            acts.append(advice.act == turn["act"])
            stands.append((outcome(advice) or "clarify") in turn["expect_label"])
            replies.append(mentions(advice.text, turn["must_mention"], turn["must_not_mention"]))
    assert sum(acts) / len(acts) >= 0.92
    assert sum(stands) / len(stands) >= 0.95
    assert sum(replies) / len(replies) >= 0.95


@pytest.mark.parametrize("sample", samples("questions"), ids=lambda sample: sample["id"])
def test_the_sample_questions_are_answered_or_admitted(advisor: Advisor, sample: dict[str, list[str]]) -> None:
    assert mentions(advisor.advise([str(sample["question"])]).text, sample["must_mention"], ())


def test_passages_for_a_question_beside_a_description_are_each_told_once_and_before_the_next_question(advisor: Advisor) -> None:
    for story in (PORTAL, REPORT, "an app for my shop"):
        plain = advisor.advise([story])
        assert plain.decision
        told = advisor.knowledge.passages
        cited = [told[source] for source in plain.sources if source[0] == "G"][:1]
        new = next(passage for passage in told.values() if passage.layer == "article" and passage.id not in plain.sources)
        reply = Explainer(advisor.knowledge).explain(plain.reading, plain.decision, [*cited, new])
        lead = [n for n, sentence in enumerate(reply) if sentence.text == advisor.knowledge.say("answer", "beside")]
        assert len(lead) == 1
        assert reply[lead[0] + 1].sources == (new.id,)
        texts = [s.text for s in reply if s.kind in ("article", "update")]
        assert len(texts) == len(set(texts))
        if plain.question:
            assert plain.question.text in "".join(s.text for s in reply[lead[0] :])
        assert [s for s in reply if s in plain.sentences] == list(plain.sentences)
