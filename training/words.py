"""Fits the view by words: which words and pairs of words speak for which outcome.

In: labelled texts. Out: the files of ``advisor.words.BagOfWords``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from advisor.words import FILES, vectorizer
from training.examples import Example

TERMS = 20_000
"""The most frequent terms are kept; twice as many gain nothing on the calibration split."""
REGULARITY = 10.0
"""Inverse strength of the regularisation."""


def fit_words(examples: Sequence[Example], outcomes: Sequence[str], folder: Path) -> None:
    """Write the terms and their weights for each of the ``outcomes`` into ``folder``."""
    terms = vectorizer(min_df=2, max_features=TERMS)
    seen = terms.fit_transform([e.text for e in examples])
    model = LogisticRegression(C=REGULARITY, max_iter=100, tol=1e-3).fit(seen, [outcomes.index(e.label) for e in examples])
    weights, bias = over_all_classes(model, len(outcomes))
    (folder / FILES[0]).write_text("\n".join(terms.get_feature_names_out()) + "\n", encoding="utf-8")
    stored = {"idf": terms.idf_.astype(np.float32), "weights": weights.astype(np.float16), "bias": bias.astype(np.float32)}
    save_file(stored, folder / FILES[1])


def over_all_classes(model: LogisticRegression, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features, ``count``) and bias (``count``,) of a regression; a class it has not seen is all but impossible."""
    weights, bias = np.zeros((model.coef_.shape[1], count)), np.full(count, -20.0)
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weights, bias
