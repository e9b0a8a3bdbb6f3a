"""How alike two inputs become with depth, and how fast: c*, ξ, ξ_c and the phase (Schoenholz et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, isnan, log, nan
from typing import Final, Literal

from .activation import Activation
from .length import State, chi, length_map, q_star
from .moments import check
from .pairs import pair_moments, pair_moments_at
from .roots import root

Phase = Literal["ordered", "critical", "chaotic"]

#: |χ - 1| that counts as critical: its depth scale is a million layers.
CRITICAL: Final = 1e-6
#: Where the length has no fixed point the map is looked at here, and this is how far its slope at c = 1 may then be
#: from 1 for a limit function of degree 1, as all that diverge slowly have: ELU still differs by 1/√q.  Degree k has
#: k²/(2k - 1), which is 4/3 for a square.
_ENDS: Final = (1e-6, 1e8)
_LINEAR: Final = 1e-3
#: 1 - c* below this is 0: the differences that it is computed from have four digits left there.
_NEAREST: Final = 1e-12
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Regime:
    """What very many equal layers do to a signal and to its gradient."""

    q: float  #: length of the preactivations; 0.0 where it vanishes, infinite where it diverges
    state: State  #: of the length
    chi: float  #: factor of the squared gradient norm per layer
    c: float  #: the stable correlation of two inputs; not a number where there is none
    chi_c: float  #: slope of the correlation map there
    phase: Phase

    @property
    def depth_scale(self) -> float:
        """ξ = -1/ln χ in layers: the squared norm of the gradient falls by e over it, or grows where it is negative."""
        return depth_scale(self.chi)

    @property
    def correlation_depth_scale(self) -> float:
        """ξ_c = -1/ln χ_c in layers: c comes nearer to c* by e over it."""
        return depth_scale(self.chi_c)


def regime(activation: Activation, sigma_w: float, sigma_b: float, q0: float = 1.0) -> Regime:
    """Everything at once; see :func:`.q_star` and :func:`c_star` for the arguments and errors."""
    length = q_star(activation, sigma_w, sigma_b, q0)
    factor = chi(activation, sigma_w, length.q)
    c, chi_c = _c_star(activation, sigma_w, sigma_b, length.q)
    return Regime(length.q, length.state, factor, c, chi_c, phase(factor))


def correlation_map(activation: Activation, sigma_w: float, sigma_b: float, q: float, c: float) -> float:
    """The next layer's correlation of two inputs of length ``q`` > 0 and correlation ``c``.

    It is divided by the next layer's length, which is ``q`` at a fixed point.  Not a number where that length is 0.

    Raises:
        ValueError: an argument out of range.
    """
    length = length_map(activation, sigma_w, sigma_b, q)
    product = pair_moments(activation, q, c).product
    return (sigma_w**2 * product + sigma_b**2) / length if length > 0 else nan


def c_star(activation: Activation, sigma_w: float, sigma_b: float, q0: float = 1.0) -> float:
    """The stable fixed point of the correlation map at q*; from 0 to 1.

    There is one: the map is Σ aₖ cᵏ with aₖ ≥ 0 (Mehler), so it is convex on [0, 1] and above c on [-1, 0).  It is 1
    where the map's slope at 1 is not above 1, and else the only crossing below.  Where the length has no fixed point,
    the map is the one at its limit; where that map is the identity (as of a linear network) every c stays, and 1 is
    returned.

    Raises:
        ValueError: see :func:`.q_star`.
    """
    return _c_star(activation, sigma_w, sigma_b, q_star(activation, sigma_w, sigma_b, q0).q)[0]


def correlation_depth_scale(activation: Activation, sigma_w: float, sigma_b: float, q0: float = 1.0) -> float:
    """ξ_c in layers, at the stable c*; see :class:`Regime` and :func:`c_star`."""
    return regime(activation, sigma_w, sigma_b, q0).correlation_depth_scale


def depth_scale(factor: float) -> float:
    """-1/ln χ in layers; infinite at χ = 1, negative above.

    Raises:
        ValueError: a negative factor.
    """
    if isnan(factor):
        return nan
    check(chi=factor)
    if factor == 0:
        return 0.0
    return -1 / log(factor) if abs(factor - 1) > _ROUNDING else inf


def phase(factor: float) -> Phase:
    """By χ: gradients vanish and inputs become alike below 1, explode and come apart above."""
    if abs(factor - 1) <= CRITICAL:
        return "critical"
    return "ordered" if factor < 1 else "chaotic"


def _c_star(activation: Activation, sigma_w: float, sigma_b: float, q: float) -> tuple[float, float]:
    """c* and the slope of the map there."""
    if sigma_w == 0:
        return (1.0, 0.0) if sigma_b > 0 else (nan, nan)
    settled = 0 < q < inf
    q = q if settled else _ENDS[q > 0]
    length = length_map(activation, sigma_w, sigma_b, q)
    if not 0 < length < inf:
        return nan, nan
    per_length = sigma_w**2 / length
    # The distance 1 - c is mapped to per_length · E[(φ₁ - φ₂)²]/2.  Divided by the distance, the crossing at c = 1
    # falls away, and the one below it is simple however near to critical.
    at_one = chi(activation, sigma_w, q) * q / length

    if not settled and abs(at_one - 1) < _LINEAR:
        return 1.0, 1.0

    def growth(log_distance: float) -> float:
        distance = exp(log_distance)
        return per_length * pair_moments_at(activation, q, distance).half_square_difference / distance - 1

    if at_one <= 1 + _ROUNDING or growth(log(_NEAREST)) <= 0:
        return 1.0, min(at_one, 1.0)
    # With no bias and an odd function 0 is a fixed point, and the sign there is that of rounding.
    distance = 1.0 if growth(0.0) >= -_ROUNDING else exp(root(growth, log(_NEAREST), 0.0, 1e-12))
    return 1 - distance, per_length * q * pair_moments_at(activation, q, distance).slope_product
