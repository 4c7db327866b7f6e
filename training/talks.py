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
from advisor.dialogue import SHORT, TELLING
from advisor.knowledge import FOLDER
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
    """Every turn in the context that its labels tell of; whether a question is open is what an answer presumes."""
    stands = decided = False
    for turn in talk.turns:
        waits = turn.act == "answer" or (stands and not decided)
        yield Case(turn.user, Context(stands, decided, waits), turn.act)
        stands = _stands(turn, stands)
        decided = stands and not ABSTENTIONS & set(turn.expect_label)


def projects(talk: Talk) -> Iterator[Example]:
    """The project after each turn that tells of it: the turns joined, with the last word on every criterion."""
    told: list[str] = []
    criteria: dict[str, Shown] = {}
    for number, turn in enumerate(talk.turns, 1):
        if turn.act == "restart":
            told, criteria = [], {}
        if turn.act in TELLING or (turn.act == "restart" and _stands(turn, False)):
            told.append(turn.user)
            criteria |= {change.id: change for change in turn.changes}
            yield Example(
                id=f"{talk.id}.{number}", text="\n".join(told), label=turn.expect_label[0], accept=turn.expect_label,
                task_queue=False, criteria=tuple(criteria.values()), pair=None, kind="plain", register="dialogue",
                technical=False,
            )  # fmt: skip


def _stands(turn: Turn, before: bool) -> bool:
    """Whether a project stands after a turn: a restart forgets it, unless it tells of the next one."""
    if turn.act == "restart":
        return len(turn.user.split()) > SHORT and not ABSTENTIONS & set(turn.expect_label)
    return before or turn.act in TELLING


def waiting(rows: Sequence[Asked]) -> list[Case]:
    """Questions on the guidance as turns, half of them with a project standing."""
    return [Case(a.question, Context(bool(n % 2), bool(n % 2), open=False), "question") for n, a in enumerate(rows)]
