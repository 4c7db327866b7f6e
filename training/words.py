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
    weights = np.zeros((seen.shape[1], len(outcomes)), dtype=np.float16)
    bias = np.full(len(outcomes), -20.0, dtype=np.float32)
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    (folder / FILES[0]).write_text("\n".join(terms.get_feature_names_out()) + "\n", encoding="utf-8")
    save_file({"idf": terms.idf_.astype(np.float32), "weights": weights, "bias": bias}, folder / FILES[1])
