"""Fits the view by words: which words and pairs of words speak for which outcome, or for a question that is covered.

In: texts and their classes. Out: the files of ``advisor.words.BagOfWords``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from advisor.words import FILES, vectorizer

TERMS = 20_000
"""The most frequent terms are kept; twice as many gain nothing on the calibration split."""
REGULARITY = 10.0
"""Inverse strength of the regularisation."""


def fit_words(texts: Sequence[str], classes: Sequence[int], count: int, folder: Path, balanced: bool = False) -> None:
    """Write the terms and their weights for each of ``count`` classes into ``folder``; ``classes``: that of each text.

    ``balanced``: every class counts the same, however many texts it has.
    """
    terms = vectorizer(min_df=2, max_features=TERMS)
    seen = terms.fit_transform(texts)
    weight = "balanced" if balanced else None
    model = LogisticRegression(C=REGULARITY, max_iter=100, tol=1e-3, class_weight=weight).fit(seen, classes)
    weights, bias = over_all_classes(model, count)
    (folder / FILES[0]).write_text("\n".join(terms.get_feature_names_out()) + "\n", encoding="utf-8")
    stored = {"idf": terms.idf_.astype(np.float32), "weights": weights.astype(np.float16), "bias": bias.astype(np.float32)}
    save_file(stored, folder / FILES[1])


def over_all_classes(model: LogisticRegression, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features, ``count``) and bias (``count``,) of a regression; a class it has not seen is all but impossible."""
    weights, bias = np.zeros((model.coef_.shape[1], count)), np.full(count, -20.0)
    two = len(model.classes_) == 2  # then the regression holds only the second one's advantage over the first
    weights[:, model.classes_] = np.concatenate([0 * model.coef_, model.coef_]).T if two else model.coef_.T
    bias[model.classes_] = (0.0, *model.intercept_) if two else model.intercept_
    return weights, bias
