"""Is a hand-written backward the derivative of its forward?"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .call import Abstain, Call, input_names, prepare
from .fit import Fit, describe
from .trial import Trial, jittered, run_trial

#: Fewer directions cannot show that a disagreement is consistent.
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The backward towards one input, over several random directions u and cotangents v."""

    index: int  #: position among the arguments of ``apply``
    name: str  #: as ``forward`` spells it
    relative_error: float  #: rms(analytic - numeric) / max(rms(analytic), rms(numeric)), over the directions
    analytic: float  #: <u, Jᵀv> by the hand-written backward, in the direction of the largest error
    numeric: float  #: <v, Ju> by central differences, in the same direction
    wrong: bool
    fit: Fit | None = None  #: what it does instead; None where it is right


@dataclass(frozen=True, slots=True)
class GradCheck:
    """Every differentiable input of one hand-written function."""

    function: str  #: qualified name
    inputs: tuple[InputCheck, ...]  #: those that could be judged
    deterministic: bool  #: two forward calls on the same inputs agree
    abstained: str | None  #: why nothing could be judged
    dtype: str | None = None  #: in which it was judged

    @property
    def wrong(self) -> tuple[InputCheck, ...]:
        """The inputs whose gradient is wrong, the worst first."""
        return tuple(sorted((item for item in self.inputs if item.wrong), key=lambda item: -item.relative_error))

    @property
    def worst(self) -> InputCheck | None:
        """The input with the largest error, a wrong one first."""
        return max(self.inputs, key=lambda item: (item.wrong, item.relative_error), default=None)

    @property
    def relative_error(self) -> float:
        return self.worst.relative_error if self.worst else 0.0

    @property
    def analytic(self) -> float | None:
        return self.worst.analytic if self.worst else None

    @property
    def numeric(self) -> float | None:
        return self.worst.numeric if self.worst else None


def check_function(
    function: type[torch.autograd.Function],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    directions: int = 4,
    seconds: float = 2.0,
    seed: int = 0,
) -> GradCheck:
    """Holds the backward of ``function`` against central differences of its forward, input by input.

    For each floating tensor among ``args`` (only those that require a gradient, where any does) and several
    random u and v it compares <u, Jᵀv> with <v, Ju>, in float64 where the function takes that.  An input is
    wrong only where the two disagree by more than a tolerance *and* by ten times what two step sizes disagree
    about, in nearly all directions, at the point given and at another point nearby.  A backward that returns
    None declares no gradient and is not judged.  ``args`` are copied, no generator is moved, and at most about
    ``seconds`` are spent.  Never raises: what cannot be judged is named in ``abstained``.
    """
    name = getattr(function, "__qualname__", str(function))
    try:
        with _undisturbed(args):
            return _check(name, function, args, kwargs or {}, directions, time.perf_counter() + seconds, seed)
    except Abstain as reason:
        return GradCheck(name, (), True, str(reason))
    except Exception as error:  # the user's code may raise anything
        return GradCheck(name, (), True, f"it raised {type(error).__name__}: {error}")


def _check(
    name: str,
    function: type[torch.autograd.Function],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    directions: int,
    deadline: float,
    seed: int,
) -> GradCheck:
    call = prepare(function, args, kwargs, deadline)
    dtype = str(call.precision.dtype).removeprefix("torch.")
    generator = torch.Generator().manual_seed(seed)
    first, second = call.outputs(), call.outputs()
    if not all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(first, second, strict=True)):
        return GradCheck(name, (), False, "two forward calls on the same inputs differ", dtype)
    if not all(bool(torch.isfinite(output).any()) for output in first if output.numel()):
        return GradCheck(name, (), True, "its output is not finite", dtype)
    names = input_names(function, len(args))
    judged, reason = [], "no input could be judged"
    for index in _inputs(call, args):
        try:
            found = _check_input(call, index, names[index], directions, generator)
        except Abstain as why:
            reason = str(why)
            continue
        if found is not None:
            judged.append(found)
    return GradCheck(name, tuple(judged), True, None if judged else reason, dtype)


def _inputs(call: Call, args: Sequence[Any]) -> tuple[int, ...]:
    floating = call.floating()
    wanted = tuple(index for index in floating if args[index].requires_grad)
    return wanted or floating


def _check_input(call: Call, index: int, name: str, directions: int, generator: torch.Generator) -> InputCheck | None:
    """None where the backward declares no gradient for this input; Abstain where it cannot be judged."""
    if call.args[index].numel() == 0:
        return None
    cotangents = [torch.ones_like(output, dtype=torch.float64) for output in call.outputs()]
    gradient, again = call.gradient(index, cotangents), call.gradient(index, cotangents)
    if gradient is None or again is None:
        return None
    if not torch.equal(gradient.nan_to_num(), again.nan_to_num()):
        raise Abstain("two backward calls on the same inputs differ")
    place, relative, trials = _best_place(call, index, directions, generator)
    if not all(bool(torch.isfinite(trial.gradient).all()) for trial in trials):
        raise Abstain("its backward is not finite")
    error, wrong = _judge(trials, call.precision.tolerance)
    if wrong:
        # A single point may be special (a kink exactly there); its neighbourhood is not.
        moved = jittered(place, (index,), 1e-2, relative, generator)
        nearby = _trials(moved, index, relative, directions, generator)
        wrong = len(nearby) < ENOUGH or _judge(nearby, call.precision.tolerance)[1]
    worst = max(trials, key=lambda trial: abs(trial.analytic - trial.numeric))
    fit = describe(place, index, trials, relative, generator) if wrong else None
    return InputCheck(index, name, error, worst.analytic, worst.numeric, wrong, fit)


def _best_place(call: Call, index: int, directions: int, generator: torch.Generator) -> tuple[Call, bool, list[Trial]]:
    """The point and the kind of direction in which the most outputs are smooth; the given point first."""
    best: tuple[Call, bool, list[Trial]] | None = None
    best_kept = 0.0
    for amount, relative in ((0.0, False), (1e-2, False), (0.0, True), (1e-2, True)):
        place = jittered(call, (index,), amount, relative, generator) if amount else call
        trials = _trials(place, index, relative, directions, generator)
        kept = sum(trial.kept for trial in trials) / max(len(trials), 1)
        if len(trials) >= min(ENOUGH, directions) and kept > best_kept:
            best, best_kept = (place, relative, trials), kept
        if best_kept >= 0.5:  # most outputs can be compared: looking further finds nothing better
            break
    if best is None:
        raise Abstain("the forward is not smooth or not finite near its inputs")
    return best


def _trials(call: Call, index: int, relative: bool, directions: int, generator: torch.Generator) -> list[Trial]:
    found = [run_trial(call, index, relative, generator) for _ in range(directions)]
    return [trial for trial in found if trial is not None]


def _judge(trials: Sequence[Trial], tolerance: float) -> tuple[float, bool]:
    error = sum((trial.analytic - trial.numeric) ** 2 for trial in trials) ** 0.5
    size = max(sum(trial.analytic**2 for trial in trials), sum(trial.numeric**2 for trial in trials)) ** 0.5
    if not size > 0:
        return 0.0, False
    # One direction in four may by chance be nearly orthogonal to the error.
    consistent = sum(trial.disagrees for trial in trials) >= 0.75 * len(trials)
    return error / size, consistent and error / size > tolerance


@contextlib.contextmanager
def _undisturbed(args: Sequence[Any]) -> Iterator[None]:
    """Puts back every generator that the user's forward may draw from; no autocast inside."""
    devices = {arg.device for arg in args if isinstance(arg, Tensor) and arg.device.type == "cuda"}
    kinds = {arg.device.type for arg in args if isinstance(arg, Tensor)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(_python_generators())
        stack.enter_context(torch.random.fork_rng(devices=sorted(device.index for device in devices)))
        for kind in sorted(kinds & {"cpu", "cuda"}):
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextlib.contextmanager
def _python_generators() -> Iterator[None]:
    state = random.getstate()
    numpy = sys.modules.get("numpy")
    numpy_state = numpy.random.get_state() if numpy is not None else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(numpy_state)
