"""Languages: what is not English is told apart, and answered in its own language."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from advisor import Advisor, KnowledgeError
from advisor.knowledge import FOLDER, load
from advisor.language import LanguageReader


@pytest.fixture(scope="module")
def languages(advisor: Advisor) -> LanguageReader:
    return LanguageReader(advisor.knowledge)


@pytest.mark.parametrize(
    ("turn", "code"),
    [
        ("Wir möchten ein Portal, in dem sich unsere Kunden anmelden und Termine buchen können.", "de"),
        ("Nous voulons un portail où nos clients se connectent et réservent des rendez-vous.", "fr"),
        ("我想做一个网站，让客户登录并预约。", "zh"),
        ("Мы хотим портал, где клиенты входят и записываются на приём.", "ru"),
    ],
)
def test_a_turn_in_another_language_gets_a_line_in_that_language(advisor: Advisor, turn: str, code: str) -> None:
    language = advisor.knowledge.languages[code]
    advice = advisor.advise([turn])
    assert advice.text.startswith(language.note)
    if not language.reads:
        assert advice.decision is None
        assert advice.status == "needs_information"


@pytest.mark.parametrize(
    "turn", ["no login", "app", "yes", "SSO via Keycloak", "internal only", "Streamlit vs Gradio vs Reflex"]
)
def test_short_turns_pass_as_english(languages: LanguageReader, turn: str) -> None:
    assert languages.of(turn) is None


def test_a_turn_that_cannot_be_read_leaves_the_project_alone(advisor: Advisor) -> None:
    story = "A portal where customers log in, file a warranty claim in four steps and follow its status."
    before, after = advisor.advise([story]), advisor.advise([story, "お客様がログインして予約できるようにしたいです。"])
    assert after.decision == before.decision


def test_an_unknown_language_is_a_broken_file(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("examples", "dialogues"))
    with (folder / "languages.toml").open("a", encoding="utf-8") as file:
        file.write('\n[xx]\nreads = false\nnote = "?"\n')
    with pytest.raises(KnowledgeError, match=r"languages\.toml: xx"):
        LanguageReader(load(folder))
