"""Fits the encoder and the heads to examples, turns and questions, with the transformers trainer.

In: rows. Out: a fitted ``ReaderModel``. The encoder's layers are trained whole, its word vectors stay; what has changed is
kept as factors of low rank. The loss of texts joins outcome, states, evidence and the contrast within pairs; turns teach the
acts, and questions to lie near the passages that answer them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Trainer, TrainingArguments, set_seed

from advisor.heads import STATE_NAMES, Heads, Logits, mean
from training.features import NO_ACT, BatchSampler, Collator, Row

ASSERTED = STATE_NAMES.index("asserted")


@dataclass(frozen=True, slots=True)
class Settings:
    """The numbers of the training; their values and reasons are in ``knowledge/training.toml``."""

    epochs: float
    batch: int
    encoder_rate: float
    heads_rate: float
    rank: int
    state_weight: float
    evidence_weight: float
    contrast_weight: float
    contrast_margin: float
    act_weight: float
    answer_weight: float
    answer_scale: float
    seed: int


class ReaderModel(nn.Module):
    """Encoder and heads as one module with a loss."""

    def __init__(self, encoder: nn.Module, heads: Heads, settings: Settings) -> None:
        super().__init__()
        self.encoder, self.heads, self.settings = encoder, heads, settings

    def hidden(self, given: Mapping[str, Tensor], prefix: str = "") -> Tensor:
        """The token vectors of a batch: (texts, tokens, dim)."""
        inputs = {name: given[f"{prefix}{name}"] for name in ("input_ids", "position_ids", "attention_mask")}
        return self.encoder(**inputs).last_hidden_state  # type: ignore[no-any-return]

    def forward(self, mask: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """The loss of a batch of one kind; the labels tell which kind it is."""
        hidden, s = self.hidden(labels), self.settings
        whole = mean(hidden, mask)
        loss = s.act_weight * _act_loss(self.heads.acts(whole, labels["flags"]), labels["act"])
        if "outcome" in labels:
            loss = loss + self._text_loss(self.heads(hidden, mask), mask, labels)
        if "answers" in labels:
            shown = mean(self.hidden(labels, "passage_"), labels["passage_mask"])
            loss = loss + s.answer_weight * _answer_loss(whole, shown, labels["answers"], s.answer_scale)
        if "covered" in labels:
            covered = functional.binary_cross_entropy_with_logits(self.heads.covered(whole), labels["covered"])
            loss = loss + s.answer_weight * covered
        return {"loss": loss}

    def _text_loss(self, logits: Logits, mask: Tensor, labels: dict[str, Tensor]) -> Tensor:
        s, outcome = self.settings, labels["outcome"]
        loss = functional.cross_entropy(logits.outcome, outcome)
        loss = loss + s.state_weight * _state_loss(logits.states, labels["states"], labels["negations"])
        loss = loss + s.evidence_weight * _evidence_loss(logits.evidence, labels["evidence"], mask)
        if s.contrast_weight:
            contrast = _contrast_loss(logits.outcome, outcome, labels["partner"], s.contrast_margin)
            loss = loss + s.contrast_weight * contrast
        return loss


def _act_loss(logits: Tensor, act: Tensor) -> Tensor:
    """Cross entropy over the turns that are acts."""
    if (act == NO_ACT).all():
        return logits.sum() * 0.0
    return functional.cross_entropy(logits, act, ignore_index=NO_ACT)


def _answer_loss(questions: Tensor, passages: Tensor, answers: Tensor, scale: float) -> Tensor:
    """Every covered question must lie nearer to a passage that answers it than to the batch's other passages."""
    has = answers.any(1)
    near = scale * functional.normalize(questions[has], dim=1) @ functional.normalize(passages, dim=1).T
    right = near.masked_fill(~answers[has], -torch.inf).logsumexp(1)
    return (near.logsumexp(1) - right).mean()


def _state_loss(logits: Tensor, states: Tensor, negations: Tensor) -> Tensor:
    """Cross entropy over the four states; where negations are not labelled, unsaid means only: not asserted."""
    logs = logits.log_softmax(-1)
    loss = -logs.gather(-1, states.unsqueeze(-1)).squeeze(-1)
    not_asserted = -torch.log1p(-logs[..., ASSERTED].exp().clamp(max=1 - 1e-6))
    open_row = (~negations).unsqueeze(1) & (states == 0)
    return torch.where(open_row, not_asserted, loss).sum(1).mean()


def _evidence_loss(logits: Tensor, evidence: Tensor, mask: Tensor) -> Tensor:
    """Binary cross entropy over tokens: for shown criteria word by word, for the others that no word shows them."""
    loss = functional.binary_cross_entropy_with_logits(logits, evidence, reduction="none") * mask.unsqueeze(-1)
    tokens = mask.sum(1).clamp(min=1).unsqueeze(-1)
    shown = evidence.amax(1)
    share = loss.sum(1) / tokens.sqrt() / 4
    return (share * (0.25 + 0.75 * shown)).sum(1).mean()


def _contrast_loss(logits: Tensor, outcome: Tensor, partner: Tensor, margin: float) -> Tensor:
    """Between the two texts of a pair, the advantage of their own labels must differ by a margin."""
    own = outcome.argmax(1)
    has = (partner >= 0) & (own != own[partner.clamp(min=0)])
    if not has.any():
        return logits.sum() * 0.0
    rows = has.nonzero().squeeze(1)
    mine, other = own[rows], own[partner[rows]]
    here, there = logits[rows], logits[partner[rows]]
    advantage = _at(here, mine) - _at(here, other) - _at(there, mine) + _at(there, other)
    return functional.softplus(margin - advantage).mean() * (len(rows) / len(logits))


def _at(logits: Tensor, columns: Tensor) -> Tensor:
    return logits.gather(1, columns.unsqueeze(1)).squeeze(1)


class _ReaderTrainer(Trainer):  # type: ignore[misc]
    def _get_train_sampler(self, train_dataset: Any = None) -> BatchSampler:
        assert self.train_dataset is not None
        return BatchSampler(self.train_dataset, self.args.train_batch_size, self.args.seed)


def fit(
    encoder: nn.Module, heads: Heads, examples: Sequence[Row], collator: Collator, settings: Settings, **extra: Any
) -> ReaderModel:
    """The fitted model. Deterministic: the same rows, settings, threads and library versions give the same weights."""
    set_seed(settings.seed)
    torch.use_deterministic_algorithms(True)
    for parameter in encoder.embeddings.parameters():  # type: ignore[union-attr]
        parameter.requires_grad = False
    model = ReaderModel(encoder, heads, settings)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            lr_scheduler_type="cosine",
            warmup_steps=0.06,
            max_grad_norm=1.0,
            seed=settings.seed,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            remove_unused_columns=False,
            dataloader_num_workers=0,
            **extra,
        )
        trainer = _ReaderTrainer(
            model=model,
            args=arguments,
            train_dataset=list(examples),
            data_collator=collator,
            optimizers=(torch.optim.AdamW(_groups(model, settings), weight_decay=0.01), None),
        )
        trainer.train()
    return model.eval()


def _groups(model: ReaderModel, settings: Settings) -> list[dict[str, Any]]:
    """Parameters with their learning rates: the heads start from nothing and move faster."""
    moving = [parameter for parameter in model.encoder.parameters() if parameter.requires_grad]
    return [
        {"params": list(model.heads.parameters()), "lr": settings.heads_rate},
        {"params": moving, "lr": settings.encoder_rate},
    ]


def changes(encoder: nn.Module, before: Mapping[str, Tensor], rank: int) -> dict[str, Tensor]:
    """What training changed in the encoder, as half-precision factors: ``name.a`` (rank, in), ``name.b`` (out, rank).

    Vectors (biases, norms) are kept whole under their own names. The factors are the best of their rank, by singular values.
    """
    found: dict[str, Tensor] = {}
    for name, weight in encoder.named_parameters():
        delta = (weight.detach() - before[name]).float()
        if not delta.any():
            continue
        if delta.ndim < 2:
            found[name] = delta.half()
            continue
        left, values, right = torch.linalg.svd(delta, full_matrices=False)
        root = values[:rank].sqrt()
        found[f"{name}.a"] = (root.unsqueeze(1) * right[:rank]).half().contiguous()
        found[f"{name}.b"] = (left[:, :rank] * root).half().contiguous()
    return found
