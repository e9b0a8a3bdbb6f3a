"""word2vec's skip-gram with negative sampling (Mikolov 2013)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SkipGram(nn.Module):
    """Two vectors per word, one as a centre and one as a neighbour; their product says how likely they meet.

    ``sparse``: only the rows of the batch's words have a gradient, so that a step costs the same for any vocabulary.
    """

    def __init__(self, words: int, width: int, *, sparse: bool = True) -> None:
        super().__init__()
        self.centres = nn.Embedding(words, width, sparse=sparse)
        self.neighbours = nn.Embedding(words, width, sparse=sparse)
        nn.init.uniform_(self.centres.weight, -0.5 / width, 0.5 / width)  # as word2vec.c does
        nn.init.zeros_(self.neighbours.weight)

    def forward(self, centre: Tensor, others: Tensor) -> Tensor:
        """Scores (N, K) of centres (N,) with others (N, K): the true neighbour first, then words drawn at random."""
        return torch.einsum("nd,nkd->nk", self.centres(centre), self.neighbours(others))

    def loss(self, centre: Tensor, others: Tensor) -> Tensor:
        """-log σ(true) - Σ log σ(-drawn), mean over N (equation 4)."""
        scores = self(centre, others)
        signs = torch.ones_like(scores)
        signs[:, 1:] = -1
        return -F.logsigmoid(signs * scores).sum(1).mean()
