"""Finds the passages that answer a question, by meaning and by words together.

In: a question. Out: passages with scores, best first, and how likely it is that the guidance covers the question. Answers
nothing itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np
from safetensors.numpy import load_file

from advisor.encoder import Encoder, Vectors, embed_once
from advisor.errors import ModelError
from advisor.knowledge import Knowledge
from advisor.schema import Passage

MEANING = 4.0
"""Weight of the question's own vector beside the scores where coverage is told: some subjects are never covered."""
REBUILD = "python -m training --conversation"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """Passages in the order of their scores, and the probability that the guidance covers the question."""

    passages: tuple[Passage, ...]
    scores: tuple[float, ...]
    covered: float


class Searcher:
    """Embeddings and BM25 over every passage and the ways people ask for it.

    The embeddings of the passages are kept in the folder ``cache``, if there is one.
    """

    def __init__(self, knowledge: Knowledge, encoder: Encoder, folder: Path, cache: Path | None) -> None:
        self._passages = tuple(knowledge.passages.values())
        self._encoder = encoder
        try:
            stored = load_file(folder / "questions.safetensors")
            asked = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"The search index in {folder} cannot be read: {error}. Rebuild it: {REBUILD}") from error
        self._weights = stored["weights"].astype(np.float32)
        texts = [passage.text for passage in self._passages]
        place = {p.id: n for n, p in enumerate(self._passages)}
        self._owners = np.array([*range(len(texts)), *(place[row["passage"]] for row in asked)])
        self._uncovered = stored["uncovered"].astype(np.float32)
        self._vectors = np.concatenate([embed_once(texts, encoder, cache), stored["asked"].astype(np.float32)])
        self._words = bm25s.BM25()
        self._words.index([tokens(text) for text in texts], show_progress=False)

    def features(self, question: str) -> tuple[Vectors, Vectors]:
        """(n_passages,) scores, and the (7 + dim,) numbers from which coverage is told."""
        vector = self._encoder.embed([question])[0]
        similar = self._vectors @ vector
        meaning = np.full(len(self._passages), -1.0, dtype=np.float32)
        np.maximum.at(meaning, self._owners, similar)
        words = np.asarray(self._words.get_scores(tokens(question)), dtype=np.float32)
        lexical = words / (words.max() + 5.0)
        scores = meaning + 0.3 * lexical
        ranked = np.sort(scores)[::-1]
        near_uncovered = float((self._uncovered @ vector).max()) if len(self._uncovered) else 0.0
        told = [
            ranked[0],
            ranked[0] - ranked[2],
            meaning.max(),
            near_uncovered,
            meaning.max() - near_uncovered,
            float(words.max()) / 10,
            1.0,
        ]
        return scores, np.concatenate([np.array(told, dtype=np.float32), MEANING * vector])

    def search(self, question: str, name: str, count: int) -> Found:
        """The ``count`` best passages. ``name``: what a question that names nothing is about; coverage is told without it."""
        scores, told = self.features(question)
        if name:
            scores = scores + self.features(f"{name}: {question}")[0]
        order = np.argsort(-scores)[:count]
        covered = float(1 / (1 + np.exp(-(told @ self._weights))))
        return Found(tuple(self._passages[n] for n in order), tuple(float(scores[n]) for n in order), covered)


def tokens(text: str) -> list[str]:
    """The words of a text, lower case, crudely without endings."""
    return [re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word for word in _WORD.findall(text.lower())]
