"""What a backward that disagrees does instead: many are deliberate, and the diagnosis must say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from .call import Abstain, Call
from .trial import Trial, jittered, run_trial

FitKind = Literal["surrogate", "identity", "nonlinear", "zero", "scale", "none"]

#: A description must hold this closely to be given: as close as the smallest error that is reported.
CLOSE = 1e-2
#: Small enough to be below any clipping threshold in use, large enough for float32.
TINY = 2.0**-20


@dataclass(frozen=True, slots=True)
class Fit:
    """The best description of a disagreeing backward."""

    kind: FitKind
    scale: float | None  #: the constant factor by which it is off; None where there is none
    deliberate: bool  #: the pattern is one that people write on purpose
    meaning: str  #: in words


def describe(call: Call, index: int, trials: Sequence[Trial], relative: bool, generator: torch.Generator) -> Fit:
    """Finds what the backward of argument ``index`` does, from the trials that disagree."""
    same = _forward_is_identity(call, index)
    note = " of a function that returns its input unchanged" if same else ""
    if all(abs(trial.numeric) <= trial.noise for trial in trials):
        return Fit("surrogate", None, True, "surrogate gradient: the forward is flat almost everywhere")
    if all(not bool(trial.gradient.any()) for trial in trials):
        return Fit("zero", 0.0, same, "sends no gradient back" + note)
    if _clips(call, index, trials):
        return Fit("nonlinear", None, True, "clips or rescales the gradient: not linear in the incoming gradient")
    scale = _constant_ratio(call, index, trials, relative, generator)
    if scale is not None:
        words = "reverses the gradient" if scale < 0 else "rescales the gradient"
        return Fit("scale", scale, same, f"{words}{note}: {scale:.4g} times the true one")
    if all(_passes_through(trial) for trial in trials):
        return Fit("identity", None, True, "passes the incoming gradient through unchanged (straight-through)")
    return Fit("none", None, same, "is not the derivative of the forward" + (", deliberately" if same else ""))


def _forward_is_identity(call: Call, index: int) -> bool:
    # Nobody writes a function that computes nothing except to change its gradient.
    outputs = call.outputs()
    return (
        len(outputs) == 1
        and outputs[0].shape == call.args[index].shape
        and torch.equal(outputs[0].double(), call.args[index].double())
    )


def _passes_through(trial: Trial) -> bool:
    (cotangent, *others) = trial.cotangents
    return (
        not others
        and cotangent.shape == trial.gradient.shape
        and bool(torch.allclose(trial.gradient, cotangent.double(), rtol=CLOSE, atol=0.0))
    )


def _clips(call: Call, index: int, trials: Sequence[Trial]) -> bool:
    """True where the backward is not linear in the incoming gradient, as every true backward is."""
    for trial in trials:
        small = call.gradient(index, [cotangent * TINY for cotangent in trial.cotangents])
        if small is None:
            return False
        grown = small / TINY
        if float((grown - trial.gradient).norm()) <= CLOSE * float(torch.maximum(grown.norm(), trial.gradient.norm())):
            return False
    return True


def _constant_ratio(
    call: Call, index: int, trials: Sequence[Trial], relative: bool, generator: torch.Generator
) -> float | None:
    """Analytic over numeric, where that is one number in every direction and also at other points.

    At a single point a scalar function of a scalar always has a constant ratio; a wrong formula's ratio moves
    with its inputs, so all of them are moved by a tenth.
    """
    ratios = [_ratio(trials)]
    for _ in range(2):
        moved = jittered(call, call.floating(), 0.1, relative=True, generator=generator)
        try:
            found = [run_trial(moved, index, relative, generator) for _ in range(3)]
        except Abstain:
            return None
        ratios.append(_ratio([trial for trial in found if trial is not None]))
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < len(ratios):
        return None
    mean = sum(known) / len(known)
    return mean if max(abs(ratio - mean) for ratio in known) <= CLOSE * abs(mean) else None


def _ratio(trials: Sequence[Trial]) -> float | None:
    square = sum(trial.numeric**2 for trial in trials)
    if not trials or square == 0:
        return None
    scale = sum(trial.analytic * trial.numeric for trial in trials) / square
    residual = sum((trial.analytic - scale * trial.numeric) ** 2 for trial in trials) ** 0.5
    size = sum(trial.analytic**2 for trial in trials) ** 0.5
    return scale if residual <= CLOSE * size else None
