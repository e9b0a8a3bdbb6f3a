"""How fast each layer may learn on the new task, from the steps and gradients that it has there."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.noise import same_noise
from gradclinic.measure.jacobian.tree import cloned
from gradclinic.task import Task

#: Each group of layers moves so many times less than the one after it, and there are so many (Howard and Ruder 2018,
#: section 3.2; their language model has four groups).
GENTLER, GROUPS = 2.6, 4
#: Share of the training by whose end all layers are trained (one group per epoch in their few).
THAWED = 0.5
#: Of B batches without anything in common the squared norm of the mean gradient is 1/B of the mean square: below twice
#: that a layer would learn the batches by heart.  Of fewer than four batches it cannot be told.
NOISE, BATCHES = 2.0, 4


@dataclass(frozen=True, slots=True)
class LayerRate:
    """Of one module that owns parameters."""

    layer: str
    new: bool  #: not all of it was loaded
    ratio: float  #: ‖gradient‖ over ‖weights‖, the mean over the batches
    step: float  #: ‖change‖ over ‖weights‖ of the optimizer's first step
    agreement: float  #: squared norm of the mean gradient over the mean squared norm: 1 where all batches agree
    factor: float  #: of the learning rate
    start: int | None  #: the step from which it is trained; None for never


def measure_rates(task: Task, loaded: Collection[str], batches: Sequence[Any]) -> tuple[LayerRate, ...]:
    """In order of registration; the model, which has its weights already, is left as it is.

    A loaded layer's first step, relative to its weights, is made 2.6 times smaller than that of the new layers, and
    so on from group to group towards the input; it is trained from when those after it have begun to fit, the sooner
    the larger its gradient is for its weights, and never where its gradients are noise.
    """
    model = copy.deepcopy(task.model)
    layers = {
        name: [p for p in module.parameters(recurse=False) if p.requires_grad] for name, module in model.named_modules()
    }
    layers = {name: own for name, own in layers.items() if own}
    with same_noise(0):
        gradients = [_gradients(task, model, layers, batch) for batch in batches]
        before = {name: _flat(own) for name, own in layers.items()}
        optimizer = task.optimizer(model.parameters())
        _backward(task, model, batches[0])
        optimizer.step()
    names = {id(p): name for name, p in model.named_parameters()}
    new = {name for name, own in layers.items() if any(names[id(p)] not in loaded for p in own)}
    length = {name: float(before[name].norm()) or 1.0 for name in layers}
    ratio = {name: sum(float(g[name].norm()) for g in gradients) / len(batches) / length[name] for name in layers}
    step = {name: float((_flat(own) - before[name]).norm()) / length[name] for name, own in layers.items()}
    agreement = {name: _agreement([g[name] for g in gradients]) for name in layers}
    reference = max((step[name] for name in new), default=max(step.values()))
    old = sorted((name for name in layers if name not in new), key=lambda name: -ratio[name])
    depth = [name for name in reversed(layers) if name not in new]
    found = []
    for name in layers:
        factor, start = 1.0, 0
        if name not in new:
            group = 1 + GROUPS * depth.index(name) // len(depth)
            allowed = reference / GENTLER**group
            factor = min(1.0, allowed / step[name]) if step[name] > 0 else 1.0
            start = round(task.steps * THAWED * (1 + old.index(name)) / len(old))
        noise = len(batches) >= BATCHES and agreement[name] < NOISE / len(batches)
        begins = None if noise and name not in new else start
        found.append(
            LayerRate(name, name in new, ratio[name], step[name], agreement[name], float(f"{factor:.3g}"), begins)
        )
    return tuple(found)


def options_of(rates: Sequence[LayerRate]) -> dict[str, Any]:
    """As the remedy ``discriminative_rates`` takes them: of the loaded layers, since new ones learn as they would."""
    return {"layers": {rate.layer: {"factor": rate.factor, "start": rate.start} for rate in rates if not rate.new}}


def _gradients(task: Task, model: nn.Module, layers: dict[str, list[nn.Parameter]], batch: Any) -> dict[str, Tensor]:
    _backward(task, model, batch)
    return {
        name: torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).double().flatten() for p in own])
        for name, own in layers.items()
    }


def _backward(task: Task, model: nn.Module, batch: Any) -> None:
    model.zero_grad()
    task.loss(model, cloned(batch)).backward()  # type: ignore[no-untyped-call]


def _agreement(gradients: Sequence[Tensor]) -> float:
    whole = sum(float(g.square().sum()) for g in gradients) / len(gradients)
    return float(torch.stack(list(gradients)).mean(0).square().sum()) / whole if whole > 0 else 0.0


def _flat(parameters: Sequence[Tensor]) -> Tensor:
    return torch.cat([p.detach().double().flatten() for p in parameters])
