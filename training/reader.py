"""The reader from its examples: what it is trained on, and the files that come of it.

In: the labelled texts, dialogues and questions of the train split. Out: encoder, heads, words and manifest in a folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from transformers import set_seed

from advisor.encoder import SentenceEncoder, default_model
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.trained import Weights
from training import features, fit, manifest
from training.examples import Example, load, selected, writers
from training.talks import Asked, Talk, cases, projects, questions, questions_as_turns, talks
from training.words import fit_words


@dataclass(frozen=True, slots=True)
class Material:
    """What the reader is trained on, and the digests of the files that it was read from."""

    texts: tuple[Example, ...]
    told: tuple[Talk, ...]
    asked: tuple[Asked, ...]
    digests: dict[str, str]


def material(knowledge: Knowledge, limit: int | None) -> Material:
    """The train split; ``limit``: only so many of each kind."""
    by_writer = load(knowledge.criteria)
    texts, told, asked = selected(by_writer, "train"), talks("train"), questions("train")
    return Material(texts[:limit], told[:limit], asked[:limit], manifest.digest(by_writer, "train"))


def train(knowledge: Knowledge, given: Material, chosen: fit.Settings, out: Path, quiet: bool) -> None:
    """Write everything that belongs to the reader but its calibration."""
    set_seed(chosen.seed)  # before the heads, whose first weights are drawn by chance
    order, encoder = features.vocabulary(knowledge), SentenceEncoder(str(default_model()))
    heads, weights = Heads(encoder.dim, len(order.criteria), len(order.outcomes)), Weights(out, order.criteria, order.outcomes)
    make, table = features.Rows(knowledge, encoder.tokenizer), writers()
    rows = [
        *make.texts(given.texts, {e.id: table[e.writer].negations for e in given.texts}),
        *make.projects([project for talk in given.told for project in projects(talk)]),
        *make.turns([case for talk in given.told for case in cases(talk)]),
        *make.questions(given.asked, questions_as_turns(given.asked)),
    ]
    passages = make.passages({name: passage.text for name, passage in knowledge.passages.items()})
    collator = features.Collator(encoder.tokenizer.pad_token_id, passages, chosen.seed)
    fit.fit(encoder.model, heads, rows, collator, chosen, disable_tqdm=quiet)
    published = dict(SentenceEncoder(str(default_model())).model.named_parameters())
    save_file(fit.changes(encoder.model, published, chosen.rank), weights.adapter)
    save_file({key: value.half() for key, value in heads.state_dict().items()}, weights.heads)
    labels = [order.outcomes.index(e.label) for e in given.texts]
    fit_words([e.text for e in given.texts], labels, len(order.outcomes), out)
    manifest.write(out, order, chosen, given.digests)
