"""The two stages of the training: everything first, then what was written against what the first stage gets wrong.

In: the labelled texts, dialogues and questions. Out: encoder, heads and words in a folder. The second stage starts from the
files of the first, with a part of its texts beside its own, so that nothing is unlearned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from transformers import set_seed

from advisor.encoder import SentenceEncoder, default_model
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.trained import Weights
from training import features, fit, manifest
from training.examples import Example, drawn, load, selected, writers
from training.talks import Asked, Talk, cases, projects, questions, questions_as_turns, talks
from training.words import fit_words


@dataclass(frozen=True, slots=True)
class Material:
    """What both stages are trained on, and the digests of the files that it was read from."""

    first: tuple[Example, ...]
    second: tuple[Example, ...]
    told: tuple[Talk, ...]
    asked: tuple[Asked, ...]
    digests: dict[str, str]


def material(knowledge: Knowledge, limit: int | None) -> Material:
    """The train split; ``limit``: only so many of each kind."""
    by_writer, table = load(knowledge.criteria), writers()
    train = selected(by_writer, "train")
    first, second = (tuple(e for e in train if table[e.writer].stage == stage) for stage in (1, 2))
    told, asked = talks("train"), questions("train")
    return Material(first[:limit], second[:limit], told[:limit], asked[:limit], manifest.digest(by_writer, "train"))


class Stages:
    """Both stages over the same material.

    ``chosen``: the settings of each; ``window``: tokens of a text; ``out``: the folder of the weights.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        given: Material,
        chosen: tuple[fit.Settings, fit.Settings],
        window: int,
        out: Path,
        quiet: bool,
    ) -> None:
        self._knowledge, self._given, self._chosen, self._window = knowledge, given, chosen, window
        self._order = features.vocabulary(knowledge)
        self._weights, self._quiet = Weights(out, self._order.criteria, self._order.outcomes), quiet

    def run(self) -> None:
        """Train both, and write everything that belongs to the reader but its calibration."""
        self.first()
        self.second()
        self.finish()

    def first(self) -> None:
        """From the published encoder and new heads."""
        chosen = self._chosen[0]
        set_seed(chosen.seed)  # before the heads, whose first weights are drawn by chance
        encoder = SentenceEncoder(str(default_model()))
        heads = Heads(encoder.dim, len(self._order.criteria), len(self._order.outcomes))
        self._fit(encoder, heads, self._given.first, chosen)

    def second(self) -> None:
        """From the weights that the first stage has written."""
        encoder, chosen = SentenceEncoder(str(default_model()), self._weights.adapter), self._chosen[1]
        again = drawn(self._given.first, round(chosen.replay * len(self._given.first)), chosen.seed)
        self._fit(encoder, self._weights.load_heads(encoder.dim), [*self._given.second, *again], chosen)

    def finish(self) -> None:
        """The words and the manifest."""
        fit_words([*self._given.first, *self._given.second], self._order.outcomes, self._weights.folder)
        manifest.write(self._weights.folder, self._order, self._chosen, self._given.digests)

    def _fit(self, encoder: SentenceEncoder, heads: Heads, texts: Sequence[Example], chosen: fit.Settings) -> None:
        """Fit to these texts and to all dialogues and questions, and write both."""
        make, given, table = features.Rows(self._knowledge, encoder.tokenizer, self._window), self._given, writers()
        rows = [
            *make.texts(texts, {e.id: table[e.writer].negations for e in texts}),
            *make.projects([project for talk in given.told for project in projects(talk)]),
            *make.turns([case for talk in given.told for case in cases(talk)]),
            *make.questions(given.asked, questions_as_turns(given.asked)),
        ]
        passages = make.passages({name: passage.text for name, passage in self._knowledge.passages.items()})
        collator = features.Collator(encoder.tokenizer.pad_token_id, passages, chosen.seed)
        fit.fit(encoder.model, heads, rows, collator, chosen, disable_tqdm=self._quiet)
        published = dict(SentenceEncoder(str(default_model())).model.named_parameters())
        save_file(fit.changes(encoder.model, published, chosen.rank), self._weights.adapter)
        save_file({key: value.half() for key, value in heads.state_dict().items()}, self._weights.heads)
