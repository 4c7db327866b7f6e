"""One table of ways to read: what each idea is worth.

``python -m benchmarks.readers`` compares untrained and cheap readers with the shipped one on the test split, scored only
to report. ``--ablations`` trains small variants on part of the examples (each some minutes on two cores) and scores them
on the calibration split, which is where ideas are chosen. Both write ``results/readers.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import set_seed

from advisor import Advisor
from advisor import knowledge as knowledge_files
from advisor.decision import Decider
from advisor.encoder import SentenceEncoder, default_model
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.signals import PrototypeReader
from advisor.values import Calibration, Statement
from benchmarks import scores
from benchmarks.machine import RESULTS, keep
from benchmarks.scores import Judged
from training import features, fit
from training.__main__ import settings
from training.examples import Example, load, writers

Answers = Sequence[str]
SMALL = 2400
"""Examples an ablation is trained on; the whole set would take an hour for each."""
SMALL_EPOCHS = 3.0
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


def bag_of_words(train: Sequence[Example], texts: Sequence[str]) -> Answers:
    """TF-IDF of words and pairs of words, logistic regression."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=60, tol=1e-3).fit(
        vectorizer.fit_transform([e.text for e in train]), [e.label for e in train]
    )
    return [str(answer) for answer in model.predict(vectorizer.transform(texts))]


def frozen(encoder: SentenceEncoder) -> Callable[[Sequence[Example], Sequence[str]], Answers]:
    """Logistic regression on the embeddings of the encoder as it comes."""

    def answers(train: Sequence[Example], texts: Sequence[str]) -> Answers:
        model = LogisticRegression(C=10, max_iter=60, tol=1e-3).fit(
            encoder.embed([e.text for e in train]), [e.label for e in train]
        )
        return [str(answer) for answer in model.predict(encoder.embed(texts))]

    return answers


def advised(advisor: Advisor, texts: Sequence[str]) -> Answers:
    """What an advisor answers, abstentions included."""
    decisions = [advisor.advise([text]).decision for text in texts]
    return [decision.outcome if decision else "clarify" for decision in decisions]


def small(knowledge: Knowledge, train: Sequence[Example], texts: Sequence[str], changed: Mapping[str, float]) -> Answers:
    """The outcome head of a variant trained on ``train``."""
    torch.set_num_threads(2)
    chosen, window = settings()
    chosen = fit.Settings(**{**asdict(chosen), "epochs": SMALL_EPOCHS, **changed})
    table = writers()
    negations = {e.id: table[e.id.split("-")[0]].negations for e in train}
    set_seed(chosen.seed)
    encoder = SentenceEncoder(str(default_model()))
    make = features.Rows(knowledge, encoder.tokenizer, window)
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


def part(examples: Sequence[Example], count: int, seed: int = 1) -> list[Example]:
    """``count`` examples drawn at random, the two of a pair together."""
    order = np.random.default_rng(seed).permutation(len(examples))
    chosen: dict[str, Example] = {}
    by_pair: dict[str, list[Example]] = {}
    for e in examples:
        by_pair.setdefault(e.pair or e.id, []).append(e)
    for place in order:
        if len(chosen) >= count:
            break
        chosen.update({e.id: e for e in by_pair[examples[place].pair or examples[place].id]})
    return list(chosen.values())


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("--ablations", action="store_true", help="train the small variants (an hour)")
    given = parser.parse_args()
    knowledge, table = knowledge_files.load(), writers()
    split: dict[str, list[Example]] = {"train": [], "calibration": [], "test": []}
    for name, examples in load(knowledge.criteria).items():
        split[table[name].split] += examples
    path = RESULTS / "readers.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found: dict[str, Any] = {name: before.get(name, {}) for name in ("test_split", "learning_curve", "ablations")}
    if given.ablations:
        train, held = part(split["train"], SMALL), split["calibration"]
        texts = [e.text for e in held]
        for idea, changed in IDEAS.items():
            found["ablations"][f"{len(train)} examples, {idea}"] = row(held, small(knowledge, train, texts, changed))
            keep("readers", found)
        for count in (SMALL // 4, SMALL // 2, SMALL * 2):
            found["ablations"][f"{count} examples, all ideas"] = row(
                held, small(knowledge, part(split["train"], count), texts, {})
            )
            keep("readers", found)
        return
    encoder, test = SentenceEncoder(str(default_model())), split["test"]
    texts = [e.text for e in test]
    untrained, decider = PrototypeReader(knowledge, encoder, None), Decider(knowledge, Calibration())
    found["test_split"] = {
        "prototypes, nothing trained": row(
            test, [decider.decide(untrained.read((Statement(0, text),))).outcome for text in texts]
        ),
        "logistic regression on frozen embeddings": row(test, frozen(encoder)(split["train"], texts)),
        "bag of words": row(test, bag_of_words(split["train"], texts)),
        "the trained reader and the rules": row(test, advised(Advisor.load(), texts)),
    }
    for share in (8, 4, 2, 1):
        some = part(split["train"], len(split["train"]) // share)
        found["learning_curve"][f"bag of words, {len(some)} examples"] = row(test, bag_of_words(some, texts))
    keep("readers", found)


if __name__ == "__main__":
    main()
