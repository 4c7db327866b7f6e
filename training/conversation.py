"""Fits what a conversation needs beside the trained heads: acts, the blends of opinions, and the search over passages.

In: dialogues and questions of ``knowledge/dialogues``, the trained reader. Out: small files in ``knowledge/conversation``. What
is fitted here is fitted on the calibration split, which the encoder has not seen; the acts on the train split too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from advisor.acts import Context, Names, flags, told
from advisor.decision import Decider
from advisor.dialogue import Dialogue, Read
from advisor.encoder import SentenceEncoder, default_model
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.retrieval import TOLD, Searcher
from advisor.standing import parts
from advisor.trained import TrainedReader, weights_in
from advisor.values import ACTS, FLOOR, Act, Blend, Calibration, Heard, Standing, Step
from training.examples import Example
from training.talks import Asked, Case, Talk, Turn, in_contexts, questions, questions_as_turns, talks
from training.words import fit_words, over_all_classes

BLENDED = ("refine", "retract", "answer")
"""Acts whose turns change a project that stands."""
DESCRIPTIONS = 1500
"""Descriptions of the examples that join the turns, so that a first turn is known for what it is."""
REGULARITY = 1.0
"""Inverse strength of the regularisation of the acts; 0.3, 1 and 3 differ by less than a point on the calibration split."""
COVERAGE_REGULARITY = 30.0
"""The same for coverage: in five-fold trials on the calibration split 30 kept 0.958 of the covered questions and refused 0.946
of the others, 0.3 kept 0.952 and refused 0.911 (2026-11-26)."""
FEW = 20
"""Turns of an act below which nothing is fitted to them."""


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


def heard(steps: Iterable[tuple[Turn, Step]]) -> Iterator[Case]:
    """Every turn in the contexts in which the advisor hears it; an answer that no question waits for adds to the project."""
    for turn, step in steps:
        act: Act = "refine" if turn.act == "answer" and step.before.open is None else turn.act
        yield from in_contexts(turn.user, act, bool(step.before.statements), step.before.recommended is not None)


def fit_acts(knowledge: Knowledge, encoder: SentenceEncoder, rows: Sequence[Case], folder: Path) -> None:
    """Write ``acts.safetensors``: a logistic regression over vector and context."""
    texts = list(dict.fromkeys(row.turn for row in rows))
    texts.sort(key=len)  # like lengths together: less padding
    vectors = dict(zip(texts, encoder.embed(texts), strict=True))
    names = Names(knowledge)

    def seen(row: Case) -> np.ndarray:
        return told(vectors[row.turn], flags(row.turn, row.context, len(names.of(row.turn))))

    model = LogisticRegression(C=REGULARITY, max_iter=2000, class_weight="balanced")
    model.fit(np.stack([seen(row) for row in rows]), [ACTS.index(row.act) for row in rows])
    weights, bias = over_all_classes(model, len(ACTS))
    save_file({"weights": weights.astype(np.float32), "bias": bias.astype(np.float32)}, folder / "acts.safetensors")


def described(examples: Sequence[Example]) -> list[Case]:
    """First turns from the labelled examples: descriptions, and what is off topic."""
    first = Context(stands=False, decided=False, open=False)
    step = max(1, len(examples) // DESCRIPTIONS)
    return [Case(e.text, first, "off_topic" if e.label == "off_topic" else "describe") for e in examples[::step]]


def fit_search(
    knowledge: Knowledge, encoder: SentenceEncoder, heads: Heads, asked: Sequence[Asked], held: Sequence[Asked], folder: Path
) -> None:
    """Write ``questions.safetensors`` and ``questions.json``: how people ask for each passage, and when nothing covers it.

    The words of covered questions come beside them. How coverage is told from all of it is fitted on the ``held`` questions.
    """
    vectors = encoder.embed([a.question for a in asked])
    rows = [(n, passage) for n, a in enumerate(asked) for passage in a.passages[:2]]
    (folder / "questions.json").write_text(
        json.dumps([{"passage": p, "question": asked[n].question} for n, p in rows], ensure_ascii=False, indent=0) + "\n",
        encoding="utf-8",
    )

    def write(weights: np.ndarray) -> None:
        stored = {
            "asked": vectors[[n for n, _ in rows]].astype(np.float16),
            "uncovered": vectors[[n for n, a in enumerate(asked) if a.unanswerable]].astype(np.float16),
            "weights": weights.astype(np.float32),
        }
        save_file(stored, folder / "questions.safetensors")

    fit_words([a.question for a in asked], [int(not a.unanswerable) for a in asked], 2, folder, balanced=True)
    write(np.zeros(TOLD))
    searcher = Searcher(knowledge, encoder, heads, folder, None)
    told = np.stack([searcher.features(a.question)[1] for a in held])
    model = LogisticRegression(C=COVERAGE_REGULARITY, max_iter=5000, fit_intercept=False, class_weight="balanced")
    write(model.fit(told, [not a.unanswerable for a in held]).coef_[0])


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
        found |= {"describe": found["refine"], "what_if": replace(found["refine"], before=0.0)}  # a supposition has no inertia
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

    ``examples``: those of the train split. ``limit``: only so many dialogues and questions, to see that it works.
    """
    weights = weights_in(reader)
    encoder = SentenceEncoder(str(default_model()), weights.adapter)
    heads, calibration = weights.load_heads(encoder.dim), weights.calibration()
    read = lru_cache(maxsize=None)(TrainedReader(knowledge, encoder, heads, weights).read)
    told, held = talks("train")[:limit], talks("calibration")[:limit]
    asked, held_asked = questions("train")[:limit], questions("calibration")[:limit]
    blends = fit_blends(knowledge, read, calibration, held, out)
    turns = heard(replay(knowledge, read, Decider(knowledge, calibration), blends, [*told, *held]))
    fit_acts(knowledge, encoder, [*turns, *described(examples), *questions_as_turns([*asked, *held_asked])], out)
    fit_search(knowledge, encoder, heads, asked, held_asked, out)
