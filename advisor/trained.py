"""The trained reader: one pass of the adapted encoder over each turn, then the heads over all tokens and a look at the words.

In: user turns, and the weights in ``knowledge/reader``. Out: a ``Reading`` with an opinion on the outcome. Does not decide.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from advisor.encoder import Encoder, TokenView, Vectors
from advisor.errors import ModelError
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.values import STATES, Calibration, Evidence, Reading, Signal, Statement
from advisor.words import BagOfWords, joined

REBUILD = "python -m training"
QUOTES = 2
"""Stretches quoted for a criterion at most."""
GAP = 3
"""Tokens below the threshold that a quote may bridge: an article or a comma does not end what somebody says."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Where the trained files lie, and the order of their columns."""

    folder: Path
    criteria: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def adapter(self) -> Path:
        """The changes to the encoder."""
        return self.folder / "encoder.safetensors"

    @property
    def heads(self) -> Path:
        """The heads' weights."""
        return self.folder / "heads.safetensors"

    def load_heads(self, dim: int) -> Heads:
        """The heads over token vectors of length ``dim``; raises ``ModelError`` where the file does not fit."""
        heads = Heads(dim, len(self.criteria), len(self.outcomes)).eval()
        try:
            heads.load_state_dict(load_file(self.heads))
        except (RuntimeError, ValueError, OSError, SafetensorError) as error:
            raise ModelError(f"{self.heads} does not fit this version: {error}. Rebuild it: {REBUILD}") from error
        return heads

    def calibration(self) -> Calibration:
        """How the rules and this reader's opinion are joined; raises ``ModelError`` where the file cannot be read."""
        path = self.folder / "calibration.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            curve = tuple((float(score), float(share)) for score, share in found["curve"])
            return Calibration(float(found["rules"]), float(found["opinion"]), float(found["words"]), curve)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The calibration {path} cannot be read: {error!r}. Rebuild it: {REBUILD}") from error


def weights_in(folder: Path) -> Weights:
    """The weights named by the folder's manifest; raises ``ModelError`` where a file is missing or unreadable."""
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        weights = Weights(folder, tuple(manifest["criteria"]), tuple(manifest["outcomes"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The reader's manifest {path} cannot be read: {error!r}. Rebuild it: {REBUILD}") from error
    for file in (weights.adapter, weights.heads):
        if not file.is_file():
            raise ModelError(f"The reader's weights are missing: {file}. Restore the folder, or rebuild it: {REBUILD}")
    return weights


class TrainedReader:
    """Reads criteria, their evidence and an opinion on the outcome. Safe to call from many threads."""

    def __init__(
        self, knowledge: Knowledge, encoder: Encoder, heads: Heads, weights: Weights, trust: float | None = None
    ) -> None:
        """``trust``: weight of the view by words beside 1 for the heads' (None: the calibrated one).

        Raises ``ModelError`` where the words or the calibration cannot be read.
        """
        self._encoder, self._heads, self._weights = encoder, heads, weights
        self._words = BagOfWords(weights.folder)
        self._trust = weights.calibration().words if trust is None else trust
        self._threshold, self._second = knowledge.number("evidence"), knowledge.number("second_evidence")

    def read(self, statements: tuple[Statement, ...]) -> Reading:
        views = [_kept(self._encoder.tokens(statement.text), statement.dropped) for statement in statements]
        vectors = torch.from_numpy(np.concatenate([view.vectors for view in views]))
        if not len(vectors):
            return Reading({})
        with torch.inference_mode():
            logits = self._heads(vectors.unsqueeze(0), torch.ones(1, len(vectors), dtype=torch.bool))
            states = logits.states[0].softmax(-1).numpy()
            evidence = logits.evidence[0].sigmoid().numpy()
            by_words = self._words.logs("\n".join(left(statement) for statement in statements))
            opinion = joined(logits.outcome[0].numpy(), by_words, self._trust)
        signals = {}
        for column, criterion in enumerate(self._weights.criteria):
            said = states[column, 1:]
            best = int(said.argmax())
            quotes = self._quotes(statements, views, evidence[:, column])
            signals[criterion] = Signal(criterion, STATES[best], float(said[best]), quotes)
        return Reading(signals, dict(zip(self._weights.outcomes, opinion.tolist(), strict=True)))

    def _quotes(self, statements: Sequence[Statement], views: Sequence[TokenView], scores: Vectors) -> tuple[Evidence, ...]:
        """The stretches of words that show the criterion: around its best word, then around one as good elsewhere."""
        places = [(owner, place) for owner, view in enumerate(views) for place in range(len(view.spans))]
        least, second = self._threshold * scores.max(), self._second * scores.max()
        left = np.array(scores)
        found: list[Evidence] = []
        while len(found) < QUOTES and left.max() >= (second if found else 0):
            best = int(left.argmax())
            owner, place = places[best]
            statement, spans, start = statements[owner], views[owner].spans, best - place
            first, last = _stretch(scores[start : start + len(spans)] >= least, place)
            begin, end = _whole_words(statement.text, int(spans[first, 0]), int(spans[last, 1]))
            left[start + first : start + last + 1] = -1
            if end <= begin:
                break
            found.append(Evidence(statement.turn, begin, end, statement.text[begin:end]))
        return tuple(found)


def left(statement: Statement) -> str:
    """The text without its dropped stretches."""
    text = statement.text
    for start, end in sorted(statement.dropped, reverse=True):
        text = text[:start] + text[end:]
    return text


def _kept(view: TokenView, dropped: Sequence[tuple[int, int]]) -> TokenView:
    """The view without the tokens of dropped stretches; their words still coloured the tokens that stay."""
    if not dropped:
        return view
    keep = np.ones(len(view.spans), dtype=bool)
    for start, end in dropped:
        keep &= (view.spans[:, 1] <= start) | (view.spans[:, 0] >= end)
    return TokenView(view.vectors[keep], view.spans[keep])


def _stretch(inside: np.typing.NDArray[np.bool_], at: int) -> tuple[int, int]:
    """The first and last place of the run of true places around ``at``, bridging up to ``GAP`` false ones."""
    first = last = at
    for step in (-1, 1):
        place, missed = at + step, 0
        while 0 <= place < len(inside) and missed <= GAP:
            if inside[place]:
                first, last, missed = min(first, place), max(last, place), 0
            else:
                missed += 1
            place += step
    return first, last


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to whole words."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1 : end].isalnum() and text[end].isalnum():
        end += 1
    return start, end
