"""The examples and what was trained on them: splits, near-copies, the manifest, and that the one command works."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from advisor import Advisor, KnowledgeError
from advisor.encoder import PUBLISHED_SHA256, file_sha256
from tests.conftest import ROOT, samples
from training.__main__ import settings
from training.copies import near_copies
from training.examples import EXAMPLES, Example, load, of_split, pairs, writers
from training.manifest import digest

KNOWN_COPIES = {"w30-056"}
"""A football question that a writer hit on too. The shipped weights have seen it; to be dropped when they are next rebuilt."""
READER = ROOT / "knowledge" / "reader"


@pytest.fixture(scope="module")
def examples(advisor: Advisor) -> dict[str, tuple[Example, ...]]:
    return load(advisor.knowledge.criteria)


def test_there_are_enough_examples_of_every_outcome_and_pair(examples: dict[str, tuple[Example, ...]]) -> None:
    everything = [e for rows in examples.values() for e in rows]
    labels = Counter(e.label for e in everything)
    assert len(everything) >= 6000
    assert min(labels.values()) >= 300, labels
    assert len(pairs(everything)) >= 600
    assert sum(e.technical for e in everything) >= len(everything) * 0.45


def test_the_test_split_has_its_own_writers(advisor: Advisor) -> None:
    test = of_split("test", advisor.knowledge.criteria)
    assert len(test) >= 600
    assert len(pairs(test)) >= 60
    assert 0.4 <= sum(e.technical for e in test) / len(test) <= 0.6
    assert {w.split for w in writers().values()} == {"train", "calibration", "test"}


def test_every_id_is_taken_once(examples: dict[str, tuple[Example, ...]]) -> None:
    ids = Counter(e.id for rows in examples.values() for e in rows)
    assert [name for name, count in ids.items() if count > 1] == []


def test_no_text_stands_in_two_splits(advisor: Advisor) -> None:
    train, held, test = (of_split(s, advisor.knowledge.criteria) for s in ("train", "calibration", "test"))
    assert near_copies(test, [*train, *held]) == []
    assert near_copies(held, train) == []


def test_no_sample_is_among_the_examples(examples: dict[str, tuple[Example, ...]]) -> None:
    given = [s["text"] for name in ("descriptions", "real", "hostile") for s in samples(name)]
    base = next(e for rows in examples.values() for e in rows)
    seen = [base.model_copy(update={"id": f"sample {n}", "text": text}) for n, text in enumerate(given)]
    found = near_copies(seen, [e for rows in examples.values() for e in rows])
    assert [ours for _, ours, _ in found if ours not in KNOWN_COPIES] == []


def test_every_text_has_a_second_label_and_hardly_any_differs(examples: dict[str, tuple[Example, ...]]) -> None:
    lines = (EXAMPLES / "second_labels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    second = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    everything = [e for rows in examples.values() for e in rows]
    assert [e.id for e in everything if e.id not in second] == []
    differ = [e.id for e in everything if second[e.id][0] not in e.accept and e.label not in second[e.id][1].split("+")]
    assert len(differ) <= len(everything) / 1000, differ


def test_every_problem_of_the_examples_is_reported_at_once(tmp_path: Path, advisor: Advisor) -> None:
    line = json.loads((EXAMPLES / "c1.jsonl").read_text(encoding="utf-8").split("\n", 1)[0])
    wrong = [
        {**line, "label": "nothing"},
        {**line, "accept": ["gradio"]},
        {**line, "criteria": [{"id": "x", "state": "asserted", "quote": "no"}]},
    ]
    (tmp_path / "one.jsonl").write_text("\n".join(map(json.dumps, wrong)), encoding="utf-8")
    (tmp_path / "stray.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "writers.toml").write_text(
        'one = { voice = "a", split = "train", negations = true }\ntwo = { voice = "b", split = "test", negations = true }',
        encoding="utf-8",
    )
    with pytest.raises(KnowledgeError) as caught:
        load(advisor.knowledge.criteria, tmp_path)
    told = str(caught.value)
    for part in (
        "one.jsonl:1: label",
        "one.jsonl:2",
        "not in accept",
        "one.jsonl:3",
        "no exact part",
        "two.jsonl: not found",
        "stray.jsonl",
    ):
        assert part in told, part


def test_the_weights_are_in_step_with_what_they_were_made_from(examples: dict[str, tuple[Example, ...]]) -> None:
    manifest = json.loads((READER / "manifest.json").read_text(encoding="utf-8"))
    chosen, _ = settings()
    assert manifest["base_sha256"] == PUBLISHED_SHA256
    assert manifest["examples_sha256"] == digest(examples), "the examples have changed: python -m training"
    assert manifest["settings"] == {name: getattr(chosen, name) for name in manifest["settings"]}, "python -m training"
    assert manifest["files_sha256"] == {p.name: file_sha256(p) for p in READER.iterdir() if p.name != "manifest.json"}


def test_the_weights_that_ship_are_small() -> None:
    assert sum(path.stat().st_size for path in READER.iterdir()) <= 50 * 2**20


@pytest.mark.slow
def test_the_training_command_works_and_two_runs_give_the_same_weights(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        out = tmp_path / name / "reader"
        command = [sys.executable, "-m", "training", "--limit", "24", "--quiet", "--out", str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        digests.append({str(p.relative_to(out.parent)): file_sha256(p) for p in out.parent.rglob("*") if p.is_file()})
        assert sorted(p.name for p in out.parent.iterdir()) == ["conversation", "reader"]
    assert digests[0] == digests[1]
    assert {name.split("/")[1] for name in digests[0] if name.startswith("reader/")} == {p.name for p in READER.iterdir()}
