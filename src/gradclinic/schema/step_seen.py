"""One step as the guard is told of it: plain numbers, so that who watches and who treats need not know each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step whose gradients are there and which has not been taken yet."""

    index: int  #: of the optimizer
    tick: int  #: counts the steps of all optimizers
    loss: float | None  #: mean over the step's backward passes, unscaled; None where none was seen
    norm: float  #: of the finite elements of the optimizer's gradients, unscaled
    broken: bool  #: whether an element of them is inf or nan
    fresh: bool  #: whether a backward pass has run since the last step of any optimizer
