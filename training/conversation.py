"""Fits what a conversation needs beside the reader: the acts of turns, and the search over passages.

In: dialogues and questions of ``knowledge/dialogues``, the encoders. Out: small files in ``knowledge/conversation``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.numpy import save_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from advisor.acts import ActReader, Context, flags, terms
from advisor.decision import Decider
from advisor.dialogue import Dialogue, Read
from advisor.encoder import Encoder, SentenceEncoder, default_model
from advisor.errors import KnowledgeError
from advisor.knowledge import FOLDER, Knowledge
from advisor.retrieval import Searcher
from advisor.standing import FLOOR, parts
from advisor.trained import TrainedReader, weights_in
from advisor.values import ABSTENTIONS, ACTS, Act, Blend, Calibration, Heard, OutcomeId, Standing, State, Step
from training.examples import Example

T = TypeVar("T", bound=BaseModel)

BLENDED = ("refine", "retract", "answer")
"""Acts whose turns change a project that stands."""
FEW = 20
"""Turns of an act below which nothing is fitted to them."""
DIALOGUES = FOLDER / "dialogues"
SEEN = 3
"""A word or pair of words counts from this many turns on."""
DESCRIPTIONS = 1500
"""Descriptions of the examples that join the turns, so that a first turn is known for what it is."""


class Change(BaseModel):
    """What a turn says about a criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    state: State
    quote: str


class Turn(BaseModel):
    """A user turn with what it does, what stands after it, and what a good reply says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    act: Act
    expect_label: tuple[OutcomeId, ...] = Field(min_length=1)
    changes: tuple[Change, ...]
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


def talks(split: str, folder: Path = DIALOGUES) -> tuple[Talk, ...]:
    """The dialogues of a split; raises ``KnowledgeError`` with every problem."""
    return tuple(_read(folder / f"{split}_dialogues.jsonl", Talk))


def questions(split: str, folder: Path = DIALOGUES) -> tuple[Asked, ...]:
    """The questions of a split; raises ``KnowledgeError`` with every problem."""
    return tuple(_read(folder / f"{split}_questions.jsonl", Asked))


def _read(path: Path, model: type[T]) -> list[T]:
    rows, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                rows.append(model.model_validate_json(line))
            except ValidationError as error:
                problems += [f"{path}:{number}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if problems:
        raise KnowledgeError(problems)
    return rows


@dataclass(frozen=True, slots=True)
class Case:
    """A turn in its context, with the act it is."""

    turn: str
    context: Context
    act: Act


def replay(
    knowledge: Knowledge, read: Read, decider: Decider, blends: Mapping[str, Blend], dialogues: Sequence[Talk]
) -> Iterator[tuple[Turn, Step]]:
    """Every turn, taken in its labelled act, on the project as the advisor itself has it by then."""
    for talk in dialogues:
        standing = Standing()
        for number, turn in enumerate(talk.turns):
            heard = Heard(turn.act, (), 1.0)
            dialogue = Dialogue(knowledge, read, decider.decide, lambda _turn, _context, heard=heard: heard, blends)  # type: ignore[misc]
            step = dialogue.step(standing, number, turn.user)
            yield turn, step
            standing = step.after


def cases(steps: Iterable[tuple[Turn, Step]]) -> Iterator[Case]:
    """Every turn in the context in which the advisor hears it; an answer that no question waits for adds to the project."""
    for turn, step in steps:
        before = step.before
        decided = before.decision is not None and before.decision.outcome not in ABSTENTIONS
        waits = before.open is not None
        act: Act = "refine" if turn.act == "answer" and not waits else turn.act
        yield Case(turn.user, Context(bool(before.statements), decided, waits), act)


def fit_acts(knowledge: Knowledge, encoder: Encoder, rows: Sequence[Case], folder: Path) -> None:
    """Write ``acts.safetensors`` and ``acts.json``: a logistic regression over vector, words and context."""
    counts = Counter(term for row in rows for term in set(terms(row.turn)))
    vocabulary = sorted(term for term, count in counts.items() if count >= SEEN)
    column = {term: place for place, term in enumerate(vocabulary)}
    names = ActReader.names(knowledge)
    words = np.zeros((len(rows), len(vocabulary)), dtype=np.float32)
    for place, row in enumerate(rows):
        for term in set(terms(row.turn)):
            if term in column:
                words[place, column[term]] = 1.0
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].turn))  # like lengths together: less padding
    vectors = np.empty((len(rows), encoder.dim), dtype=np.float32)
    vectors[order] = encoder.embed([rows[place].turn for place in order])
    context = np.stack([flags(r.turn, r.context, sum(bool(p.search(r.turn)) for _, p in names)) for r in rows])
    joined = np.concatenate([3 * vectors, 0.7 * words, context], axis=1)
    model = LogisticRegression(C=3.0, max_iter=600, class_weight="balanced").fit(joined, [ACTS.index(r.act) for r in rows])
    weights = np.zeros((joined.shape[1], len(ACTS)), dtype=np.float32)
    bias = np.full(len(ACTS), -20.0, dtype=np.float32)
    weights[:, model.classes_] = model.coef_.T
    bias[model.classes_] = model.intercept_
    dim, end = vectors.shape[1], vectors.shape[1] + len(vocabulary)
    save_file(
        {
            "vector": (3 * weights[:dim]).astype(np.float16),
            "words": (0.7 * weights[dim:end]).astype(np.float16),
            "context": weights[end:].astype(np.float16),
            "bias": bias.astype(np.float16),
        },
        folder / "acts.safetensors",
    )
    (folder / "acts.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")


def fit_search(knowledge: Knowledge, encoder: SentenceEncoder, asked: Sequence[Asked], folder: Path) -> None:
    """Write ``questions.safetensors`` and ``questions.json``: how people ask for each passage, and when nothing covers it.

    Coverage is fitted on scores that each question gets from an index without itself.
    """
    vectors = encoder.embed([a.question for a in asked])
    open_rows = [n for n, a in enumerate(asked) if a.unanswerable]
    pairs = [(n, passage) for n, a in enumerate(asked) for passage in a.passages[:2]]

    def write(kept: Sequence[int], weights: Mapping[str, np.ndarray]) -> None:
        inside = set(kept)
        rows = [(n, p) for n, p in pairs if n in inside]
        (folder / "questions.json").write_text(
            json.dumps([{"passage": p, "question": asked[n].question} for n, p in rows], ensure_ascii=False, indent=0) + "\n",
            encoding="utf-8",
        )
        save_file(
            {
                "asked": vectors[[n for n, _ in rows]].astype(np.float16),
                "uncovered": vectors[[n for n in open_rows if n in inside]].astype(np.float16),
                **weights,
            },
            folder / "questions.safetensors",
        )

    width = 7 + vectors.shape[1]
    blank = {"weights": np.zeros(width, dtype=np.float32)}
    told = np.zeros((len(asked), width), dtype=np.float32)
    folds = 5
    for fold in range(folds):
        write([n for n in range(len(asked)) if n % folds != fold], blank)
        searcher = Searcher(knowledge, encoder, folder, None)
        for n in range(fold, len(asked), folds):
            told[n] = searcher.features(asked[n].question)[1]
    model = LogisticRegression(C=0.3, max_iter=2000, fit_intercept=False, class_weight="balanced")
    model.fit(told, [not a.unanswerable for a in asked])
    write(range(len(asked)), {"weights": model.coef_[0].astype(np.float32)})


def described(examples: Sequence[Example]) -> list[Case]:
    """First turns from the labelled examples: descriptions, and what is off topic."""
    first = Context(stands=False, decided=False, open=False)
    step = max(1, len(examples) // DESCRIPTIONS)
    return [Case(e.text, first, "off_topic" if e.label == "off_topic" else "describe") for e in examples[::step]]


def asked_cases(asked: Sequence[Asked]) -> list[Case]:
    """Questions on the guidance as turns, half of them with a project standing."""
    return [
        Case(a.question, Context(stands=bool(n % 2), decided=bool(n % 2), open=False), "question") for n, a in enumerate(asked)
    ]


def fit_blends(
    knowledge: Knowledge, read: Read, calibration: Calibration, dialogues: Sequence[Talk], folder: Path
) -> dict[str, Blend]:
    """Write ``blends.json``: for each act that changes a project, what counts for the opinion after it.

    Two rounds, because what stood before depends on the blends.
    """
    decider = Decider(knowledge, calibration)
    found: dict[str, Blend] = {}
    for _ in range(2):
        seen: dict[str, list[_Voices]] = {act: [] for act in BLENDED}
        for turn, step in replay(knowledge, read, decider, found, dialogues):
            before = step.before
            if turn.act in seen and before.statements and before.decision:
                statements = step.after.statements
                joint, alone = read(statements).opinion, read(statements[-1:]).opinion
                names, logs = parts(joint, alone, before.decision.scores)
                by_rules = decider.by_rules({n: s.asserted for n, s in step.after.reading.signals.items()})
                rules = calibration.rules * np.log(np.maximum([by_rules[name] for name in names], FLOOR))
                seen[turn.act].append(_Voices(np.array(logs), rules, np.array([n in turn.expect_label for n in names])))
        found = {act: _best_blend(rows, calibration.opinion) if len(rows) >= FEW else Blend() for act, rows in seen.items()}
        found |= dict.fromkeys(("what_if", "describe"), found["refine"])
    (folder / "blends.json").write_text(
        json.dumps({act: asdict(weights) for act, weights in found.items()}, indent=1) + "\n", encoding="utf-8"
    )
    return found


@dataclass(frozen=True, slots=True)
class _Voices:
    """Logarithms of the three distributions (outcomes, 3), the rules' part of the score, and what is acceptable."""

    logs: np.ndarray
    rules: np.ndarray
    accepted: np.ndarray


def _best_blend(turns: Sequence[_Voices], opinion: float) -> Blend:
    logs, rules = np.stack([t.logs for t in turns]), np.stack([t.rules for t in turns])
    accepted = np.stack([t.accepted for t in turns])

    def loss(weights: np.ndarray) -> float:
        scores = rules + opinion * (logs @ weights)
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        return float(-np.log(np.maximum((shares * accepted).sum(1), 1e-9)).mean())

    best = minimize(loss, x0=np.array([0.5, 0.5, 0.1]), method="L-BFGS-B", bounds=[(0.0, 2.0)] * 3).x
    return Blend(*(round(float(weight), 3) for weight in best))


def rebuild(knowledge: Knowledge, reader: Path, examples: Sequence[Example], out: Path, limit: int | None = None) -> None:
    """Fit everything anew from ``knowledge/dialogues`` and the reader's weights, and write it into ``out``.

    ``limit``: only so many dialogues and questions, to see that it works.
    """
    weights = weights_in(reader)
    adapted, plain = SentenceEncoder(str(default_model()), weights.adapter), SentenceEncoder(str(default_model()))
    told, asked = talks("train")[:limit], questions("train")[:limit]
    calibration = weights.calibration()
    read = lru_cache(maxsize=None)(TrainedReader(knowledge, adapted, weights).read)
    blends = fit_blends(knowledge, read, calibration, told, out)
    heard = cases(replay(knowledge, read, Decider(knowledge, calibration), blends, told))
    fit_acts(knowledge, adapted, [*heard, *described(examples), *asked_cases(asked)], out)
    fit_search(knowledge, plain, asked, out)
