"""Small trainings, sick and healthy, as a user's file would have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(512, 8, generator=GENERATOR)
Y = (X @ torch.randn(8, 3, generator=GENERATOR)).argmax(1)
NEW_X = torch.randn(512, 8, generator=GENERATOR)


def batches() -> Iterator[tuple[Tensor, Tensor]]:
    for rows in torch.randperm(384).split(32):
        yield X[rows], Y[rows]


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def accuracy(model: nn.Module) -> float:
    model.eval()
    with torch.no_grad():
        return float((model(X[384:]).argmax(1) == Y[384:]).float().mean())


def made(model: nn.Module, lr: float = 0.05, steps: int = 600, **change: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "model": model, "batches": batches, "loss": loss, "optimizer": lambda p: torch.optim.SGD(p, lr),
        "steps": steps, "metric": accuracy,
    }  # fmt: skip
    return parts | change


def stack(depth: int = 2, width: int = 16, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(8, width), act()]
    for _ in range(depth):
        layers += [nn.Linear(width, width), act()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


def healthy() -> dict[str, Any]:
    return made(stack(), optimizer=lambda p: torch.optim.Adam(p, 0.01))


def vanishing() -> dict[str, Any]:
    return made(stack(depth=10, act=nn.Sigmoid))


def too_slow() -> dict[str, Any]:
    return made(stack(), lr=1e-6)


def dropped() -> dict[str, Any]:
    """Draws while it trains."""
    return made(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)))


def without_metric() -> dict[str, Any]:
    return too_slow() | {"metric": None}


def constant_metric() -> dict[str, Any]:
    return too_slow() | {"metric": lambda model: 0.5}


def failing() -> dict[str, Any]:
    """Its model bears no batch after the first ones."""
    count = 0

    def own(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        nonlocal count
        count += 1
        if count > 3:
            raise RuntimeError("the disk is gone")
        return loss(model, batch)

    return made(stack(), loss=own)


def exploding() -> dict[str, Any]:
    return made(stack(), lr=1e18)
