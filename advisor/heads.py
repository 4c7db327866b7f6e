"""The trained heads: from the token vectors of a text to criteria, evidence, outcome, act and coverage.

In: token vectors. Out: logits. Small maps over one pass of the encoder; the training and the readers share them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advisor.values import ACTS, STATES

STATE_NAMES = ("unsaid", *STATES)
"""The four things a text can do with a criterion, in the order of the states' logits."""
FLAGS = 7
"""Numbers that tell the context and the shape of a turn, beside its words."""


@dataclass(frozen=True, slots=True)
class Logits:
    """``evidence`` (texts, tokens, criteria), ``states`` (texts, criteria, 4), ``outcome`` (texts, outcomes)."""

    evidence: Tensor
    states: Tensor
    outcome: Tensor


class Heads(nn.Module):
    """Each criterion looks at the words that show it (late chunking by attention), and at the whole text.

    The attention of a criterion is its evidence score, so the words that a reply quotes are the words that were read.
    """

    def __init__(self, dim: int, criteria: int, outcomes: int, hidden: int = 192, dropout: float = 0.1) -> None:
        super().__init__()
        states = criteria * len(STATE_NAMES)
        self.evidence = nn.Linear(dim, criteria)
        self.states_local = nn.Parameter(torch.randn(criteria, dim, len(STATE_NAMES)) * 0.02)
        self.states_whole = nn.Linear(dim, states)
        self.outcome_look = nn.Linear(dim, outcomes)
        self.outcome_local = nn.Parameter(torch.randn(outcomes, dim) * 0.02)
        self.outcome_whole = nn.Sequential(
            nn.Linear(dim + states, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outcomes)
        )
        self.act_whole = nn.Sequential(
            nn.Linear(dim + FLAGS, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, len(ACTS))
        )
        self.covered_whole = nn.Linear(dim, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, mask: Tensor) -> Logits:
        """``tokens`` (texts, tokens, dim); ``mask`` (texts, tokens) is true where a token counts."""
        tokens = self.dropout(tokens)
        out = ~mask.unsqueeze(-1)
        whole = mean(tokens, mask)
        evidence = self.evidence(tokens)
        local = torch.einsum("btc,btd->bcd", evidence.masked_fill(out, -1e4).softmax(1), tokens)
        states = torch.einsum("bcd,cds->bcs", local, self.states_local)
        states = states + self.states_whole(whole).view(*states.shape)
        looked = torch.einsum("bto,btd->bod", self.outcome_look(tokens).masked_fill(out, -1e4).softmax(1), tokens)
        outcome = (looked * self.outcome_local).sum(-1) + self.outcome_whole(torch.cat([whole, states.flatten(1)], 1))
        return Logits(evidence, states, outcome)

    def acts(self, whole: Tensor, flags: Tensor) -> Tensor:
        """Logits of the acts, (turns, acts), from the mean vector of each turn and the flags of its context."""
        return self.act_whole(torch.cat([self.dropout(whole), flags], 1))  # type: ignore[no-any-return]

    def covered(self, whole: Tensor) -> Tensor:
        """Logit that the guidance covers a question, (questions,), from its mean vector."""
        return self.covered_whole(self.dropout(whole)).squeeze(1)  # type: ignore[no-any-return]


def mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """The mean vector of each text, (texts, dim), over the tokens that count."""
    count = mask.sum(1, keepdim=True).clamp(min=1)
    return tokens.masked_fill(~mask.unsqueeze(-1), 0.0).sum(1) / count
