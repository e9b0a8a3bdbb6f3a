"""Which activation an operation is: by torch's name for it, or by what it did to its elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gradclinic.measure.meanfield import ACTIVATIONS, Activation, celu, elu, leaky_relu

#: torch's names that are not the theory's.
_OTHER_NAMES: Final = {"log_sigmoid": "logsigmoid", "special_erf": "erf", "swish": "silu", "special_expit": "sigmoid"}
#: Distinct elements that tell one function from another.
_FEWEST: Final = 8
#: Roundings that a function made of several operations may be off by.
_ROUNDINGS: Final = 16

Arguments = tuple[Any, ...]


def argument(args: Arguments, kwargs: Mapping[str, Any], place: int, name: str, default: Any = None) -> Any:
    """The argument of a call that is at ``place`` or has a ``name``."""
    return args[place] if len(args) > place else kwargs.get(name, default)


def named(op: str, args: Arguments, kwargs: Mapping[str, Any]) -> Activation | None:
    """The activation of a call of torch's function ``op``; None where it is none, or one with unusual settings."""
    name = op[:-1] if op.endswith("_") and not op.endswith("__") else op
    name = _OTHER_NAMES.get(name, name)
    make = _WITH_SETTINGS.get(name)
    if make is not None:
        return make(args, kwargs)
    return ACTIVATIONS.get(name)


def _leaky(args: Arguments, kwargs: Mapping[str, Any]) -> Activation:
    return leaky_relu(float(argument(args, kwargs, 1, "negative_slope", 0.01)))


def _prelu(args: Arguments, kwargs: Mapping[str, Any]) -> Activation:
    # One slope for each channel at most; they start equal.
    return leaky_relu(float(argument(args, kwargs, 1, "weight").detach().float().mean()))


def _rrelu(args: Arguments, kwargs: Mapping[str, Any]) -> Activation | None:
    if argument(args, kwargs, 3, "training", False):  # each element draws its own slope
        return None
    low, high = argument(args, kwargs, 1, "lower", 1 / 8), argument(args, kwargs, 2, "upper", 1 / 3)
    return leaky_relu((low + high) / 2)


def _celu(args: Arguments, kwargs: Mapping[str, Any]) -> Activation:
    return celu(float(argument(args, kwargs, 1, "alpha", 1.0)))


def _elu(args: Arguments, kwargs: Mapping[str, Any]) -> Activation:
    return elu(float(argument(args, kwargs, 1, "alpha", 1.0)))


def _gelu(args: Arguments, kwargs: Mapping[str, Any]) -> Activation:
    return ACTIVATIONS["gelu_tanh" if argument(args, kwargs, 1, "approximate", "none") == "tanh" else "gelu"]


def _hardtanh(args: Arguments, kwargs: Mapping[str, Any]) -> Activation | None:
    ends = argument(args, kwargs, 1, "min_val", -1.0), argument(args, kwargs, 2, "max_val", 1.0)
    known = {(-1.0, 1.0): "hardtanh", (0.0, 6.0): "relu6"}
    return ACTIVATIONS[known[ends]] if ends in known else None


def _softplus(args: Arguments, kwargs: Mapping[str, Any]) -> Activation | None:
    return ACTIVATIONS["softplus"] if argument(args, kwargs, 1, "beta", 1.0) == 1 else None


_WITH_SETTINGS: Final[dict[str, Callable[[Arguments, Mapping[str, Any]], Activation | None]]] = {
    "leaky_relu": _leaky,
    "prelu": _prelu,
    "rrelu": _rrelu,
    "celu": _celu,
    "elu": _elu,
    "gelu": _gelu,
    "hardtanh": _hardtanh,
    "softplus": _softplus,
}


def matched(before: Tensor, after: Tensor) -> Activation | None:
    """The activation that maps elements ``before`` to those ``after``, both flat; None where none or too few do.

    The first of the theory's that agrees to rounding on what was seen: two that do are the same for this signal.
    """
    if before.shape != after.shape or before.numel() < _FEWEST:
        return None
    precision = max(torch.finfo(before.dtype).eps, torch.finfo(after.dtype).eps)
    x, y = before.double().cpu().numpy(), after.double().cpu().numpy()
    if not np.isfinite(y).all() or len(np.unique(x)) < _FEWEST:
        return None
    with np.errstate(all="ignore"):
        for activation in ACTIVATIONS.values():
            error = np.abs(activation.phi(x) - y)
            if np.all(error <= _ROUNDINGS * precision * max(np.abs(x).max(), np.abs(y).max())):
                return activation
    return None
