"""The record that one takes along: a Markdown decision record, and the conversation in a link."""

from __future__ import annotations

import pytest

from advisor import Advisor
from advisor.record import LONGEST_LINK, confidence_word, madr, pack, unpack
from advisor.values import Decision

PORTAL = "A portal where customers log in, file a warranty claim in four steps and follow its status."


@pytest.mark.parametrize("turns", [["one"], ["ä 漢 \U0001f600", "two\nlines", ""], ["x" * 20_000]])
def test_a_link_gives_back_the_turns(turns: list[str]) -> None:
    packed = pack(turns)
    assert packed.isascii()
    assert not set(packed) & set("+/=& ")
    assert list(unpack(packed)) == turns


@pytest.mark.parametrize("text", ["", "nonsense", "ÄÖ", pack(["a"])[:-3], "A" * 5000])
def test_what_is_no_link_of_ours_gives_nothing(text: str) -> None:
    assert unpack(text) == ()


def test_a_link_that_unpacks_to_too_much_gives_nothing() -> None:
    assert unpack(pack(["a" * (LONGEST_LINK + 1)])) == ()


def test_the_markdown_record_has_the_parts_of_madr_and_every_source(advisor: Advisor) -> None:
    advice = advisor.advise([PORTAL])
    text = madr(advisor.knowledge, advice, [PORTAL])
    parts = ["# Build it with Reflex", "## Context and Problem Statement", "## Decision Drivers", "## Considered Options",
             "## Decision Outcome", "## More Information"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert f"> {PORTAL}" in text
    for number, source in enumerate(advice.sources, 1):
        assert f"{number}. [{source}](https://" in text


def decision(outcome: str, top: float, second: float, confidence: float) -> Decision:
    return Decision(outcome, {outcome: top, "gradio": second}, confidence, "gradio", 0.0, (), (), None)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (decision("reflex", 0.9, 0.05, 0.95), "sure"),
        (decision("reflex", 0.7, 0.2, 0.75), "fairly"),
        (decision("reflex", 0.55, 0.3, 0.5), "lean"),
        (decision("reflex", 0.5, 0.45, 0.9), "tie"),
    ],
)
def test_how_sure_it_is_has_a_word_and_a_near_tie_is_called_one(advisor: Advisor, given: Decision, word: str) -> None:
    assert confidence_word(advisor.knowledge, given) == word
