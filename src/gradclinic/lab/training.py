"""The training loop that the experiments share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: A loss beyond this never comes back: the training is over.
LOST = 1e6


def train_classifier(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    steps: int,
    batch: int = 64,
    *,
    before_step: Callable[[], None] = lambda: None,
) -> list[float]:
    """Cross-entropy on random batches of (N, ...) inputs and (N,) classes; the losses, up to where one is lost.

    ``before_step`` runs between backward and step (clipping).  Batches come from torch's generator.
    """
    losses = []
    for _ in range(steps):
        chosen = torch.randint(len(x), (batch,))
        loss = F.cross_entropy(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        before_step()
        losses.append(float(loss.detach()))
        if not losses[-1] < LOST:
            break
        optimizer.step()
    return losses


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of (N,) classes that the largest output names; dropout and batch statistics as at test time."""
    model.eval()
    right = float((model(x).argmax(-1) == y).float().mean())
    model.train()
    return right
