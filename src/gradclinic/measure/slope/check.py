"""Is the gradient of a whole model the slope of its loss?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian import NoProduct
from gradclinic.measure.jacobian.exceptions import in_one_line
from gradclinic.measure.jacobian.noise import Noise
from gradclinic.schema.slope import SlopeCheck

from .along import compare, look
from .blame import find
from .calls import record
from .direction import Random
from .functions import check_functions
from .reasons import no_sight, no_start
from .start import Start, start
from .starved import starved
from .twin import Loss
from .unsteady import first_difference

#: A single point may be special (a kink exactly there, a weight that is exactly zero); its neighbourhood is not.
JITTER = 1e-2
#: Random directions that the hidden share of the slope is averaged over.
DIRECTIONS = 8
#: For the functions alone.
SECONDS = 8.0

_EMPTY = SlopeCheck(None, "float64", None, (), (), 0.0, (), (), None, None, 0, 0)


def check_slope(model: nn.Module, loss: Loss, batch: Any, *, seed: int = 0, most: int | None = None) -> SlopeCheck:
    """Holds autograd's gradient of ``loss(model, batch)`` against central differences of the loss.

    Along a random direction over all trainable parameters and along the gradient itself, on a deep copy of the model
    in float64; in the model's own precision, with wider tolerances, where it does not run in float64 or that would
    take more than ``most`` bytes, or a quarter of the free memory.  A disagreement counts only if it stands out of
    what two step sizes disagree about, at the weights given and again at weights moved by 1%.  Only then the search
    begins: for hand-written functions, modules and code of the loss whose gradient is not their derivative.

    Cost where all is well: one backward pass and 10 forward passes (up to 27 at a kink, or where the loss is rough),
    all with a graph; 2 more of each where there are hand-written functions, which are judged by themselves.  For
    memory, on top of the user's model, in float64 4 times its float32 parameters and twice the activations of a step;
    in own precision 2 times and once.  The search takes up to about 40 seconds, some hundred forward passes and 2 more
    copies of the parameters.

    The model, the batch and the generators of Python, numpy and torch are only read or put back bit for bit.  Not
    seen: hooks on parameters, a wrong backward inside torch itself, and what a closure does with a model other than
    the one that it is given.  Not protected: what the closure or a hook writes to outside the model.

    Never raises for what a model does: ``abstained`` says why nothing could be judged.
    """
    try:
        with _undisturbed():
            return _check(model, loss, batch, seed, most)
    except NoProduct as reason:
        return replace(_EMPTY, abstained=str(reason))
    except Exception as error:  # the user's code may raise anything, at any weights
        return replace(_EMPTY, abstained=f"it raised {in_one_line(error)}")


def _check(model: nn.Module, loss: Loss, batch: Any, seed: int, most: int | None) -> SlopeCheck:
    begun = start(model, loss, batch, seed=seed, most=most)
    twin, gradient = begun.twin, begun.gradient
    empty = replace(_EMPTY, loss=begun.first, precision=twin.precision.name, narrow=begun.narrow)
    reason = no_start(begun)
    if reason is not None:
        unsteady = None if begun.steady else first_difference(twin)
        return _counted(begun, replace(empty, abstained=reason, unsteady=unsteady))
    seen = look(twin, gradient, seed)
    unused = tuple(name for name, own in zip(twin.names, gradient, strict=True) if own is None)
    result = replace(empty, along=tuple(one.along for one in seen), unused=unused)
    reason = no_sight(seen, gradient)
    if reason is not None:
        return _counted(begun, replace(result, abstained=reason))
    apart = any(one.disagrees(twin.precision) for one in seen)
    if apart:
        twin.jitter = Random(twin, seed + 1, scale=JITTER)
        _, gradient, _ = twin.gradient()
        seen = look(twin, gradient, seed)
        apart = any(one.disagrees(twin.precision) for one in seen)
        if apart:
            result = _explained(begun, gradient, replace(result, along=tuple(one.along for one in seen)), seed)
    if not apart and begun.by_hand:
        # Kinks and own precision hide a small share of the slope; a function by itself is seen sharply.
        result = replace(result, disagreements=tuple(check_functions(twin, record(twin).functions, seconds=SECONDS)))
    return _counted(begun, result)


def _explained(begun: Start, gradient: Sequence[Tensor | None], result: SlopeCheck, seed: int) -> SlopeCheck:
    twin = begun.twin
    disagreements = tuple(find(twin, seed))
    hungry = starved(twin, gradient, seed)
    seen = [compare(twin, gradient, "random", Random(twin, seed + 2 + i)) for i in range(DIRECTIONS)]
    true = sum(one.along.measured**2 for one in seen)
    apart = sum((one.along.given - one.along.measured) ** 2 for one in seen)
    hidden = (apart / true) ** 0.5 if true > 0 else 0.0
    if not disagreements and not hungry and hidden <= twin.precision.tolerance:
        hidden = 0.0  # a deliberate approximation
    unused = tuple(name for name in result.unused if name not in hungry)
    if not disagreements and not hungry and hidden and not twin.wide:
        reason = "the gradient disagrees with differences that are too coarse in this precision to tell why"
        return replace(result, abstained=reason)
    return replace(result, disagreements=disagreements, starved=tuple(hungry), hidden=hidden, unused=unused)


def _counted(begun: Start, result: SlopeCheck) -> SlopeCheck:
    return replace(result, forwards=begun.twin.forwards, backwards=begun.twin.backwards)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Puts back every generator; no autocast inside."""
    kept = Noise.now()
    try:
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        kept.restore()
