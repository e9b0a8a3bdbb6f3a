"""A transformer encoder (Vaswani 2017), the norm behind each sum or before each branch (Xiong 2020)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["pre", "post"]


class Block(nn.Module):
    """Attention and feed-forward, each with its shortcut.  (N, T, width) → the same."""

    def __init__(self, width: int, heads: int, norm: Norm) -> None:
        super().__init__()
        self.heads, self.norm = heads, norm
        self.queries, self.keys, self.values, self.out = (nn.Linear(width, width) for _ in range(4))
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def attention(self, x: Tensor) -> Tensor:
        """softmax(Q Kᵀ/√d) V over all tokens, head by head."""
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.queries, self.keys, self.values)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        result: Tensor = self.out(mixed)
        return result

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor
        first, second = self.norms
        if self.norm == "pre":
            x = x + self.attention(first(x))
            result = x + self.feed_forward(second(x))
        else:
            x = first(x + self.attention(x))
            result = second(x + self.feed_forward(x))
        return result


class Transformer(nn.Module):
    """Tokens → classes: embedding, learned positions, ``depth`` blocks, mean over the tokens, linear head.

    (N, T) integers → (N, outputs).  Weights are Xavier-uniform, biases zero, as in the papers.
    """

    def __init__(
        self, tokens: int, length: int, width: int, depth: int, outputs: int, norm: Norm, heads: int = 4
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.positions = nn.Parameter(torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, norm) for _ in range(depth))
        self.last = nn.LayerNorm(width) if norm == "pre" else nn.Identity()
        self.head = nn.Linear(width, outputs)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def features(self, tokens: Tensor) -> Tensor:
        """(N, T) → (N, T, width), before the mean."""
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.last(x)
        return result

    def forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.head(self.features(tokens).mean(1))
        return result
