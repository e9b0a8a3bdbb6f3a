"""A step that is taken by its optimizer and changes nothing."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from .snapshot import Snapshot, Subject, on_device


class Withheld(Protocol):
    """What has to be put right when the step is over."""

    def give_back(self) -> None: ...


def withhold(optimizer: Optimizer) -> Withheld:
    """Makes the step that begins a step of nothing.

    The step itself still runs, so that schedulers, scalers and frameworks count it as ever.
    """
    known = type(optimizer).__module__.startswith("torch.optim")
    return _Gradients(optimizer) if known else _Copies(optimizer)


class _Gradients:
    """Torch's own optimizers pass over a parameter whose gradient is None: no update, no state, no weight decay."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._kept = _gradients(optimizer)
        for parameter, _ in self._kept:
            parameter.grad = None

    def give_back(self) -> None:
        """The script finds its gradients where it left them."""
        for parameter, gradient in self._kept:
            if parameter.grad is None:
                parameter.grad = gradient


class _Copies:
    """Any other optimizer may not know of None: it steps along 0, and what that did is undone."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._before = Snapshot(Subject((), (optimizer,)), on_device)
        self._kept = _gradients(optimizer)
        for parameter, gradient in self._kept:
            parameter.grad = torch.zeros_like(gradient)

    def give_back(self) -> None:
        self._before.restore()
        for parameter, gradient in self._kept:
            parameter.grad = gradient


def _gradients(optimizer: Optimizer) -> list[tuple[Tensor, Tensor]]:
    held = (parameter for group in optimizer.param_groups for parameter in group["params"])
    return [(parameter, parameter.grad) for parameter in held if parameter.grad is not None]
