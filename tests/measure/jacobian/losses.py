"""Closures with the models and batches that they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradclinic.measure.jacobian import Symmetric
from tests.measure.jacobian.networks import Attention, Recurrent, Tied, mlp


def cross_entropy(model: Callable[[Tensor], Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]).flatten(0, -2), batch[1].flatten())


def squares(model: Callable[[Tensor], Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.mse_loss(model(batch[0]), batch[1])


def data(*shape: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(*shape).double(), torch.randint(classes, shape[:-1])


#: name → (model, loss, batch); float64 once the model is.
LOSSES: dict[str, Callable[[], tuple[nn.Module, Any, tuple[Tensor, Tensor]]]] = {
    "cross entropy": lambda: (mlp(4, 5, 3), cross_entropy, data(6, 4)),
    "squares": lambda: (mlp(4, 5, 3), squares, (torch.randn(6, 4).double(), torch.randn(6, 3).double())),
    "tied": lambda: (Tied(), cross_entropy, data(6, 4, classes=4)),
    "lstm": lambda: (Recurrent(), cross_entropy, data(2, 4, 3, classes=2)),
    "attention": lambda: (Attention(), cross_entropy, data(2, 5, 4, classes=4)),
}


def matrix_of(operator: Symmetric) -> Tensor:
    return torch.stack([operator.times(row) for row in torch.eye(operator.size, dtype=torch.float64)])


def root_of(preconditioner: list[Tensor]) -> Tensor:
    return torch.diag(torch.cat([part.reshape(-1) for part in preconditioner]).sqrt())


def close(found: Tensor, wanted: Tensor, tolerance: float = 1e-9) -> None:
    assert float((found - wanted).abs().max()) <= tolerance * float(wanted.abs().max()) + 1e-14
