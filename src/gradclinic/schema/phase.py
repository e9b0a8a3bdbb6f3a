"""Which phase of the mean-field theory the layers of a model are in, and what was measured beside it.

σ_w is √fan_in times the weights' root mean square, q the mean square of a layer's preactivations, δ the gradient by
them, χ the factor of ‖δ‖² per layer towards the input.  Numbers that do not exist are None in the JSON report.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

PhaseName = Literal["ordered", "critical", "chaotic"]
StackKind = Literal["layers", "recurrence"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a stack, or one time step of a recurrence."""

    where: str  #: module path
    sigma_w: float  #: with what scales the signal on its way counted in: dropout, factors, zero padding
    sigma_b: float  #: with what is added before the activation: a bias, a recurrence's input
    isometry: float | None  #: 0 orthogonal, 1 independent weights, far above where they are alike; None: too few
    q: float  #: measured
    q_theory: float | None
    growth: float | None  #: ‖δ‖ here over that of the next layer, measured; None without a backward pass
    growth_theory: float | None


@dataclass(frozen=True, slots=True)
class Theory:
    """What the theory says of very many layers like those of a stack."""

    phase: PhaseName
    chi: float
    depth_scale: float  #: ξ = -1/ln χ in layers; negative where gradients grow towards the input
    decades: float  #: log10 of ‖δ‖ of the first layer over that of the last, along the stack itself
    #: With normalisation there is only the above: neither q nor correlations are followed.
    sigma_w: float | None = None  #: median over the layers
    sigma_b: float | None = None
    q_star: float | None = None  #: 0 where the signal dies out, infinite where it grows without end
    c_star: float | None = None  #: the correlation that two inputs tend to
    correlation_depth_scale: float | None = None  #: ξ_c in layers
    depth_scales: float | None = None  #: depth in units of ξ_c, or of |ξ| where correlations stay
    trainable_layers: float | None = None  #: six of them: a rule, not a limit; None where nothing limits the depth
    measured_layers: float | None = None  #: the same with the factor read off trained networks (tanh, digits)
    critical_sigma_w: float | None = None  #: at which χ = 1
    critical_sigma_b: float | None = None  #: that goes with it
    weight_factor: float | None = None  #: multiply the weights by this to come there
    no_critical: str = ""  #: why there is no critical σ_w


@dataclass(frozen=True, slots=True)
class Stack:
    """A run of alike layers, or the time steps of one recurrence."""

    kind: StackKind
    layers: tuple[Layer, ...]  #: from the input; of a long recurrence only the first steps
    depth: int
    activation: str
    normalization: str  #: "", or torch's name of it
    q_input: float  #: mean square of what enters the first layer
    theory: Theory | None
    reason: str  #: why there is no theory
    notes: tuple[str, ...]  #: what the theory leaves out or was counted in
    words: str  #: one sentence

    @property
    def where(self) -> str:
        """From which layer to which."""
        first, last = self.layers[0].where, self.layers[-1].where
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One sum of a signal and what a branch made of it, measured."""

    where: str  #: path of the module that adds
    q_stream: float  #: mean square of the sum
    branch: float | None  #: mean square of the branch over that of the stream it is added to; None: which is which?


@dataclass(frozen=True, slots=True)
class Unrecognized:
    """A layer that is in no stack."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Phases:
    """What :func:`gradclinic.measure.phase.phases` found."""

    stacks: tuple[Stack, ...]
    shortcuts: tuple[Shortcut, ...]
    unrecognized: tuple[Unrecognized, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the JSON report has it."""
        result: dict[str, Any] = _finite(asdict(self))
        return result


def _finite(value: Any) -> Any:
    """JSON knows neither infinity nor what is not a number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
