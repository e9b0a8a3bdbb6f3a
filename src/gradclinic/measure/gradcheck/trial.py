"""One random direction: the derivative along it by central differences, and by the hand-written backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .call import Call

#: Rounding inside a function adds up over its operations; 64 units in the last place cover reductions
#: of some thousand terms (their error grows like the square root of their number).
ULPS = 64
#: A disagreement must stand this far above what two step sizes disagree about.
CLEAR = 10.0


@dataclass(frozen=True, slots=True)
class Trial:
    """<u, Jᵀv> against <v, Ju> at one point along one direction u, for one cotangent v."""

    analytic: float
    numeric: float
    noise: float  #: how far the numeric value may be off
    kept: float  #: fraction of output elements that are smooth here and were compared
    cotangents: tuple[Tensor, ...]
    gradient: Tensor

    @property
    def disagrees(self) -> bool:
        return abs(self.analytic - self.numeric) > CLEAR * self.noise


def run_trial(call: Call, index: int, relative: bool, generator: torch.Generator) -> Trial | None:
    """Compares the two along one random direction of argument ``index``.

    ``relative`` perturbs each element in proportion to itself, which keeps positive inputs positive; else all
    elements are perturbed alike, in proportion to their root mean square.  Output elements that have a kink,
    a jump or a non-finite value within two steps are left out of v, so that ReLU at 0 is no error.
    None where nothing is left, nothing moves, or the backward sends nothing to this argument.
    """
    point: Tensor = call.args[index]
    direction = _randn(point, generator) * (point.abs() if relative else _scale(point))
    if not bool(direction.any()):
        return None  # zeros cannot be perturbed in proportion to themselves
    step = call.precision.step
    here = call.outputs()
    near = _slopes(call, index, point, direction, step)
    far = _slopes(call, index, point, direction, 2 * step)
    cotangents, derivatives, spreads, kept, total = [], [], [], 0, 0
    floor_square = 0.0
    for centre, (up, down), (up2, down2) in zip(here, near, far, strict=True):
        middle = centre.double()
        central, wide = (up - down) / (2 * step), (up2 - down2) / (4 * step)
        bend = (up - 2 * middle + down).abs() / step
        reach = torch.stack([middle.abs(), up.abs(), up2.abs()])
        floor = ULPS * call.precision.epsilon * _largest(reach) / step
        slope = torch.stack([central.abs(), wide.abs(), bend]).amax(0)
        smooth = torch.maximum(bend, (central - wide).abs()) <= call.precision.kink * slope + floor
        smooth &= torch.isfinite(central) & torch.isfinite(wide) & torch.isfinite(bend)
        cotangent = _randn(middle, generator) * smooth
        cotangents.append(cotangent)
        zero = torch.zeros_like(central)
        # Richardson: the two step sizes together cancel the error of second order.
        derivatives.append((cotangent * torch.where(smooth, (4 * central - wide) / 3, zero)).sum())
        spreads.append((cotangent * torch.where(smooth, central - wide, zero)).sum())
        floor_square += float(cotangent.square().sum()) * floor**2
        kept += int(smooth.sum())
        total += smooth.numel()
    if kept == 0:
        return None
    gradient = call.gradient(index, cotangents)
    if gradient is None:
        return None
    return Trial(
        analytic=float((gradient * direction.double()).sum()),
        numeric=float(sum(derivatives, torch.zeros((), dtype=torch.float64)).item()),
        noise=abs(float(sum(spreads, torch.zeros((), dtype=torch.float64)).item())) + floor_square**0.5,
        kept=kept / total,
        cotangents=tuple(cotangents),
        gradient=gradient,
    )


def jittered(call: Call, indices: Sequence[int], amount: float, relative: bool, generator: torch.Generator) -> Call:
    """The call at a random point nearby: each element moved by about ``amount`` of its size (or of the RMS)."""
    changes = {}
    for index in indices:
        point: Tensor = call.args[index]
        size = point.abs() if relative else _scale(point)
        changes[index] = point + amount * size * _randn(point, generator).to(point.dtype)
    return call.at(changes)


def _slopes(call: Call, index: int, point: Tensor, direction: Tensor, step: float) -> list[tuple[Tensor, Tensor]]:
    ups = call.outputs({index: point + step * direction.to(point.dtype)})
    downs = call.outputs({index: point - step * direction.to(point.dtype)})
    return [(up.double(), down.double()) for up, down in zip(ups, downs, strict=True)]


def _scale(point: Tensor) -> float:
    """Root mean square of the finite elements; 1 for zeros, which say nothing of their scale."""
    values = point.double()
    values = values[torch.isfinite(values)]
    size = float(values.square().mean().sqrt()) if values.numel() else 0.0
    return size if size > 0 else 1.0


def _largest(values: Tensor) -> float:
    finite = values[torch.isfinite(values)]
    return float(finite.max()) if finite.numel() else 0.0


def _randn(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.device)
