"""Examples as tensors: what the reader gets to see of a text, and what it should have said.

In: examples and the encoder's tokenizer. Out: batches. Pairs stay in one batch, and texts of like length go together.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from advisor.heads import STATE_NAMES
from training.examples import Example

LABEL_SHARE = 0.7
"""Of the target distribution where several outcomes are acceptable; the others share the rest."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The order in which criteria and outcomes stand in every tensor."""

    criteria: tuple[str, ...]
    outcomes: tuple[str, ...]


def rows(
    examples: Sequence[Example], negations: Mapping[str, bool], tokenizer: Any, vocabulary: Vocabulary, window: int
) -> list[Row]:
    """One row an example. ``negations[id]`` tells whether the example's negated and deferred criteria are labelled."""
    encoded = tokenizer(
        [e.text for e in examples],
        truncation=True,
        max_length=window,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    column = {name: place for place, name in enumerate(vocabulary.criteria)}
    found = []
    for place, example in enumerate(examples):
        offsets = encoded["offset_mapping"][place]
        evidence = torch.zeros(len(offsets), len(column))
        states = torch.zeros(len(column), dtype=torch.long)
        for shown in example.criteria:
            start = example.text.index(shown.quote)
            end = start + len(shown.quote)
            inside = torch.tensor([b > start and a < end and b > a for a, b in offsets])
            evidence[inside, column[shown.id]] = 1.0
            if states[column[shown.id]] != STATE_NAMES.index("asserted"):
                states[column[shown.id]] = STATE_NAMES.index(shown.state)
        outcome = torch.zeros(len(vocabulary.outcomes))
        for name in example.accept:
            others = len(example.accept) - 1
            share = (LABEL_SHARE if others else 1.0) if name == example.label else (1 - LABEL_SHARE) / others
            outcome[vocabulary.outcomes.index(name)] = share
        found.append(
            {
                "input_ids": encoded["input_ids"][place],
                "special": encoded["special_tokens_mask"][place],
                "evidence": evidence,
                "states": states,
                "negations": negations[example.id],
                "outcome": outcome,
                "pair": example.pair,
                "length": len(offsets),
            }
        )
    return found


class Collator:
    """Pads rows to one batch of tensors; ``partner`` is the place of a row's other half in the batch, or -1."""

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def __call__(self, batch: Sequence[Row]) -> dict[str, Tensor]:
        longest = max(row["length"] for row in batch)

        def padded(values: Sequence[int], fill: int) -> list[int]:
            return [*values, *[fill] * (longest - len(values))]

        places: dict[str, list[int]] = {}
        for place, row in enumerate(batch):
            if row["pair"]:
                places.setdefault(row["pair"], []).append(place)
        partner = [-1] * len(batch)
        for two in places.values():
            if len(two) == 2:
                partner[two[0]], partner[two[1]] = two[1], two[0]
        return {
            "input_ids": torch.tensor([padded(row["input_ids"], self._pad) for row in batch]),
            "attention_mask": torch.tensor([padded([1] * row["length"], 0) for row in batch]),
            "mask": torch.tensor([padded([1 - s for s in row["special"]], 0) for row in batch]).bool(),
            "evidence": torch.nn.utils.rnn.pad_sequence([row["evidence"] for row in batch], batch_first=True),
            "states": torch.stack([row["states"] for row in batch]),
            "negations": torch.tensor([row["negations"] for row in batch]),
            "outcome": torch.stack([row["outcome"] for row in batch]),
            "partner": torch.tensor(partner),
        }


class PairSampler(torch.utils.data.Sampler[int]):
    """An order of places for every epoch: shuffled, like lengths together, the two of a pair one after the other."""

    def __init__(self, rows: Sequence[Row], batch: int, seed: int) -> None:
        units: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            units.setdefault(row["pair"] or f"single {place}", []).append(place)
        self._units = list(units.values())
        self._length = [max(rows[place]["length"] for place in unit) for unit in self._units]
        self._count, self._batch, self._seed, self._epoch = len(rows), batch, seed, 0

    def __len__(self) -> int:
        return self._count

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch; the same seed and epoch give the same order."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed} {self._epoch}")
        order = sorted(range(len(self._units)), key=lambda _: chance.random())
        chunk = self._batch * 16
        batches: list[list[int]] = []
        for start in range(0, len(order), chunk):
            now: list[int] = []
            for unit in sorted(order[start : start + chunk], key=lambda u: self._length[u]):
                now += self._units[unit]
                while len(now) >= self._batch:
                    batches.append(now[: self._batch])
                    now = now[self._batch :]
            if now:
                batches.append(now)
        full = [b for b in batches if len(b) == self._batch]
        rest = [place for b in batches if len(b) < self._batch for place in b]
        chance.shuffle(full)
        yield from (place for b in full for place in b)
        yield from rest
