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
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from advisor.encoder import Encoder, Vectors, embed_once
from advisor.errors import ModelError
from advisor.heads import Heads
from advisor.knowledge import Knowledge
from advisor.schema import Passage
from advisor.words import BagOfWords

TOLD = 9
"""Numbers from which coverage is told: what the trained head says, how near the best passages are, how near the questions
that nothing answers, and what the question's words say. With the words 0.957 of the covered questions of the calibration
split were kept and 0.938 of the others refused, without them 0.946 and 0.910 (weights of 2026-11-26)."""
ASKED, LEXICAL = 1.0, 0.6
"""Weights of the nearest way of asking and of the words, beside the passage's own nearness. On the calibration split a right
passage was then among the first three in 0.97 of the questions, with half or twice of each in 0.95 to 0.96 (weights of
2026-11-25)."""
REBUILD = "python -m training --calibration"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, best first, and the probability that the guidance covers the question."""

    passages: tuple[Passage, ...]
    covered: float


class Searcher:
    """Embeddings and BM25 over every passage and the ways people ask for it.

    The embeddings of the passages are kept in the folder ``cache``, if there is one.
    """

    def __init__(self, knowledge: Knowledge, encoder: Encoder, heads: Heads, folder: Path, cache: Path | None) -> None:
        self._passages = tuple(knowledge.passages.values())
        self._encoder, self._heads = encoder, heads
        try:
            stored = load_file(folder / "questions.safetensors")
            asked = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
            place = {p.id: n for n, p in enumerate(self._passages)}
            owners = [place[row["passage"]] for row in asked]
            self._weights, self._uncovered, ways = (stored[n].astype(np.float32) for n in ("weights", "uncovered", "asked"))
            if self._weights.shape != (TOLD,):
                raise ValueError(f"coverage has {len(self._weights)} weights, expected {TOLD}")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"The search index in {folder} cannot be read: {error!r}. Rebuild it: {REBUILD}") from error
        texts = [passage.text for passage in self._passages]
        self._owners = np.array(owners)
        self._vectors = np.concatenate([embed_once(texts, encoder, cache), ways])
        self._covered = BagOfWords(folder)
        self._words = bm25s.BM25()
        self._words.index([tokens(text) for text in texts], show_progress=False)

    def features(self, question: str) -> tuple[Vectors, Vectors]:
        """(n_passages,) scores, and the (``TOLD``,) numbers from which coverage is told."""
        whole = self._encoder.tokens(question).vectors.mean(axis=0)
        vector = whole / np.linalg.norm(whole)
        similar = self._vectors @ vector
        count = len(self._passages)
        asked = np.full(count, -1.0, dtype=np.float32)
        np.maximum.at(asked, self._owners, similar[count:])
        meaning = np.maximum(similar[:count], asked)
        words = np.asarray(self._words.get_scores(tokens(question)), dtype=np.float32)
        lexical = words / (words.max() + 5.0)
        scores = similar[:count] + ASKED * asked + LEXICAL * lexical
        ranked = np.sort(scores)[::-1]
        near_uncovered = float((self._uncovered @ vector).max()) if len(self._uncovered) else 0.0
        unlikely, likely = self._covered.logs(question)
        with torch.inference_mode():
            says = float(self._heads.covered(torch.from_numpy(whole).unsqueeze(0)))
        told = [
            says,
            ranked[0],
            ranked[0] - ranked[2],
            meaning.max(),
            near_uncovered,
            meaning.max() - near_uncovered,
            float(words.max()) / 10,
            likely - unlikely,
            1.0,
        ]
        return scores, np.array(told, dtype=np.float32)

    def search(self, question: str, name: str, count: int) -> Found:
        """The ``count`` best passages. ``name``: what a question that names nothing is about; coverage is told without it."""
        scores, told = self.features(question)
        if name:
            scores = scores + self.features(f"{name}: {question}")[0]
        order = np.argsort(-scores)[:count]
        covered = float(1 / (1 + np.exp(-(told @ self._weights))))
        return Found(tuple(self._passages[n] for n in order), covered)


def tokens(text: str) -> list[str]:
    """The words of a text, lower case, crudely without endings."""
    return [re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word for word in _WORD.findall(text.lower())]
