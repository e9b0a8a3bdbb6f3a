"""The activations of torch.nn.functional, by torch's names and with torch's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from math import erf as _scalar_erf
from math import pi, sqrt
from types import MappingProxyType
from typing import Final

import numpy as np

from .activation import Activation, Array

#: Klambauer et al. 2017: zero mean and unit variance are the fixed point at σ_w = 1.
_SELU_SCALE: Final = 1.0507009873554804934193349852946
_SELU_ALPHA: Final = 1.6732632423543772848170429916717
#: Hendrycks and Gimpel 2016: the cubic term of the tanh approximation of GELU.
_GELU_CUBIC: Final = 0.044715

_elementwise_erf: Final = np.frompyfunc(_scalar_erf, 1, 1)  # numpy has no error function


def erf(x: Array) -> Array:
    """The error function of a float64 array of any shape."""
    return np.asarray(_elementwise_erf(x), dtype=np.float64)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _sigmoid_slope(x: Array) -> Array:
    return np.asarray(0.25 / np.cosh(np.clip(x / 2, -350, 350)) ** 2)  # cosh overflows at 710


def _sech2(x: Array) -> Array:
    return np.asarray(1 / np.cosh(np.clip(x, -350, 350)) ** 2)


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _mish_slope(x: Array) -> Array:
    return np.asarray(np.tanh(_softplus(x)) + x * _sech2(_softplus(x)) * _sigmoid(x))


def _normal_cdf(x: Array) -> Array:
    return np.asarray(0.5 * (1 + erf(x / sqrt(2))))


def _gelu_slope(x: Array) -> Array:
    return np.asarray(_normal_cdf(x) + x * np.exp(-(x**2) / 2) / sqrt(2 * pi))


def _gelu_tanh_inner(x: Array) -> Array:
    return np.asarray(sqrt(2 / pi) * (x + _GELU_CUBIC * x**3))


def _gelu_tanh_slope(x: Array) -> Array:
    inner = _gelu_tanh_inner(x)
    return np.asarray(
        0.5 * (1 + np.tanh(inner)) + 0.5 * x * _sech2(inner) * sqrt(2 / pi) * (1 + 3 * _GELU_CUBIC * x**2)
    )


def _tanhshrink(x: Array) -> Array:
    # The difference loses all digits near 0, where the series to x⁹ is exact.
    square = x**2
    series = x * square * (1 / 3 - square * (2 / 15 - square * (17 / 315 - square * 62 / 2835)))
    return np.where(np.abs(x) < 0.03, series, x - np.tanh(x))


def _inside(x: Array, low: float, high: float) -> Array:
    return ((x > low) & (x < high)).astype(np.float64)


def leaky_relu(negative_slope: float = 0.01) -> Activation:
    """max(x, 0) + negative_slope·min(x, 0)."""
    return Activation(
        "leaky_relu",
        lambda x: np.where(x > 0, x, negative_slope * x),
        lambda x: np.where(x > 0, 1.0, negative_slope),
        (0.0,),
    )


def elu(alpha: float = 1.0, scale: float = 1.0, name: str = "elu") -> Activation:
    """scale·(x above 0, alpha·(eˣ - 1) below)."""
    return Activation(
        name,
        lambda x: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda x: scale * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))),
        (0.0,),
    )


def celu(alpha: float = 1.0) -> Activation:
    """x above 0, alpha·(exp(x/alpha) - 1) below.

    Raises:
        ValueError: ``alpha`` is not positive.
    """
    if not alpha > 0:
        raise ValueError(f"alpha of celu must be positive, not {alpha}")
    return Activation(
        "celu",
        lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
        lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0) / alpha)),
        (0.0,),
    )


_ALL: Final = (
    Activation("identity", lambda x: x, np.ones_like),
    Activation("relu", lambda x: np.maximum(x, 0), lambda x: np.heaviside(x, 0.5), (0.0,)),
    leaky_relu(),
    elu(),
    elu(_SELU_ALPHA, _SELU_SCALE, "selu"),
    celu(),
    Activation("relu6", lambda x: np.clip(x, 0, 6), lambda x: _inside(x, 0, 6), (0.0, 6.0)),
    Activation("gelu", lambda x: x * _normal_cdf(x), _gelu_slope),
    Activation("gelu_tanh", lambda x: 0.5 * x * (1 + np.tanh(_gelu_tanh_inner(x))), _gelu_tanh_slope),
    Activation("silu", lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) + x * _sigmoid_slope(x)),
    Activation("mish", lambda x: x * np.tanh(_softplus(x)), _mish_slope),
    Activation("softplus", _softplus, _sigmoid),
    Activation("logsigmoid", lambda x: -_softplus(-x), lambda x: _sigmoid(-x)),
    Activation("tanh", np.tanh, _sech2),
    Activation("tanhshrink", _tanhshrink, lambda x: np.tanh(x) ** 2),
    Activation("sigmoid", _sigmoid, _sigmoid_slope),
    Activation("hardtanh", lambda x: np.clip(x, -1, 1), lambda x: _inside(x, -1, 1), (-1.0, 1.0)),
    Activation("hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda x: _inside(x, -3, 3) / 6, (-3.0, 3.0)),
    Activation(
        "hardswish",
        lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
        lambda x: np.where(x > 3, 1.0, np.where(x < -3, 0.0, x / 3 + 0.5)),
        (-3.0, 3.0),
    ),
    Activation("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, (0.0,)),
    Activation("erf", erf, lambda x: 2 / sqrt(pi) * np.exp(-(x**2))),
    Activation("sin", np.sin, np.cos),
    Activation("exp", np.exp, np.exp),
    Activation("square", np.square, lambda x: 2 * x),
)

#: By name.  "gelu" is the exact one, "gelu_tanh" is torch's ``approximate="tanh"``.
ACTIVATIONS: Final[Mapping[str, Activation]] = MappingProxyType({activation.name: activation for activation in _ALL})
