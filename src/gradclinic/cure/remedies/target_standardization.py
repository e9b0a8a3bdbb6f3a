"""The model's output is scaled and shifted to the targets of a regression."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian import NoProduct, split
from gradclinic.measure.jacobian.tree import floating

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: Targets within these are of the scale that a fresh output layer gives.
SCALE, SHIFT = (0.3, 3.0), 1.0


class TargetStandardization(Remedy):
    """As a part of the model, so that its outputs keep their meaning; the network in it learns standardised targets."""

    id = "target_standardization"
    family = "targets"
    title = "targets standardised"
    size = 1
    effect = "outputs of a fresh network are of the size of what they are compared with"
    source = "LeCun et al. 1998; Bishop 1995, 8.2"

    def propose(self, patient: Patient) -> Iterable[Options]:
        found = targets(patient)
        if found is None:
            return
        mean, std = float(found.mean()), float(found.std())
        if std > 0 and not (SCALE[0] <= std <= SCALE[1] and abs(mean) <= SHIFT * max(std, 1.0)):
            yield {"mean": float(f"{mean:.6g}"), "std": float(f"{std:.6g}")}

    def apply(self, journal: Journal, options: Options) -> None:
        mean, std = (torch.tensor(float(options[key])) for key in ("mean", "std"))
        if not std > 0:
            raise CannotApply("the standard deviation must be above 0")
        names = [journal.buffer(journal.model, *pair) for pair in (("target_mean", mean), ("target_std", std))]
        journal.hook(journal.model.register_forward_hook(partial(_after, names=names)))

    def code(self, options: Options) -> str:
        mean, std = float(options["mean"]), float(options["std"])
        return f"prediction = model(x) * {std:.6g} + {mean:.6g}  # wherever the model is called"


def _after(model: nn.Module, args: Any, output: Any, *, names: list[str]) -> Any:
    """Of several floating tensors none is known to be the prediction."""
    tensors, rebuild = floating(output)
    if len(tensors) != 1:
        return output
    mean, std = (getattr(model, name) for name in names)
    (y,) = tensors
    wide = torch.promote_types(y.dtype, torch.float32)  # a half holds no large means
    return rebuild([(y.to(wide) * std.to(wide) + mean.to(wide)).to(y.dtype)])


def targets(patient: Patient) -> Tensor | None:
    """Of a squared loss, one Newton step from any output lands on the target; None where the loss is not squared.

    Flat, float64, of all batches.
    """
    found = []
    for place, batch in enumerate(patient.batches):
        try:
            apart = split(patient.model, patient.task.loss, batch, trusted=place > 0)
            if apart.shapes is None or len(apart.shapes) != apart.calls:
                return None  # several outputs: see _after
            goal = _minimum(apart.outputs(apart.parameters).detach(), apart.loss_of)
        except (NoProduct, RuntimeError):
            return None
        if goal is None:
            return None
        found.append(goal)
    return torch.cat(found)


def _minimum(outputs: Tensor, loss_of: Any) -> Tensor | None:
    at = outputs.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss_of(at), at, create_graph=True)
    if not slope.requires_grad:
        return None
    (bend,) = torch.autograd.grad(slope.sum(), at)
    if not bool((bend > 0).all()):
        return None
    slope = slope.detach()
    goal = (outputs - slope / bend.detach()).double()
    # Along a sum of parabolas, one for each output, the slope falls in proportion; float32 leaves a millionth.  Of a
    # softmax the bend is rounding, and the goal so far away that the slope there is 0 too.
    for share in (0.5, 1.0):
        there = (outputs + share * (goal - outputs)).to(outputs.dtype).detach().requires_grad_()
        (left,) = torch.autograd.grad(loss_of(there), there)
        if not float((left - (1 - share) * slope).norm()) <= 1e-3 * float(slope.norm()):
            return None
    return goal
