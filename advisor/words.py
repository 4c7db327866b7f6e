"""The words of a text as a view beside the encoder's, on the outcome or on whether a question is covered.

In: a text. Out: logarithms of a distribution over the classes. It knows no order and no negation; how far it is trusted
is calibrated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file
from sklearn.feature_extraction.text import TfidfVectorizer

from advisor.encoder import Vectors
from advisor.errors import ModelError

FILES = ("words.txt", "words.safetensors")
"""The terms, one a line; ``idf`` (terms,), ``weights`` (terms, classes), ``bias`` (classes,)."""


def vectorizer(**options: object) -> TfidfVectorizer:
    """Terms of one and two words, by frequency, the frequent ones damped."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, **options)


def joined(logs: npt.NDArray[np.floating], by_words: Vectors, trust: float) -> npt.NDArray[np.float64]:
    """The encoder's view with that of the words, as shares that add up to 1: logarithms added, the words' times ``trust``."""
    scores = logs.astype(np.float64) + trust * by_words.astype(np.float64)
    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum(), dtype=np.float64)


class BagOfWords:
    """A linear map over the weighed terms of a text."""

    def __init__(self, folder: Path) -> None:
        """Raises ``ModelError`` where the files in ``folder`` are missing or do not fit each other."""
        try:
            self._terms = vectorizer(vocabulary=(folder / FILES[0]).read_text(encoding="utf-8").splitlines())
            stored = load_file(folder / FILES[1])
            self._terms.idf_ = stored["idf"].astype(np.float32)
            self._weights, self._bias = stored["weights"].astype(np.float32), stored["bias"].astype(np.float32)
            self.logs("")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            names = " and ".join(FILES)
            raise ModelError(f"{names} in {folder} cannot be read: {error}. Rebuild them: python -m training") from error

    def logs(self, text: str) -> Vectors:
        """Logarithm of each class's probability, (classes,), in the order in which it was fitted."""
        scores = np.asarray(self._terms.transform([text]) @ self._weights)[0] + self._bias
        return np.asarray(scores - np.logaddexp.reduce(scores), dtype=np.float32)
