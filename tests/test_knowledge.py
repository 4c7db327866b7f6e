"""Knowledge: laws over all records, and what is said when a file is broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor import Advisor, KnowledgeError
from advisor.knowledge import FOLDER, load


def test_every_fact_is_carried_by_a_passage(advisor: Advisor) -> None:
    wanted = {f"G{n:02}" for n in range(1, 57)} | {f"U{n:02}" for n in range(1, 21)}
    assert set(advisor.knowledge.passages) == wanted


def test_every_update_says_what_it_revises_and_where_it_was_seen(advisor: Advisor) -> None:
    for passage in advisor.knowledge.passages.values():
        if passage.layer == "update":
            assert passage.id.startswith("U")
            assert passage.package, passage.id
            assert passage.version, passage.id
            assert passage.evidence, passage.id
            assert passage.url.startswith("https://"), passage.id
        else:
            assert passage.id.startswith("G")
            assert passage.url == advisor.knowledge.article.url


def test_every_criterion_has_phrasings_and_counter_examples_that_differ(advisor: Advisor) -> None:
    for criterion in advisor.knowledge.criteria.values():
        both = set(criterion.phrasings) & set(criterion.counter_examples)
        assert not both, f"{criterion.id}: {both}"


def test_every_outcome_but_the_abstentions_has_exactly_one_rule(advisor: Advisor) -> None:
    ruled = [rule.outcome for rule in advisor.knowledge.rules]
    expected = {o.id for o in advisor.knowledge.outcomes.values() if o.family != "abstention"}
    assert sorted(ruled) == sorted(expected)


def test_the_table_has_six_rows_for_three_frameworks(advisor: Advisor) -> None:
    assert len(advisor.knowledge.ratings) == 6
    for row in advisor.knowledge.ratings.values():
        assert all(getattr(row, framework).words for framework in ("streamlit", "gradio", "reflex"))


def test_every_other_outcome_always_has_a_limit_to_cite(advisor: Advisor) -> None:
    for outcome in advisor.knowledge.outcomes.values():
        if outcome.family != "abstention":
            assert any(not limit.criteria for limit in outcome.limit), outcome.id


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def breaks(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return breaks


BROKEN = {
    "an unknown field": (replace("rules.toml", "reason =", "raeson = 1\nreason ="), ["rules.toml", "raeson"]),
    "a missing field": (replace("cues.toml", "scope = 8", ""), ["cues.toml", "scope"]),
    "a rule for no outcome": (replace("rules.toml", '"fastapi"', '"fastpai"'), ["rules.toml", "fastpai"]),
    "a rule on no criterion": (replace("rules.toml", '"none_pure_api"', '"pure"'), ["rules.toml", "'pure'"]),
    "a citation of no passage": (replace("outcomes/reflex.toml", "G55", "G99"), ["outcomes/reflex.toml", "G99"]),
    "no TOML": (replace("questions.toml", "[[question]]", "[[question"), ["questions.toml", "not readable as TOML"]),
    "a slot that is not filled": (replace("wording.toml", "{percent}", "{precent}"), ["wording.toml", "precent"]),
    "an unknown wording": (replace("wording.toml", "[headings]", '[headings]\nx = "y"'), ["wording.toml", "headings.x"]),
    "a word for a number": (replace("thresholds.toml", "value = 20000", 'value = "many"'), ["thresholds.toml", "many"]),
    "a threshold too many": (
        replace("thresholds.toml", "[input_limit]", "[limit]"),
        ["limit: unknown", "input_limit: missing"],
    ),
    "a missing file": (lambda folder: (folder / "rules.toml").unlink(), ["rules.toml", "not found"]),
    "a missing criterion": (lambda f: (f / "criteria" / "req_gpu.toml").unlink(), ["req_gpu", "does not exist"]),
    "not text": (lambda f: (f / "cues.toml").write_bytes(b"\xff\xfe"), ["cues.toml", "not readable as TOML"]),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_file_is_named_with_its_place(mistake: str, tmp_path: Path) -> None:
    breaks, expected = BROKEN[mistake]
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder)
    breaks(folder)
    with pytest.raises(KnowledgeError) as raised:
        load(folder)
    for words in (*expected, str(tmp_path)):
        assert words in str(raised.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder)
    for mistake in ("a missing field", "a rule for no outcome", "a citation of no passage", "a word for a number"):
        BROKEN[mistake][0](folder)
    with pytest.raises(KnowledgeError) as raised:
        load(folder)
    for words in ("scope", "fastpai", "G99", "many"):
        assert any(words in problem for problem in raised.value.problems)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"rules\.toml: not found"):
        load(tmp_path / "nowhere")
