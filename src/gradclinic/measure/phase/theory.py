"""The theory's numbers for one stack of layers or time steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, log10, sqrt
from statistics import median

from gradclinic.measure.meanfield import (
    Activation,
    Critical,
    Regime,
    chi,
    critical_sigma_w,
    edge_of_chaos,
    length_map,
    phase,
    regime,
)
from gradclinic.schema.phase import PhaseName, Theory

#: Depth scales ξ_c that a network can be trained through, as a rule of thumb (Schoenholz et al. 2017: 6 ξ_c), and as
#: read off a grid of 91 depths by 90 σ_w² of tanh networks on digits, 200 steps of SGD: ordered (quartiles 6.6 to
#: 7.4), chaotic (4.9 to 5.4).  Other optimizers and longer training get further.
SCALES = 6.0
MEASURED_SCALES: dict[PhaseName, float] = {"ordered": 7.3, "chaotic": 5.0}
#: Standard errors of a mean square of normal weights, √(2/count), within which χ counts as critical.
_ERRORS = 3.0


@dataclass(frozen=True, slots=True)
class Followed:
    """Theory, and its predictions layer by layer: q of each, ‖δ‖ over the next one's for all but the last."""

    theory: Theory
    q: tuple[float, ...]
    growth: tuple[float | None, ...]  #: None where something between is left out


@dataclass(frozen=True, slots=True)
class Scales:
    """Of one layer; ``entering`` and ``leaving`` are what pooling before and after it multiplies q with."""

    sigma_w: float
    sigma_b: float
    entering: float = 1.0
    leaving: float = 1.0


def followed(activation: Activation, layers: Sequence[Scales], q_input: float, count: int) -> Followed:
    """For layers without normalisation.

    Args:
        activation: between them.
        layers: two or more, from the input.
        q_input: mean square of what enters the first; a value that is not finite counts as 1.
        count: of all weights, for how exactly they tell their σ_w.

    The phase is that of a layer with the median σ_w and σ_b of all but the first, which no activation comes before.
    """
    q, growth = _along(activation, layers, q_input if isfinite(q_input) else 1.0)
    w, b = median(one.sigma_w for one in layers[1:]), median(one.sigma_b for one in layers[1:])
    found = regime(activation, w, b, q[0] if 0 < q[0] < inf else 1.0)
    # What is left of a difference from 1 in a finite number of weights is no phase.
    drawn = abs(found.chi - 1) <= _ERRORS * sqrt(2 / max(count, 1))
    name: PhaseName = "critical" if drawn else phase(found.chi)
    scale = None if name == "critical" else _scale(found)
    critical = _critical(activation, b)
    theory = Theory(
        name,
        found.chi,
        found.depth_scale,
        decades(growth),
        sigma_w=w,
        sigma_b=b,
        q_star=found.q,
        c_star=found.c,
        correlation_depth_scale=found.correlation_depth_scale,
        depth_scales=(len(layers) - 1) / scale if scale else None,
        trainable_layers=SCALES * scale if scale is not None else None,
        measured_layers=MEASURED_SCALES[name] * scale if scale is not None else None,
        critical_sigma_w=critical.sigma_w,
        critical_sigma_b=critical.sigma_b,
        weight_factor=critical.sigma_w / w if critical.sigma_w is not None and w > 0 else None,
        no_critical=critical.reason,
    )
    return Followed(theory, tuple(q), tuple(growth))


def decades(growth: Sequence[float | None]) -> float:
    """log10 of the product of those that are known."""
    known = [one for one in growth if one is not None]
    return sum(map(log10, known)) if all(known) else -inf


def _along(activation: Activation, layers: Sequence[Scales], q_input: float) -> tuple[list[float], list[float | None]]:
    first = layers[0]
    q = [first.leaving * (first.sigma_w**2 * q_input + first.sigma_b**2)]
    growth: list[float | None] = []
    for below, layer in pairwise(layers):
        pooled = below.leaving != 1 or layer.entering != 1
        growth.append(None if pooled else sqrt(chi(activation, layer.sigma_w, q[-1])))
        q.append(layer.leaving * length_map(activation, layer.sigma_w * sqrt(layer.entering), layer.sigma_b, q[-1]))
    return q, growth


def _scale(found: Regime) -> float | None:
    """ξ_c, or |ξ| where two inputs keep their correlation while the gradient does not keep its norm (ReLU)."""
    scale = found.correlation_depth_scale
    if not isfinite(scale):
        scale = abs(found.depth_scale)
    return scale if isfinite(scale) else None


def _critical(activation: Activation, sigma_b: float) -> Critical:
    """The critical σ_w at these biases, or, where there is none, the one point that has both (GELU, SiLU)."""
    found = critical_sigma_w(activation, sigma_b)
    if found.sigma_w is None:
        edge = edge_of_chaos(activation)
        return Critical(edge.sigma_w, edge.sigma_b, edge.q, found.reason)
    return found
