"""What a finite width adds: the gradient's norm scatters from one draw of the weights to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogNorm:
    """ln ‖Jv‖² of a unit vector v, over draws of the weights: about normal."""

    mean: float  #: natural logarithm of the squared norm
    variance: float


def log_norm(widths: Sequence[int], slope_kurtosis: float = 2.0) -> LogNorm:
    """ln ‖Jv‖² ~ N(-β/2, β), β = Σ (3κ - 1)/n_j, of a Gaussian network at criticality (Hanin and Nica 2020).

    Each layer multiplies the squared norm by the mean of n_j terms φ'²g²/E[φ'²], g normal, whose variance is 3κ - 1.
    The mean of the square is 1; that of the logarithm is lower, so half of all draws lose gradient where it is kept on
    average.  Good while every n_j is well above 1 and β is small or the layers many.

    Args:
        widths: n_j of the hidden layers.
        slope_kurtosis: κ = E[φ'⁴]/E[φ'²]², 2 for ReLU (so that β = 5 Σ 1/n_j), 1 for a linear network.

    Raises:
        ValueError: a width below 1, or κ below 1.
    """
    if any(width < 1 for width in widths):
        raise ValueError(f"widths must be at least 1, not {min(widths)}")
    if not slope_kurtosis >= 1:
        raise ValueError(f"E[φ'⁴]/E[φ'²]² is at least 1, not {slope_kurtosis}")
    beta = (3 * slope_kurtosis - 1) * sum(1 / width for width in widths)
    return LogNorm(-beta / 2, beta)
