"""What the loss function is asked where a training stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.measure.baseline import best_constant, measure_baseline
from gradclinic.measure.convergence import negative_curvature, reach
from gradclinic.measure.jacobian import Split, split
from gradclinic.measure.optimizers import NotApplicable, gains, preconditioner

#: Of the best constant prediction's loss: one scale, fitted to a hundred samples, takes a hundredth by chance alone.
LEARNED = 0.02
#: e-folds of the samples' error over the whole run, summed over all directions: fewer, and none can have been learned.
REACH = 1.0
#: Gradient descent is stable up to this over the largest curvature.
STABLE = 2.0


@dataclass(frozen=True, slots=True)
class Standstill:
    """What was found; None where it could not be measured, and ``why``."""

    learned: bool | None = None  #: whether the outputs say anything of a single sample
    share: float | None = None  #: of the best constant prediction's loss that is gone
    reach: float | None = None  #: e-folds that the steps so far could have brought in any direction
    speed: float | None = None  #: the same for a step of plain gradient descent, per unit of learning rate
    gain: float | None = None  #: how much the loss falls along negative curvature
    lowest: float | None = None  #: the smallest eigenvalue of the Hessian
    largest: float | None = None
    why: tuple[str, ...] = ()

    @property
    def curved(self) -> float:
        """How negative the curvature is, relative to the largest of any direction; 0 where it is not known."""
        return max(0.0, -self.lowest) / self.largest if self.lowest is not None and self.largest else 0.0

    def could_learn(self, steps: int) -> bool | None:
        """Whether ``steps`` of plain gradient descent, at the largest rate that the curvature allows, get anywhere.

        The two ends of the trainability window (docs/theory.md), with the trace in place of the residual.  None where
        it is not known.
        """
        if self.speed is None or not self.largest:
            return None if self.reach is None else self.reach >= REACH
        return self.speed * steps * STABLE / self.largest >= REACH

    def numbers(self) -> dict[str, Any]:
        """For the verdict."""
        names = ("share", "reach", "speed", "gain", "lowest", "largest")
        known = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return known | ({"unmeasured": list(self.why)} if self.why else {})


def look(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[nn.Module, Any], Tensor],
    batches: Sequence[Any],
    travelled: Mapping[Tensor, float],
    material: float,
) -> Standstill:
    """Asks ``loss`` on ``batches``; ``travelled``: Σ lr of the steps so far, by parameter."""
    found: dict[str, Any] = {}
    why: list[str] = []

    @contextmanager
    def attempt(what: str) -> Iterator[None]:
        """Whatever cannot be measured is said, and never ends the training."""
        try:
            yield
        except Exception as error:
            why.append(f"{what}: {' '.join(str(error).split())[:200] or type(error).__name__}")

    splits: list[Split] = []
    with attempt("the loss"):
        splits = [split(model, loss, batch, trusted=True) for batch in batches]
    if not splits:
        return Standstill(why=tuple(why))
    with attempt("the best constant prediction"):
        constant = best_constant(splits)
        now = measure_baseline(splits, constant).loss
        if constant is not None and constant.loss > 0 and now is not None:
            found["share"] = 1 - now / constant.loss
            found["learned"] = found["share"] > LEARNED
    with attempt("how far the signal reaches"):
        told = reach(splits[0], _travel(model, optimizer, splits[0], travelled))
        found |= {"reach": told.travelled, "speed": told.speed}
    with attempt("the curvature"):
        down = negative_curvature(splits, material)
        found |= {"gain": down.gain, "lowest": down.lowest, "largest": down.largest}
    return Standstill(**found, why=tuple(why))


def at_rest(optimizer: Optimizer) -> dict[Tensor, Tensor | float]:
    """What weight decay adds to the gradient per unit of weight, by parameter; see ``Totals.read``."""
    own: dict[Tensor, Tensor | float] = {}
    scales: dict[Tensor, Tensor] = {}
    for group in optimizer.param_groups:
        decay = float(group.get("weight_decay") or 0.0)
        if not decay:
            continue
        # Decoupled decay (Loshchilov 2019) is not preconditioned, so that at rest P·g = -decay·w.
        apart = bool(group.get("decoupled_weight_decay")) or type(optimizer).__name__ == "AdamW"
        if apart and not scales:
            try:
                scales = preconditioner(optimizer)
            except NotApplicable:
                continue
        for p in group["params"]:
            # torch keeps one scale for a complex weight, and its gradient is read as two parts.
            if p.requires_grad and not (apart and p.is_complex()):
                own[p] = decay / scales[p] if apart else decay
    return own


def _travel(model: nn.Module, optimizer: Optimizer, found: Split, travelled: Mapping[Tensor, float]) -> list[Tensor]:
    """Σ lr·gain·P for the parameters of a split; 0 for those that the optimizer does not hold."""
    scales = preconditioner(optimizer)
    carried = {
        p: gain for group, gain in zip(optimizer.param_groups, gains(optimizer), strict=True) for p in group["params"]
    }
    named = dict(model.named_parameters())
    travel = []
    for name, parameter in zip(found.names, found.parameters, strict=True):
        own = named[name]
        scale = scales.get(own)
        travel.append(
            torch.zeros_like(parameter) if scale is None else scale.detach() * (travelled[own] * carried[own])
        )
    return travel
