"""The loss of the best constant prediction, and of the model's own outputs moved and scaled as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Split

from .least import least
from .link import IDENTITY, Link, link_of
from .outputs import Outputs, in_shapes, samples

#: Outputs moved further than this many of their own scales (at least 1) have no best place: the loss has no minimum.
FAR = 1e4
#: A constant prediction for fewer samples fits them as if it knew each: its loss says nothing of the task.
SMALLEST = 8


@dataclass(frozen=True, slots=True)
class Baseline:
    """Losses over the same batches, means over them.  None where the loss has no least value or is not finite."""

    loss: float | None  #: of the outputs as they are
    constant: float | None  #: of the best prediction that is the same for every sample
    calibrated: float | None  #: of the best b + a·outputs, with one number b per output and one a for all

    def to_dict(self) -> dict[str, Any]:
        """As an event has it."""
        return {"loss": self.loss, "constant": self.constant, "calibrated": self.calibrated}


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """The best prediction that is the same for every sample, over some batches."""

    loss: float
    shifts: Sequence[Tensor]  #: one for each output tensor, on the line of its link
    links: Sequence[Link]


def best_constant(splits: Sequence[Split]) -> Constant | None:
    """The best constant prediction for a batch or several; None where the loss has no least value, or of few samples.

    Depends on the targets and on the form of the outputs only, so that it holds for any weights.

    Raises what the user's closure raises.
    """
    tensors = _tensors(splits, _flat(splits))
    if tensors is None or sum(samples(own[0]) for own in tensors) < SMALLEST:
        return None
    # Any numbers first: small logits may look like probabilities.  Where the loss refuses them, or falls without end,
    # the outputs are what they look like.
    for links in ([IDENTITY] * len(tensors[0]), [link_of(own) for own in zip(*tensors, strict=True)]):
        outputs = Outputs.of(tensors, links)
        constant = _constant(splits, outputs)
        if constant is not None and _calibrated(splits, outputs, constant) is not None:
            return constant
    return None


def measure_baseline(splits: Sequence[Split], constant: Constant | None) -> Baseline:
    """The three losses over a batch or several, each as a :class:`~gradclinic.measure.jacobian.Split`.

    A large initial output hides by its sheer size what a model already knows of its samples, and what the first steps
    take away of it is not learning; ``constant - calibrated`` is what it knows.  ``constant``: of the same batches.
    One forward pass per batch, the rest runs what follows the model only, some tens of times.

    Raises ValueError where there is no batch, and what the user's closure raises.
    """
    if not splits:
        raise ValueError("there is no batch")
    flat = _flat(splits)
    with torch.no_grad():
        losses = [float(split.loss_of(own)) for split, own in zip(splits, flat, strict=True)]
    loss = sum(losses) / len(losses) if all(isfinite(value) for value in losses) else None
    tensors = _tensors(splits, flat)
    if tensors is None or constant is None:
        return Baseline(loss, None if constant is None else constant.loss, None)
    return Baseline(loss, constant.loss, _calibrated(splits, Outputs.of(tensors, constant.links), constant))


def _flat(splits: Sequence[Split]) -> list[Tensor]:
    with torch.no_grad():
        return [split.outputs(split.parameters) for split in splits]


def _tensors(splits: Sequence[Split], flat: Sequence[Tensor]) -> list[list[Tensor]] | None:
    """By batch and output, float64; None where they are not finite, or not as many in each batch."""
    tensors = [in_shapes(split, own.double()) for split, own in zip(splits, flat, strict=True)]
    whole = all(bool(own.isfinite().all()) for own in flat) and len({len(own) for own in tensors}) == 1
    return tensors if whole else None


def _constant(splits: Sequence[Split], outputs: Outputs) -> Constant | None:
    shifts = [mean.clone().requires_grad_() for mean in outputs.means]
    found = least(lambda: _mean_loss(splits, outputs, shifts, None), shifts, FAR * max(1.0, outputs.spread))
    return None if found is None else Constant(found, [shift.detach() for shift in shifts], outputs.links)


def _calibrated(splits: Sequence[Split], outputs: Outputs, constant: Constant) -> float | None:
    """Begins at the constant prediction, from which most outputs add little."""
    shifts = [shift.clone().requires_grad_() for shift in constant.shifts]
    scale = torch.zeros_like(shifts[0].reshape(-1)[0], requires_grad=True)
    reach = FAR * max(1.0, outputs.spread)
    found = least(lambda: _mean_loss(splits, outputs, shifts, scale), [*shifts, scale], reach)
    return None if found is None else min(found, constant.loss)


def _mean_loss(splits: Sequence[Split], outputs: Outputs, shifts: Sequence[Tensor], scale: Tensor | None) -> Tensor:
    each = [split.loss_of(outputs.flat(place, shifts, scale)).double() for place, split in enumerate(splits)]
    return torch.stack(each).mean()
