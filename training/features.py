"""Labelled texts, turns and questions as tensors: what the model gets to see, and what it should have said.

In: examples, cases, questions and the encoder's tokenizer. Out: batches of one kind each. Pairs stay in one batch, and texts
of like length go together.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from advisor.acts import ActReader, Context, flags, named
from advisor.heads import STATE_NAMES
from advisor.knowledge import Knowledge
from advisor.values import ACTS
from training.examples import Example
from training.talks import Asked, Case

LABEL_SHARE = 0.7
"""Of the target distribution where several outcomes are acceptable; the others share the rest."""

NO_ACT = -100
"""In place of an act where a text is none: the loss leaves it out."""
KINDS: tuple[Literal["text", "turn", "question"], ...] = ("text", "turn", "question")

Row = dict[str, Any]
FIRST = Context(stands=False, decided=False, open=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The order in which criteria and outcomes stand in every tensor."""

    criteria: tuple[str, ...]
    outcomes: tuple[str, ...]


class Rows:
    """Makes one row of every labelled text. Texts are cut at ``window`` tokens."""

    def __init__(self, knowledge: Knowledge, tokenizer: Any, window: int) -> None:
        self.order = Vocabulary(tuple(knowledge.criteria), tuple(knowledge.outcomes))
        self._column = {name: place for place, name in enumerate(self.order.criteria)}
        self._names = ActReader.names(knowledge)
        self._tokenizer, self._window = tokenizer, window

    def texts(self, examples: Sequence[Example], negations: Mapping[str, bool] | None = None) -> list[Row]:
        """Descriptions. ``negations[id]``: whether an example's negated and deferred criteria are labelled (None: all are)."""
        found = self._encoded([e.text for e in examples])
        for row, example in zip(found, examples, strict=True):
            offsets = row.pop("offsets")
            evidence = torch.zeros(len(offsets), len(self._column))
            states = torch.zeros(len(self._column), dtype=torch.long)
            for shown in example.criteria:
                start = example.text.index(shown.quote)
                end = start + len(shown.quote)
                inside = torch.tensor([b > start and a < end and b > a for a, b in offsets])
                evidence[inside, self._column[shown.id]] = 1.0
                if states[self._column[shown.id]] != STATE_NAMES.index("asserted"):
                    states[self._column[shown.id]] = STATE_NAMES.index(shown.state)
            act = NO_ACT if example.manner == "dialogue" else ACTS.index(_first_act(example))
            row |= {
                "kind": "text",
                "evidence": evidence,
                "states": states,
                "negations": negations is None or negations[example.id],
                "outcome": self._outcome(example),
                "pair": example.pair,
                "flags": self._flags(example.text, FIRST),
                "act": act,
            }
        return found

    def turns(self, cases: Sequence[Case]) -> list[Row]:
        """Turns in their contexts."""
        found = self._encoded([case.turn for case in cases])
        for row, case in zip(found, cases, strict=True):
            del row["offsets"]
            row |= {"kind": "turn", "flags": self._flags(case.turn, case.context), "act": ACTS.index(case.act), "pair": None}
        return found

    def questions(self, asked: Sequence[Asked], cases: Sequence[Case]) -> list[Row]:
        """Questions on the guidance, also as the turns that they are."""
        found = self.turns(cases)
        for row, question in zip(found, asked, strict=True):
            row |= {"kind": "question", "passages": question.passages, "covered": not question.unanswerable}
        return found

    def passages(self, texts: Mapping[str, str]) -> dict[str, Row]:
        """Passages by id."""
        return dict(zip(texts, self._encoded(list(texts.values())), strict=True))

    def _encoded(self, texts: Sequence[str]) -> list[Row]:
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._window,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        return [
            {"input_ids": ids, "special": special, "offsets": offsets, "length": len(ids)}
            for ids, special, offsets in zip(
                encoded["input_ids"], encoded["special_tokens_mask"], encoded["offset_mapping"], strict=True
            )
        ]

    def _outcome(self, example: Example) -> Tensor:
        outcome = torch.zeros(len(self.order.outcomes))
        for name in example.accept:
            others = len(example.accept) - 1
            share = (LABEL_SHARE if others else 1.0) if name == example.label else (1 - LABEL_SHARE) / others
            outcome[self.order.outcomes.index(name)] = share
        return outcome

    def _flags(self, turn: str, context: Context) -> Tensor:
        return torch.from_numpy(flags(turn, context, named(turn, self._names)))


def _first_act(example: Example) -> Literal["describe", "off_topic"]:
    """What a first turn of this text is."""
    return "off_topic" if example.label == "off_topic" else "describe"


class Collator:
    """Pads rows of one kind to a batch of tensors.

    Texts carry ``partner``: the place of a row's other half in the batch, or -1. Questions carry passages beside them, one that
    answers each covered question, and ``answers``: true where a passage of the batch answers a question of it.
    """

    def __init__(self, pad: int, passages: Mapping[str, Row], seed: int) -> None:
        self._pad, self._passages, self._chance = pad, passages, random.Random(seed)

    def __call__(self, batch: Sequence[Row]) -> dict[str, Tensor]:
        found = self._padded(batch)
        found |= {"flags": torch.stack([row["flags"] for row in batch]), "act": torch.tensor([row["act"] for row in batch])}
        kind = batch[0]["kind"]
        if kind == "text":
            found |= {
                "evidence": torch.nn.utils.rnn.pad_sequence([row["evidence"] for row in batch], batch_first=True),
                "states": torch.stack([row["states"] for row in batch]),
                "negations": torch.tensor([row["negations"] for row in batch]),
                "outcome": torch.stack([row["outcome"] for row in batch]),
                "partner": torch.tensor(_partners(batch)),
            }
        elif kind == "question":
            shown = list(dict.fromkeys(self._chance.choice(row["passages"][:2]) for row in batch if row["covered"]))
            found["covered"] = torch.tensor([float(row["covered"]) for row in batch])
            if shown:
                found["answers"] = torch.tensor([[name in row["passages"] for name in shown] for row in batch])
                found |= {f"passage_{key}": value for key, value in self._padded([self._passages[n] for n in shown]).items()}
        return found

    def _padded(self, batch: Sequence[Row]) -> dict[str, Tensor]:
        longest = max(row["length"] for row in batch)

        def padded(values: Sequence[int], fill: int) -> list[int]:
            return [*values, *[fill] * (longest - len(values))]

        return {
            "input_ids": torch.tensor([padded(row["input_ids"], self._pad) for row in batch]),
            "attention_mask": torch.tensor([padded([1] * row["length"], 0) for row in batch]),
            "mask": torch.tensor([padded([1 - s for s in row["special"]], 0) for row in batch]).bool(),
        }


def _partners(batch: Sequence[Row]) -> list[int]:
    places: dict[str, list[int]] = {}
    for place, row in enumerate(batch):
        if row["pair"]:
            places.setdefault(row["pair"], []).append(place)
    partner = [-1] * len(batch)
    for two in places.values():
        if len(two) == 2:
            partner[two[0]], partner[two[1]] = two[1], two[0]
    return partner


class BatchSampler(torch.utils.data.Sampler[int]):
    """An order of places for every epoch, in which each run of ``batch`` places is of one kind.

    Shuffled, like lengths together, the two of a pair one after the other. What does not fill a batch waits for the next epoch.
    """

    def __init__(self, rows: Sequence[Row], batch: int, seed: int) -> None:
        self._rows, self._batch, self._seed, self._epoch = rows, batch, seed, 0
        self._kinds = [[place for place, row in enumerate(rows) if row["kind"] == kind] for kind in KINDS]

    def __len__(self) -> int:
        return sum(len(places) // self._batch * self._batch for places in self._kinds)

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch; the same seed and epoch give the same order."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed} {self._epoch}")
        batches = [batch for places in self._kinds for batch in self._batches(places, chance)]
        chance.shuffle(batches)
        yield from (place for batch in batches for place in batch)

    def _batches(self, places: Sequence[int], chance: random.Random) -> Iterator[list[int]]:
        """Full batches of one kind."""
        units: dict[str, list[int]] = {}
        for place in places:
            units.setdefault(self._rows[place]["pair"] or f"single {place}", []).append(place)
        order = list(units.values())
        chance.shuffle(order)
        rest: list[int] = []
        for start in range(0, len(order), self._batch * 16):
            now: list[int] = []
            chunk = order[start : start + self._batch * 16]
            for unit in sorted(chunk, key=lambda unit: max(self._rows[place]["length"] for place in unit)):
                now += unit
                if len(now) >= self._batch:
                    yield now[: self._batch]
                    now = now[self._batch :]
            rest += now
        for start in range(0, len(rest) - self._batch + 1, self._batch):
            yield rest[start : start + self._batch]
