"""Notices a script that never clears its gradients: each step is then taken along the sum of all before it."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor
from torch.optim import Optimizer

#: Steps in a row without a cleared gradient before it is told: one may be meant, and so may a first one.
IN_A_ROW = 3
#: Elements of the gradient that are held against what they were: a gradient that was scaled down in between, to carry
#: on with a part of it, was not forgotten.
SAMPLE = 16
#: Steps of each optimizer that are looked at.  Who forgets it forgets it from the start.
LOOKED_AT = 8


class Clearing:
    """Follows, for each optimizer, one parameter's gradient from step to step.

    Two optimizers may share a backward pass, and the one's gradients stay while the other's are computed; so a
    gradient counts as kept only if it was there at *every* backward pass between two steps of its own optimizer.
    """

    def __init__(self) -> None:
        self._probes: dict[int, weakref.ref[Tensor]] = {}
        self._left: dict[int, Tensor] = {}  # what a step left of the followed gradient
        self._places: dict[int, int] = {}  # and where it lay
        self._cleared: dict[int, bool] = {}
        self._kept: dict[int, int] = {}
        self._steps: dict[int, int] = {}
        self._passes: dict[int, int] = {}  # backward passes since the optimizer's last step

    def backward_begins(self) -> None:
        for key, probe in self._probes.items():
            parameter = probe()
            self._passes[key] = self._passes.get(key, 0) + 1
            if not self._cleared[key] and (parameter is None or _empty(parameter) or self._changed(key, parameter)):
                self._cleared[key] = True

    def stepped(self, optimizer: Optimizer, index: int, tensors: list[Tensor | None]) -> Tensor | None:
        """After a step; returns the parameter that was followed once it is certain that nothing clears it."""
        count = self._steps[index] = self._steps.get(index, 0) + 1
        if count > LOOKED_AT:
            self._probes.pop(index, None)
            self._left.pop(index, None)
            return None
        followed = self._probes[index]() if index in self._probes else None
        if followed is not None:
            # Without a backward pass, or in a tensor of its own, the script wrote the gradient itself, in place of the
            # one before: what is added to stays where it is.
            kept = not self._cleared[index] and self._passes.get(index, 0) > 0
            kept = kept and _place(followed) == self._places.get(index)
            self._kept[index] = self._kept.get(index, 0) + 1 if kept else 0
        self._passes[index] = 0
        if followed is None:
            followed = next((t for t in tensors if t is not None and t.device.type == "cpu" and not _empty(t)), None)
            if followed is None:
                return None
            self._probes[index] = weakref.ref(followed)
        self._cleared[index] = _empty(followed)
        if not self._cleared[index]:
            self._left[index], self._places[index] = _sample(followed), _place(followed)
        if self._kept.get(index, 0) >= IN_A_ROW:
            self._steps[index] = LOOKED_AT
            return followed
        return None

    def _changed(self, key: int, parameter: Tensor) -> bool:
        """Whether the script has written to the gradient since the step; a second pass has added to it itself."""
        first = self._passes[key] == 1
        return first and not torch.equal(_sample(parameter), self._left[key])


def _sample(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None  # it is not empty
    values = parameter.grad.detach().flatten()
    # An odd stride: an even one stays in a few columns of a matrix, and those may never get a gradient.
    return values[:: len(values) // SAMPLE | 1].clone()


def _place(parameter: Tensor) -> int:
    return 0 if parameter.grad is None or parameter.grad.is_sparse else parameter.grad.data_ptr()


def _empty(parameter: Tensor) -> bool:
    gradient = parameter.grad
    return gradient is None or gradient.is_sparse or not bool(gradient.any())
