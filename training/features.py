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

from advisor.acts import Context, Names, flags
from advisor.encoder import WINDOW
from advisor.heads import STATE_NAMES
from advisor.knowledge import Knowledge
from advisor.values import ACTS
from training.examples import Example
from training.talks import Asked, Case, Project

LABEL_SHARE = 0.7
"""Of the target distribution where several outcomes are acceptable; the others share the rest."""

NO_ACT = -100
"""In place of an act where a text is none: the loss leaves it out."""

Row = dict[str, Any]
FIRST = Context(stands=False, decided=False, open=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The order in which criteria and outcomes stand in every tensor."""

    criteria: tuple[str, ...]
    outcomes: tuple[str, ...]


def vocabulary(knowledge: Knowledge) -> Vocabulary:
    """The order of the knowledge's files."""
    return Vocabulary(tuple(knowledge.criteria), tuple(knowledge.outcomes))


class Rows:
    """Makes one row of every labelled text, cut at the encoder's window: 1 in 200 examples is longer."""

    def __init__(self, knowledge: Knowledge, tokenizer: Any) -> None:
        self.order = vocabulary(knowledge)
        self._column = {name: place for place, name in enumerate(self.order.criteria)}
        self._names = Names(knowledge)
        self._tokenizer = tokenizer

    def texts(self, examples: Sequence[Example], negations: Mapping[str, bool]) -> list[Row]:
        """Descriptions. ``negations[id]``: whether an example's negated and deferred criteria are labelled."""
        return self._labelled([Project((e.text,), e, (0,) * len(e.criteria)) for e in examples], negations)

    def projects(self, projects: Sequence[Project]) -> list[Row]:
        """Projects told in several turns, each read by itself as the reader reads it; a row is cut like a text."""
        return self._labelled(projects, {project.example.id: True for project in projects})

    def _labelled(self, projects: Sequence[Project], negations: Mapping[str, bool]) -> list[Row]:
        found = self._joined([project.turns for project in projects])
        for row, project in zip(found, projects, strict=True):
            example, offsets = project.example, row.pop("offsets")
            evidence = torch.zeros(len(offsets), len(self._column))
            states = torch.zeros(len(self._column), dtype=torch.long)
            for shown, since in zip(example.criteria, project.since, strict=True):
                start = example.text.index(shown.quote, since)
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
                "negations": negations[example.id],
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
            max_length=WINDOW,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        return [
            {
                "input_ids": ids, "special": special, "offsets": offsets, "length": len(ids),
                "positions": list(range(len(ids))), "parts": [0] * len(ids),
            }
            for ids, special, offsets in zip(
                encoded["input_ids"], encoded["special_tokens_mask"], encoded["offset_mapping"], strict=True
            )
        ]  # fmt: skip

    def _joined(self, texts: Sequence[Sequence[str]]) -> list[Row]:
        """One row for all turns of a text, joined by line breaks; no turn sees another one's tokens (``parts``)."""
        encoded = iter(self._encoded([turn for turns in texts for turn in turns]))
        found = []
        for turns in texts:
            row: Row = {key: [] for key in ("input_ids", "special", "offsets", "positions", "parts")}
            since = 0
            for number, turn in enumerate(turns):
                own = next(encoded)
                own["offsets"] = [(a + since, b + since) for a, b in own["offsets"]]
                own["parts"] = [number] * own["length"]
                row = {key: (values + own[key])[:WINDOW] for key, values in row.items()}
                since += len(turn) + 1
            found.append(row | {"length": len(row["input_ids"])})
        return found

    def _outcome(self, example: Example) -> Tensor:
        outcome = torch.zeros(len(self.order.outcomes))
        for name in example.accept:
            others = len(example.accept) - 1
            share = (LABEL_SHARE if others else 1.0) if name == example.label else (1 - LABEL_SHARE) / others
            outcome[self.order.outcomes.index(name)] = share
        return outcome

    def _flags(self, turn: str, context: Context) -> Tensor:
        return torch.from_numpy(flags(turn, context, len(self._names.of(turn))))


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

        parts = torch.tensor([padded(row["parts"], -1) for row in batch])
        return {
            "input_ids": torch.tensor([padded(row["input_ids"], self._pad) for row in batch]),
            "position_ids": torch.tensor([padded(row["positions"], 0) for row in batch]),
            "attention_mask": (parts.unsqueeze(1) == parts.unsqueeze(2)).unsqueeze(1),
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

    Shuffled, like lengths together; pairs are batched with pairs, so that none is parted. What does not fill a batch waits for
    the next epoch.
    """

    def __init__(self, rows: Sequence[Row], batch: int, seed: int) -> None:
        """Raises ``ValueError`` where ``batch`` is odd."""
        if batch % 2:
            raise ValueError(f"a batch of {batch} would part pairs: give an even number")
        self._rows, self._batch, self._seed, self._epoch = rows, batch, seed, 0
        units: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            units.setdefault(row["pair"] or f"single {place}", []).append(place)
        groups: dict[tuple[str, int], list[list[int]]] = {}
        for unit in units.values():
            groups.setdefault((rows[unit[0]]["kind"], len(unit)), []).append(unit)
        self._groups = list(groups.values())

    def __len__(self) -> int:
        return sum(len(units) * len(units[0]) // self._batch * self._batch for units in self._groups)

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch; the same seed and epoch give the same order."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed} {self._epoch}")
        batches = [batch for units in self._groups for batch in self._batches(units, chance)]
        chance.shuffle(batches)
        yield from (place for batch in batches for place in batch)

    def _batches(self, units: Sequence[list[int]], chance: random.Random) -> Iterator[list[int]]:
        """Full batches of one group: all of its units have the same number of rows."""
        order = list(units)
        chance.shuffle(order)
        count = self._batch // len(order[0])
        for start in range(0, len(order) - count + 1, count * 16):
            near = sorted(order[start : start + count * 16], key=lambda unit: max(self._rows[p]["length"] for p in unit))
            yield from (_places(near[at : at + count]) for at in range(0, len(near) - count + 1, count))


def _places(units: Sequence[Sequence[int]]) -> list[int]:
    return [place for unit in units for place in unit]
