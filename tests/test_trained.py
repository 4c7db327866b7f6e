"""The trained reader: what is said when its files are missing or do not fit, and what it reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from advisor import Advisor, ModelError
from advisor.encoder import SentenceEncoder
from advisor.trained import left, weights_in
from advisor.values import Statement
from advisor.words import BagOfWords
from tests.conftest import ROOT
from training.calibrate import isotone

READER = ROOT / "knowledge" / "reader"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(READER, tmp_path / "reader")
    return tmp_path / "reader"


@pytest.mark.parametrize("name", ["manifest.json", "encoder.safetensors", "heads.safetensors"])
def test_a_missing_file_is_named_with_the_command_that_mends_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}.*python -m training"):
        weights_in(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"criteria": 3}'])
def test_a_broken_manifest_is_named(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json cannot be read"):
        weights_in(folder)


def test_a_broken_calibration_is_named(folder: Path) -> None:
    (folder / "calibration.json").write_text(json.dumps({"rules": 1}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"calibration\.json cannot be read.*python -m training"):
        weights_in(folder).calibration()


def test_heads_of_another_version_are_refused(folder: Path) -> None:
    save_file({"evidence.weight": np.zeros((2, 2), dtype=np.float32)}, folder / "heads.safetensors")
    with pytest.raises(ModelError, match="does not fit this version"):
        weights_in(folder).load_heads(384)


def test_changes_of_another_encoder_are_refused(folder: Path) -> None:
    save_file({"pooler.dense.bias": np.zeros(3, dtype=np.float32)}, folder / "encoder.safetensors")
    with pytest.raises(ModelError, match=r"pooler\.dense\.bias does not fit this encoder"):
        SentenceEncoder(adapter=folder / "encoder.safetensors")


@pytest.mark.parametrize("name", ["words.txt", "words.safetensors"])
def test_missing_words_are_named_with_the_command_that_mends_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"cannot be read: .*{name}.*python -m training"):
        BagOfWords(folder)


def test_words_that_do_not_fit_their_weights_are_refused(folder: Path) -> None:
    with (folder / "words.txt").open("a", encoding="utf-8") as file:
        file.write("one term too many\n")
    with pytest.raises(ModelError, match=r"cannot be read: .*python -m training"):
        BagOfWords(folder)


def test_the_words_of_a_text_speak_for_an_outcome_and_no_words_for_none() -> None:
    outcomes, words = weights_in(READER).outcomes, BagOfWords(READER)
    logs = words.logs("Superset or Metabase: the branch managers want to build their own charts, self-service, no SQL.")
    assert outcomes[int(logs.argmax())] == "bi_tool"
    assert np.exp(logs).sum() == pytest.approx(1, abs=1e-4)
    assert (words.logs("") == words.logs("qwxz vvkk")).all()


def test_what_was_taken_back_is_not_among_the_words() -> None:
    kept, dropped = "Two analysts look at charts.", " Search engines must find it."
    whole = Statement(0, kept + dropped, ((len(kept), len(kept + dropped)),))
    assert left(whole) == kept
    assert left(Statement(0, kept)) == kept


@pytest.mark.parametrize(
    ("text", "criterion", "word"),
    [
        ("Our two analysts filter last month's sales by region and look at the charts.", "users_internal_analysts", "analysts"),
        ("Customers log in, fill in a claim in four steps and edit it later.", "users_product", "Customers"),
        ("Upload a photo of a leaf and the model names the disease.", "state_single_function", "photo"),
    ],
)
def test_the_quote_holds_the_words_that_show_it(advisor: Advisor, text: str, criterion: str, word: str) -> None:
    signal = advisor.advise([text]).reading.signals[criterion]
    assert signal.asserted > 0.5
    assert word in signal.evidence[0].quote


def test_every_outcome_is_reached(advisor: Advisor) -> None:
    texts = {
        "streamlit": "Our two data analysts pick a month and a region and look at the sales charts. Nothing is edited.",
        "gradio": "A demo where anyone can upload a photo of a leaf and my model says which disease it has.",
        "reflex": "A portal where customers create an account, place orders in several steps and edit them later.",
        "django_or_fastapi": "A public recipe site that must rank on Google, with a million visitors a month.",
        "bi_tool": "Branch managers who know no SQL want to explore the sales data freely and build their own charts.",
        "fastapi": "A REST service that other programs call with an address and get coordinates. No user interface at all.",
        "clarify": "I want to build some kind of app for my business.",
        "off_topic": "Write me a poem about autumn leaves.",
    }
    for outcome, text in texts.items():
        decision = advisor.advise([text]).decision
        assert decision
        assert decision.outcome == outcome, text


def test_weights_of_other_criteria_stop_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(ROOT / "knowledge", folder, ignore=shutil.ignore_patterns("examples", "dialogues"))
    path = folder / "reader" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "criteria": ["req_fax", *manifest["criteria"][1:]]}), encoding="utf-8")
    with pytest.raises(ModelError, match="other criteria or outcomes"):
        Advisor.load(folder)


def test_a_low_score_is_worth_little() -> None:
    scores = np.linspace(0.5, 1.0, 200)
    curve = isotone(scores, scores > 0.6)
    assert curve[0] == (0.0, 0.0)
    assert [share for _, share in curve] == sorted(share for _, share in curve)
