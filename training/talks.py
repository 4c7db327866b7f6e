"""Reads and checks the labelled dialogues and questions.

In: ``knowledge/dialogues``. Out: checked records by split, the turns in the context in which they are said, and the project
as its teller has it after each turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from advisor.acts import Context
from advisor.dialogue import TELLING
from advisor.knowledge import FOLDER
from advisor.options import SHORT
from advisor.values import ABSTENTIONS, Act, OutcomeId
from training.examples import Example, Shown, Split, lines

DIALOGUES = FOLDER / "dialogues"


class Turn(BaseModel):
    """A user turn with what it does, what stands after it, and what a good reply says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    act: Act
    expect_label: tuple[OutcomeId, ...] = Field(min_length=1)
    changes: tuple[Shown, ...]
    about: tuple[OutcomeId, ...]
    asked: str | None
    must_mention: tuple[str | tuple[str, ...], ...]
    must_not_mention: tuple[str, ...]


class Talk(BaseModel):
    """A conversation, the user's side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    turns: tuple[Turn, ...] = Field(min_length=1)


class Asked(BaseModel):
    """A question on the guidance with the passages that answer it, best first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str
    passages: tuple[str, ...]
    must_mention: tuple[str | tuple[str, ...], ...]
    unanswerable: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A project told in ``turns``; the example's text joins them with line breaks.

    ``since``: where in that text the turn begins that shows each of the example's criteria.
    """

    turns: tuple[str, ...]
    example: Example
    since: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A turn in its context, with the act it is."""

    turn: str
    context: Context
    act: Act


def talks(split: Split, folder: Path = DIALOGUES) -> tuple[Talk, ...]:
    """The dialogues of a split; raises ``KnowledgeError`` with every problem."""
    return tuple(row for _, row in lines(folder / f"{split}_dialogues.jsonl", Talk))


def questions(split: Split, folder: Path = DIALOGUES) -> tuple[Asked, ...]:
    """The questions of a split; raises ``KnowledgeError`` with every problem."""
    return tuple(row for _, row in lines(folder / f"{split}_questions.jsonl", Asked))


def cases(talk: Talk) -> Iterator[Case]:
    """Every turn in the contexts that its labels tell of."""
    stands = decided = False
    for turn in talk.turns:
        yield from in_contexts(turn.user, turn.act, stands, decided)
        stands = _stands(turn, stands)
        decided = stands and not ABSTENTIONS & set(turn.expect_label)


def in_contexts(turn: str, act: Act, stands: bool, decided: bool) -> Iterator[Case]:
    """A turn that may come while a question waits or not is heard both ways; an answer is one only where a question waits."""
    for waits in (True,) if act == "answer" else (False, True) if stands else (False,):
        yield Case(turn, Context(stands, decided, waits), act)


def projects(talk: Talk) -> Iterator[Project]:
    """The project after each turn that tells of it, with the last word on every criterion."""
    told: list[str] = []
    criteria: dict[str, tuple[Shown, int]] = {}
    for number, turn in enumerate(talk.turns, 1):
        if turn.act == "restart":
            told, criteria = [], {}
        if turn.act in TELLING or (turn.act == "restart" and _stands(turn, False)):
            start = sum(len(text) + 1 for text in told)
            told.append(turn.user)
            criteria |= {change.id: (change, start) for change in turn.changes}
            shown, since = zip(*criteria.values(), strict=True) if criteria else ((), ())
            example = Example(
                id=f"{talk.id}.{number}", text="\n".join(told), label=turn.expect_label[0], accept=turn.expect_label,
                task_queue=False, criteria=shown, pair=None, kind="plain", register="dialogue", technical=False,
            )  # fmt: skip
            yield Project(tuple(told), example, since)


def _stands(turn: Turn, before: bool) -> bool:
    """Whether a project stands after a turn: a restart forgets it, unless it tells of the next one."""
    if turn.act == "restart":
        return len(turn.user.split()) > SHORT and not ABSTENTIONS & set(turn.expect_label)
    return before or turn.act in TELLING


def questions_as_turns(asked: Sequence[Asked]) -> list[Case]:
    """Questions on the guidance as turns, in each context in turn."""
    contexts = [Context(False, False, False), Context(True, True, False), Context(True, True, True), Context(True, False, True)]
    return [Case(a.question, contexts[n % len(contexts)], "question") for n, a in enumerate(asked)]
