"""One table of ways to read: what each idea is worth.

``python -m benchmarks.readers`` compares untrained and cheap readers with the shipped one on the test split, scored only
to report. ``--ablations`` trains small variants on part of the examples (each some minutes on two cores) and scores them
on the calibration split, which is where ideas are chosen. Both write ``results/readers.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch
from sklearn.linear_model import LogisticRegression
from transformers import set_seed

from advisor import Advisor
from advisor import knowledge as knowledge_files
from advisor.decision import Decider
from advisor.encoder import SentenceEncoder, default_model
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.signals import PrototypeReader
from advisor.trained import TrainedReader, weights_in
from advisor.values import Calibration, Reading, Statement
from advisor.words import BagOfWords
from benchmarks import readme, scores
from benchmarks.machine import RESULTS, keep
from benchmarks.scores import Judged
from training import features, fit
from training.__main__ import settings
from training.examples import Example, Split, drawn, load, selected, writers
from training.words import fit_words

Answers = Sequence[str]
SMALL = 800
"""Examples an ablation is trained on; the whole set would take nearly two hours for each."""
SMALL_EPOCHS = 2.0
IDEAS: Mapping[str, Mapping[str, float]] = {
    "all ideas": {},
    "without criteria": {"state_weight": 0.0},
    "without evidence": {"evidence_weight": 0.0},
    "without contrast within pairs": {"contrast_weight": 0.0},
    "outcome alone": {"state_weight": 0.0, "evidence_weight": 0.0, "contrast_weight": 0.0, "act_weight": 0.0},
}


def row(examples: Sequence[Example], answers: Answers) -> dict[str, Any]:
    """The shares that matter, for one reader."""
    judged = [Judged(e, answer, 0.0, False, {}) for e, answer in zip(examples, answers, strict=True)]
    return {
        "acceptable": scores.share(j.right for j in judged),
        "voices": scores.share(j.right for j in judged if not j.example.technical)["share"],
        "technical": scores.share(j.right for j in judged if j.example.technical)["share"],
        "both_of_a_flip_pair": scores.both_right(judged),
    }


def bag_of_words(train: Sequence[Example], texts: Sequence[str], outcomes: Sequence[str]) -> Answers:
    """The view by words alone."""
    with tempfile.TemporaryDirectory() as folder:
        fit_words([e.text for e in train], [outcomes.index(e.label) for e in train], len(outcomes), Path(folder))
        words = BagOfWords(Path(folder))
    return [outcomes[int(words.logs(text).argmax())] for text in texts]


def frozen(encoder: SentenceEncoder) -> Callable[[Sequence[Example], Sequence[str]], Answers]:
    """Logistic regression on the embeddings of the encoder as it comes."""

    def answers(train: Sequence[Example], texts: Sequence[str]) -> Answers:
        model = LogisticRegression(C=10, max_iter=60, tol=1e-3).fit(
            encoder.embed([e.text for e in train]), [e.label for e in train]
        )
        return [str(answer) for answer in model.predict(encoder.embed(texts))]

    return answers


def shipped(knowledge: Knowledge, texts: Sequence[str]) -> Iterator[tuple[str, Answers]]:
    """What the shipped reader says with and without each of its voices, and what the advisor answers."""
    weights = weights_in(knowledge_files.FOLDER / "reader")
    encoder, found = SentenceEncoder(str(default_model()), weights.adapter), weights.calibration()
    heads = weights.load_heads(encoder.dim)
    statements = [(Statement(0, text),) for text in texts]
    readings: list[Reading] = []
    for name, trust in (("encoder", 0.0), ("encoder and words", found.words)):
        reader = TrainedReader(knowledge, encoder, heads, weights, trust)
        readings = [reader.read(statement) for statement in statements]
        yield f"trained: {name}", [max(r.opinion, key=lambda o: r.opinion[o]) for r in readings]
        decider = Decider(knowledge, found)
        yield f"trained: {name} and rules", [decider.decide(reading).outcome for reading in readings]
    rules = Decider(knowledge, replace(found, opinion=0.0))
    yield "trained: rules alone", [rules.decide(reading).outcome for reading in readings]
    advisor = Advisor.load()
    decisions = [advisor.advise([text]).decision for text in texts]
    yield "the advisor", [decision.outcome if decision else "clarify" for decision in decisions]


def small(knowledge: Knowledge, train: Sequence[Example], texts: Sequence[str], changed: Mapping[str, Any]) -> Answers:
    """The outcome head of a variant trained on ``train``."""
    torch.set_num_threads(2)
    chosen = replace(settings(), **{"epochs": SMALL_EPOCHS, **changed})
    table = writers()
    negations = {e.id: table[e.writer].negations for e in train}
    set_seed(chosen.seed)
    encoder = SentenceEncoder(str(default_model()))
    make = features.Rows(knowledge, encoder.tokenizer)
    heads = Heads(encoder.dim, len(make.order.criteria), len(make.order.outcomes))
    collator = features.Collator(encoder.tokenizer.pad_token_id, {}, chosen.seed)
    fit.fit(encoder.model, heads, make.texts(train, negations), collator, chosen, disable_tqdm=True)
    answers = []
    with torch.inference_mode():
        for text in texts:
            vectors = torch.from_numpy(encoder.tokens(text).vectors)
            logits = heads(vectors.unsqueeze(0), torch.ones(1, len(vectors), dtype=torch.bool))
            answers.append(make.order.outcomes[int(logits.outcome.argmax())])
    return answers


def ablate(knowledge: Knowledge, split: Mapping[str, Sequence[Example]], found: dict[str, Any]) -> None:
    """Train the small variants, and keep the table after each."""
    held = split["calibration"]
    texts = [e.text for e in held]
    train = drawn(split["train"], SMALL, seed=1)
    trials = {f"{len(train)} examples, {idea}": (train, changed) for idea, changed in IDEAS.items()}
    trials |= {f"{count} examples, all ideas": (drawn(split["train"], count, seed=1), {}) for count in (SMALL // 4, SMALL // 2)}
    found["ablations"] = {}
    for name, (some, changed) in trials.items():
        found["ablations"][name] = row(held, small(knowledge, some, texts, changed))
        keep("readers", found)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("--ablations", action="store_true", help="train the small variants (half an hour)")
    given = parser.parse_args()
    knowledge = knowledge_files.load()
    by_writer = load(knowledge.criteria)
    split = {name: selected(by_writer, name) for name in get_args(Split)}
    path = RESULTS / "readers.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found: dict[str, Any] = {name: before.get(name, {}) for name in ("test_split", "learning_curve", "ablations")}
    if given.ablations:
        ablate(knowledge, split, found)
        return
    encoder, test = SentenceEncoder(str(default_model())), split["test"]
    texts = [e.text for e in test]
    untrained, decider = PrototypeReader(knowledge, encoder, None), Decider(knowledge, Calibration())
    found["test_split"] = {
        "prototypes, nothing trained": row(
            test, [decider.decide(untrained.read((Statement(0, text),))).outcome for text in texts]
        ),
        "logistic regression on frozen embeddings": row(test, frozen(encoder)(split["train"], texts)),
        **{name: row(test, answers) for name, answers in shipped(knowledge, texts)},
    }
    found["learning_curve"] = {}
    for share in (8, 4, 2, 1):
        some = drawn(split["train"], len(split["train"]) // share, seed=1)
        by_words = row(test, bag_of_words(some, texts, tuple(knowledge.outcomes)))
        found["learning_curve"][f"bag of words, {len(some)} examples"] = by_words
    found["test_split"]["bag of words"] = by_words
    keep("readers", found)
    readme.write()


if __name__ == "__main__":
    main()
