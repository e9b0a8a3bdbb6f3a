"""One hand-written function as a pure map from its floating inputs to its floating outputs."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor


class Abstain(Exception):
    """The function cannot be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely a derivative can be measured in one dtype."""

    dtype: torch.dtype
    #: Relative step: the cube root of 3 * machine epsilon balances the error of a central difference
    #: (step**2) against rounding (epsilon / step); rounded to a power of two so that x + step is exact.
    step: float
    #: Change of slope, as a fraction of the slope, from which a point counts as a kink. A smooth function
    #: changes its slope by about one step; a kink changes it by about the slope itself.
    kink: float
    #: A backward that is wrong in a formula is off by far more than 1%, one that is a deliberate fast
    #: approximation by less. float32 resolves 1% only where nothing cancels.
    tolerance: float

    @property
    def epsilon(self) -> float:
        return float(torch.finfo(self.dtype).eps)


DOUBLE = Precision(torch.float64, 2.0**-17, 1e-2, 1e-2)
SINGLE = Precision(torch.float32, 2.0**-7, 1e-1, 5e-2)


@dataclass(frozen=True, slots=True)
class Call:
    """``function.apply(*args, **kwargs)`` that can be repeated on copies with inputs replaced."""

    function: type[torch.autograd.Function]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    precision: Precision
    deadline: float  #: in time.perf_counter()'s seconds

    def floating(self) -> tuple[int, ...]:
        """Positions of the floating tensors among the positional arguments."""
        return tuple(i for i, arg in enumerate(self.args) if isinstance(arg, Tensor) and arg.is_floating_point())

    def at(self, changes: Mapping[int, Tensor]) -> Call:
        """The same call with some positional arguments replaced."""
        return replace(self, args=tuple(changes.get(i, arg) for i, arg in enumerate(self.args)))

    def outputs(self, changes: Mapping[int, Tensor] | None = None) -> tuple[Tensor, ...]:
        """Values of all floating outputs, detached.  The arguments are copied first: a function may write to them."""
        with torch.no_grad():
            results = self._run([_copy((changes or {}).get(i, arg)) for i, arg in enumerate(self.args)])
        return tuple(result.detach() for result in results)

    def gradient(self, index: int, cotangents: Sequence[Tensor]) -> Tensor | None:
        """What the hand-written backward sends to argument ``index``; None where it sends nothing."""
        leaf = _copy(self.args[index]).requires_grad_()
        # In-place functions refuse a leaf, so each argument is handed over as a fresh non-leaf.
        args = [leaf.clone() if i == index else _copy(arg) for i, arg in enumerate(self.args)]
        with torch.enable_grad():
            results = self._run(args)
            pairs = [(r, v.to(r.dtype)) for r, v in zip(results, cotangents, strict=True) if r.requires_grad]
            if not pairs:
                return None
            (gradient,) = torch.autograd.grad(
                [result for result, _ in pairs], [leaf], [cotangent for _, cotangent in pairs], allow_unused=True
            )
        if gradient is None:
            return None
        gradient = gradient.to_dense() if gradient.layout != torch.strided else gradient
        return gradient.detach().to(torch.float64)

    def _run(self, args: list[Any]) -> tuple[Tensor, ...]:
        if time.perf_counter() > self.deadline:
            raise Abstain("out of time")
        apply: Any = self.function.apply
        result = apply(*args, **{name: _copy(value) for name, value in self.kwargs.items()})
        results = result if isinstance(result, (tuple, list)) else (result,)
        tensors = tuple(item for item in results if isinstance(item, Tensor))
        if any(tensor.is_complex() for tensor in tensors):
            raise Abstain("its output is complex")
        return tuple(tensor for tensor in tensors if tensor.is_floating_point())


def prepare(
    function: type[torch.autograd.Function], args: Sequence[Any], kwargs: Mapping[str, Any], deadline: float
) -> Call:
    """The call in float64 where the function takes that, else in float32.

    Raises Abstain where it takes neither, or has nothing to differentiate.
    """
    if not any(isinstance(arg, Tensor) and arg.is_floating_point() for arg in args):
        raise Abstain("it has no floating input")
    if any(isinstance(arg, Tensor) and arg.is_complex() for arg in args):
        raise Abstain("an input is complex")
    reason = ""
    for precision in (DOUBLE, SINGLE):
        if precision is SINGLE and _half(args):
            reason = reason or "it computes in half precision"
            break
        call = Call(
            function,
            tuple(_convert(arg, precision.dtype) for arg in args),
            {name: _convert(value, precision.dtype) for name, value in kwargs.items()},
            precision,
            deadline,
        )
        try:
            outputs = call.outputs()
            probe = call.floating()[0]
            call.gradient(probe, [torch.zeros_like(output) for output in outputs])
        except Abstain:
            raise
        except Exception as error:  # the user's code may raise anything
            reason = f"it raised {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            continue
        if not outputs or not any(output.numel() for output in outputs):
            raise Abstain("it has no floating output")
        if any(output.dtype in (torch.float16, torch.bfloat16) for output in outputs):
            raise Abstain("it computes in half precision")
        if all(torch.finfo(output.dtype).eps <= precision.epsilon for output in outputs):
            return call
        # It takes float64 and casts inside: steps fit for float64 would be lost to float32's rounding.
        return replace(call, precision=SINGLE)
    raise Abstain(reason)


def input_names(function: type[torch.autograd.Function], count: int) -> tuple[str, ...]:
    """Names of the positional arguments as ``forward`` spells them; "argument 3" where it does not."""
    try:
        names = [p.name for p in inspect.signature(function.forward).parameters.values() if p.kind in (0, 1)]
    except (TypeError, ValueError):
        names = []
    if "setup_context" not in _own_attributes(function):
        names = names[1:]
    return tuple(names[i] if i < len(names) else f"argument {i}" for i in range(count))


def _own_attributes(function: type) -> set[str]:
    mine: set[str] = set()
    for base in function.__mro__:
        if base.__module__ == "torch.autograd.function":
            break
        mine |= set(vars(base))
    return mine


def _half(args: Sequence[Any]) -> bool:
    return any(isinstance(arg, Tensor) and arg.dtype in (torch.float16, torch.bfloat16) for arg in args)


def _convert(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, Tensor):
        value = value.detach()
        return value.to(dtype, copy=True) if value.is_floating_point() else value.clone()
    return value


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value
