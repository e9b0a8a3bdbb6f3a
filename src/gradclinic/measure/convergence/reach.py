"""How far the steps of a training could have moved what the model says of one sample and not of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Jacobian, Split
from gradclinic.measure.jacobian.operators import drawn, seeded
from gradclinic.measure.window import centred

#: Random cotangents that the mean is taken over: its relative error is then below 1/2 even where one direction holds
#: everything (Hutchinson 1990), and what is judged are decades.
PROBES = 4


@dataclass(frozen=True, slots=True)
class Reach:
    """Both sums are traces over all directions: where one is below 1, no direction had the time to be learned."""

    travelled: float  #: e-folds of the samples' own error in the steps so far
    speed: float  #: the same for one step of plain gradient descent, per unit of learning rate


def reach(found: Split, travel: Sequence[Tensor], *, generator: torch.Generator | None = None) -> Reach:
    """tr(J_c D J_cᵀ)/n by random centred cotangents, with D = ``travel``, Σ lr·gain·P of the steps so far, and D = 1.

    The gradient of the loss is small where a network has learned and where its signal has vanished; a random cotangent
    in its place tells the two apart, since it does not know what was learned.  n is the number of samples of a loss
    that is a mean over them.  ``PROBES`` backward passes.  Raises NotConnected, and what the closure raises.
    """
    random = seeded(generator)
    jacobian = Jacobian(found.outputs, list(found.parameters), within=found.within)
    shapes = found.shapes or [jacobian.value.shape]
    samples = max(1, shapes[0][0] if len(shapes[0]) else 1)
    along = torch.cat([own.detach().reshape(-1) for own in travel]).double()
    travelled, speed = 0.0, 0.0
    for _ in range(PROBES):
        # E ‖Jᵀξ‖² = tr J Jᵀ for ξ with unit covariance; a centred ξ gives the trace over centred outputs.
        cotangent = centred(drawn(jacobian.value.numel(), random, jacobian.value.device), shapes)
        squares = jacobian.adjoint(cotangent).double().square()
        travelled += float((squares * along.to(squares)).sum())
        speed += float(squares.sum())
    return Reach(travelled / (PROBES * samples), speed / (PROBES * samples))
