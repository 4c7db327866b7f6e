"""The examples and what was trained on them: splits, near-copies, the manifest, and that the one command works."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from advisor import Advisor, KnowledgeError
from advisor.encoder import PUBLISHED_SHA256, SentenceEncoder, default_model, file_sha256
from tests.conftest import ROOT, samples
from training.__main__ import settings
from training.copies import near_copies
from training.examples import EXAMPLES, Example, Split, drawn, load, of_split, pairs, writers
from training.features import BatchSampler, Collator, Rows
from training.manifest import digest
from training.talks import cases, projects, questions, questions_as_turns, talks

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


def test_no_question_stands_in_two_splits(examples: dict[str, tuple[Example, ...]]) -> None:
    """Short questions share stock phrases, so that only two thirds of all word triples in common make a copy."""
    base = examples["c1"][0]
    train, held, test = (
        [base.model_copy(update={"id": a.id, "text": a.question}) for a in questions(split)] for split in get_args(Split)
    )
    found = [*near_copies(test, [*train, *held]), *near_copies(held, train)]
    assert [copy for copy in found if copy[2] > 0.66] == []


def test_no_sample_is_among_the_examples(examples: dict[str, tuple[Example, ...]]) -> None:
    given = [s["text"] for name in ("descriptions", "real", "hostile") for s in samples(name)]
    base = next(e for rows in examples.values() for e in rows)
    seen = [base.model_copy(update={"id": f"sample {n}", "text": text}) for n, text in enumerate(given)]
    assert near_copies(seen, [e for rows in examples.values() for e in rows]) == []


def test_every_text_has_a_second_label_and_all_but_one_agree(examples: dict[str, tuple[Example, ...]]) -> None:
    lines = (EXAMPLES / "second_labels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    second = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    everything = [e for rows in examples.values() for e in rows]
    assert [e.id for e in everything if e.id not in second] == []
    differ = [e.id for e in everything if second[e.id][0] not in e.accept and e.label not in second[e.id][1].split("+")]
    assert differ == ["w08-084"]


def test_examples_are_drawn_by_chance_with_both_texts_of_a_pair(examples: dict[str, tuple[Example, ...]]) -> None:
    rows = examples["w43"]
    some = drawn(rows, 40, seed=1)
    assert some == drawn(rows, 40, seed=1) != drawn(rows, 40, seed=2)
    assert 40 <= len({e.id for e in some}) == len(some) <= 41
    assert {count for pair, count in Counter(e.pair for e in some).items() if pair} == {2}


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
    chosen = settings()
    assert manifest["base_sha256"] == PUBLISHED_SHA256
    assert manifest["train_sha256"] == digest(examples, "train"), "the train split has changed: python -m training"
    held = digest(examples, "calibration")
    assert manifest["calibration_sha256"] == held, "the calibration split has changed: python -m training --calibration"
    assert manifest["settings"] == asdict(chosen), "python -m training"
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


@pytest.fixture(scope="module")
def rows(advisor: Advisor, examples: dict[str, tuple[Example, ...]]) -> tuple[Rows, list[dict[str, Any]]]:
    make = Rows(advisor.knowledge, SentenceEncoder(str(default_model())).tokenizer)
    told, asked = talks("train")[:30], questions("train")[:60]
    pairs_first = [e for e in examples["w43"] if e.pair][:60]
    turns = [case for talk in told for case in cases(talk)]
    return make, [
        *make.texts(pairs_first, {e.id: True for e in pairs_first}),
        *make.turns(turns),
        *make.questions(asked, questions_as_turns(asked)),
    ]


def test_a_batch_is_of_one_kind_and_pairs_stay_together(rows: tuple[Rows, list[dict[str, Any]]]) -> None:
    sampler = BatchSampler(rows[1], 16, seed=1)
    order = list(sampler)
    assert len(order) == len(sampler) == len(set(order))
    pairs_seen: set[str] = set()
    for start in range(0, len(order), 16):
        batch = [rows[1][place] for place in order[start : start + 16]]
        assert len({row["kind"] for row in batch}) == 1
        together = Counter(row["pair"] for row in batch if row["pair"])
        assert set(together.values()) <= {2}
        pairs_seen |= set(together)
    assert len(pairs_seen) >= 20
    with pytest.raises(ValueError, match="even number"):
        BatchSampler(rows[1], 15, seed=1)
    sampler.set_epoch(1)
    assert list(sampler) != order
    sampler.set_epoch(0)
    assert list(sampler) == order


def test_a_batch_of_questions_marks_the_passages_that_answer_each(
    advisor: Advisor, rows: tuple[Rows, list[dict[str, Any]]]
) -> None:
    make, made = rows
    passages = make.passages({name: p.text for name, p in advisor.knowledge.passages.items()})
    batch = [row for row in made if row["kind"] == "question"][:16]
    tensors = Collator(0, passages, seed=1)(batch)
    assert tensors["answers"].shape == (16, len(tensors["passage_input_ids"]))
    assert tensors["answers"].any(1).tolist() == [row["covered"] for row in batch] == (tensors["covered"] == 1).tolist()


def test_partners_are_the_two_texts_of_a_pair(rows: tuple[Rows, list[dict[str, Any]]]) -> None:
    batch = [row for row in rows[1] if row["kind"] == "text"][:16]
    partner = Collator(0, {}, seed=1)(batch)["partner"].tolist()
    assert all(partner[other] == place for place, other in enumerate(partner) if other >= 0)
    assert all(batch[place]["pair"] == batch[other]["pair"] for place, other in enumerate(partner) if other >= 0)
    assert sum(other >= 0 for other in partner) >= 14


def test_a_project_is_its_telling_turns_with_the_last_word_on_each_criterion() -> None:
    for talk in talks("train")[:60]:
        for project in projects(talk):
            example = project.example
            last = talk.turns[int(example.id.rsplit(".", 1)[1]) - 1]
            assert project.turns[-1] == last.user
            assert example.text == "\n".join(project.turns)
            assert example.accept == last.expect_label
            assert len({shown.id for shown in example.criteria}) == len(example.criteria) == len(project.since)
            starts = [sum(len(turn) + 1 for turn in project.turns[:count]) for count in range(len(project.turns))]
            for shown, since in zip(example.criteria, project.since, strict=True):
                assert shown.quote in project.turns[starts.index(since)]


def test_a_project_is_trained_as_it_is_read_turn_by_turn(rows: tuple[Rows, list[dict[str, Any]]]) -> None:
    make, _ = rows
    encoder = SentenceEncoder(str(default_model()))
    told = [p for talk in talks("train")[:60] for p in projects(talk) if len(p.turns) > 1][:4]
    batch = Collator(0, {}, seed=1)(make.projects(told))
    inputs = {name: batch[name] for name in ("input_ids", "position_ids", "attention_mask")}
    with torch.inference_mode():
        hidden = encoder.model(**inputs).last_hidden_state
    for project, seen, mask in zip(told, hidden, batch["mask"], strict=True):
        alone = np.concatenate([encoder.tokens(turn).vectors for turn in project.turns])
        assert np.abs(seen[mask].numpy() - alone).max() < 1e-4
