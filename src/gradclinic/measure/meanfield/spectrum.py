"""Singular values of the input-output Jacobian of a wide network at criticality (Pennington et al. 2017, 2018)."""

from __future__ import annotations

from math import exp, log, log1p
from typing import Final, Literal

from .activation import Activation
from .moments import check, moments

Ensemble = Literal["gaussian", "orthogonal"]

#: -s₁ of the squared singular values of one weight matrix: their relative variance.
_WEIGHTS: Final[dict[str, float]] = {"gaussian": 1.0, "orthogonal": 0.0}


def squared_singular_variance(activation: Activation, q: float, depth: int, ensemble: Ensemble = "gaussian") -> float:
    """Variance of σ² over the spectrum of ``depth`` equal layers, in units of its squared mean (1 at criticality).

    L·(μ₂/μ₁² - 1 + g), μₖ = E[φ'²ᵏ] at the length ``q``, g = 1 for Gaussian weights and 0 for orthogonal ones.  A flat
    spectrum (0) is dynamical isometry.  Real widths fall short of it by 20 to 50 % from about 32 layers on.

    Raises:
        ValueError: ``q`` or ``depth`` is negative, the slope is 0 throughout, or ``ensemble`` is unknown.
    """
    if ensemble not in _WEIGHTS:
        raise ValueError(f"ensemble must be one of {', '.join(_WEIGHTS)}, not {ensemble!r}")
    check(depth=depth)
    found = moments(activation, q)
    if found.slope_square == 0:
        raise ValueError(f"{activation.name} has no slope at q = {q}, so its Jacobian is 0")
    return depth * (found.slope_fourth / found.slope_square**2 - 1 + _WEIGHTS[ensemble])


def largest_squared_singular_value(depth: int) -> float:
    """Upper end of σ² of a product of ``depth`` wide Gaussian matrices with σ_w = 1: (L + 1)^(L + 1)/L^L, about e·L.

    Raises:
        ValueError: ``depth`` is negative.
    """
    check(depth=depth)
    return exp(log1p(depth) + depth * (log(depth + 1) - log(depth))) if depth else 1.0
