"""The weight scale at which a layer neither shrinks nor grows its gradient, by activation.  No torch.

With weights of variance σ_w²/fan_in (σ_w = weight RMS · √fan_in) and biases of variance σ_b², a layer
multiplies the gradient's norm by √χ, χ = σ_w² E[φ'(√q z)²], z standard normal, where q is the fixed point of
q = σ_w² E[φ(√q z)²] + σ_b² (Poole et al. 2016, Schoenholz et al. 2017).  χ = 1 is critical.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Critical σ_w by autograd's name of the activation, with the smallest σ_b² at which χ = 1 is a fixed point.
#: ReLU: He et al. 2015.  tanh, hard-tanh: limit σ_b → 0.  erf: √(π/4).  GELU and SiLU have one critical
#: point only and it needs a bias: σ_w² = 1.98305826, 1.98800468 at σ_b² = .17292239, .55514317.
#: SELU (autograd calls it Elu): 1 by construction (Klambauer et al. 2017).
_CRITICAL: Final[dict[str, tuple[float, float]]] = {
    "": (1.0, 0.0),
    "Relu": (sqrt(2.0), 0.0),
    "Threshold": (sqrt(2.0), 0.0),
    "ClampMin": (sqrt(2.0), 0.0),
    "Tanh": (1.0, 0.0),
    "Hardtanh": (1.0, 0.0),
    "Erf": (sqrt(pi / 4), 0.0),
    "Elu": (1.0, 0.0),
    "Gelu": (sqrt(1.98305826), 0.17292239),
    "Silu": (sqrt(1.98800468), 0.55514317),
    "Sin": (1.0, 0.0),
    "Div": (1.0, 0.0),  # softsign
}

#: Slope below zero of torch's default leaky ReLU.
_LEAKY_SLOPE: Final = 0.01


def critical_gain(op: str, negative_slope: float = _LEAKY_SLOPE) -> float | None:
    """The critical σ_w of layers followed by the activation ``op`` ("" for none: a linear network).

    None where no gain near the usual ones is critical: a sigmoid's slope is at most 1/4 and its outputs have
    mean 1/2, so the mean field pushes it into saturation before σ_w makes up for the slope.
    """
    if op == "LeakyRelu":
        return sqrt(2.0 / (1.0 + negative_slope**2))
    found = _CRITICAL.get(op)
    return found[0] if found is not None else None


def critical_bias_variance(op: str) -> float:
    """σ_b² that goes with :func:`critical_gain`."""
    return _CRITICAL.get(op, (0.0, 0.0))[1]


def weight_gain(weight_rms: float, fan_in: int) -> float:
    """Measured σ_w = weight RMS · √fan_in, to be held against :func:`critical_gain`."""
    return weight_rms * sqrt(fan_in)


# Even nodes: Gauss-Hermite quadrature would converge slowly at the kink of a ReLU.
_NODES: Final[Array] = np.linspace(-9.0, 9.0, 4001)
_WEIGHTS: Final[Array] = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()


def _mean(values: Array) -> float:
    return float(values @ _WEIGHTS)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


#: (function, slope) of activations for which the factor is computed.
_FUNCTIONS: Final[dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]]] = {
    "": (lambda x: x, np.ones_like),
    "Relu": (lambda x: np.maximum(x, 0), lambda x: np.heaviside(x, 0.5)),
    "Tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "Hardtanh": (lambda x: np.clip(x, -1, 1), lambda x: (np.abs(x) < 1).astype(np.float64)),
    "Sigmoid": (_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
}


def gradient_factor(op: str, gain: float, bias_variance: float = 0.0) -> float | None:
    """√χ: what a wide layer multiplies the gradient's norm with, at the fixed point of q; None: unknown activation.

    For the default initialisation of torch's Linear (gain 1/√3): ReLU .4082, tanh .5774, sigmoid .141.
    """
    if op not in _FUNCTIONS:
        return None
    function, slope = _FUNCTIONS[op]
    q = 1.0
    for _ in range(1000):
        following = gain**2 * _mean(function(sqrt(q) * _NODES) ** 2) + bias_variance
        if not 1e-12 < following < 1e12:  # runs away to 0 or to infinity: the slope there is the limit
            q = min(max(following, 1e-12), 1e12)
            break
        settled = abs(following - q) < 1e-12 * q
        q = following
        if settled:
            break
    return gain * sqrt(_mean(slope(sqrt(q) * _NODES) ** 2))
