"""The account of one step: what every operation did to the signal and to its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["activation", "weight", "normalization", "shortcut", "loss", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the autograd graph.

    Gains are in decades (log10).  ``forward_*`` are root mean squares, ``grad_*`` Euclidean norms;
    ``None`` where the value could not be seen.
    """

    sequence: int  #: autograd's sequence number: the order in which the operations ran
    op: str  #: autograd's name without "Backward0", e.g. "Addmm", "Sigmoid"
    kind: Kind
    module: str  #: dotted path of the innermost module it ran in; "" outside any module
    shape: tuple[int, ...]  #: of the operation's (first) output
    inputs: tuple[int, ...] = ()  #: sequence numbers of the operations it took its signal from
    parameters: tuple[str, ...] = ()  #: names of the parameters it reads directly
    forward_in: float | None = None  #: RMS of the signal input
    forward_out: float | None = None
    grad_out: float | None = None  #: norm of the gradient that arrived at its output (summed over consumers)
    grad_in: float | None = None  #: norm of the gradient that it sent to its (largest) signal input
    non_finite_in: int = 0  #: non-finite elements of grad_out
    non_finite_out: int = 0  #: non-finite elements of the gradients that it sent on
    weight_rms: float | None = None  #: RMS of the weight it multiplies with
    fan_in: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account along the spine.  All lines together telescope exactly."""

    sequence: int  #: the entry it belongs to
    kind: Kind
    module: str
    op: str
    decades: float  #: log10(‖gradient after‖ / ‖gradient before‖), positive where the gradient grows
    #: A join of branches: ‖δ‖², 2⟨δ,Jᵀδ⟩ and ‖Jᵀδ‖², of the contribution along the spine and the rest.
    join: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What one activation function's output looked like on one step's batch."""

    module: str
    op: str
    sequence: int
    units: int  #: size of the feature dimension
    zero_fraction: float  #: of all elements
    dead: tuple[int, ...]  #: units whose output was 0 (ReLU family) for the whole batch; at most 4096 named
    dead_units: int
    #: Fraction of elements where the function's slope is below a tenth of its largest slope: beyond
    #: that point a factor of ten is lost to the activation alone, which no critical initialisation allows.
    saturated_fraction: float
    saturated_units: int  #: units saturated for the whole batch
    rms: float
    correlation: float | None = None  #: mean cosine between the representations of different inputs


@dataclass(frozen=True, slots=True)
class Objective:
    """What the loss node shows of the objective; ``None`` where it cannot be seen."""

    op: str
    prediction_shape: tuple[int, ...] | None = None
    target_shape: tuple[int, ...] | None = None
    #: Loss of the best constant predictor on the batch (entropy of the labels, variance of the targets).
    constant_loss: float | None = None
    classes: int | None = None
    #: Shapes of an outer-product broadcast that no loss wants: (N, 1) against (N,) gives (N, N).
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    prediction_rms: float | None = None
    target_rms: float | None = None
    target_mean: float | None = None
    #: What this operation itself gave on the batch, in the units of ``constant_loss``.
    value: float | None = None
    #: Whether the loss is this value up to a factor; False where other terms (a penalty, a second head) join.
    alone: bool = True
    #: Mean sign of the gradient that arrives at this error: 1 where it is minimised, -1 where it is maximised.
    sign: float | None = None
    #: (variance of the targets, mean squared error) of each output, where a few numbers are predicted at once.
    outputs: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One weight that is used at every step of a recurrence, and the gradient at each of those uses.

    Covers recurrent layers (loops and fused kernels) and any block whose weights are used again in depth.
    """

    module: str
    op: str
    parameter: str  #: the weight; "" where it has no name
    grad: tuple[float | None, ...]  #: norm of the gradient at the output of each use, first time step first
    forward: tuple[float | None, ...] = ()  #: RMS of the output of each use
    sequences: tuple[int, ...] = ()  #: the entries; empty where a fused kernel was replayed to see inside


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of one step."""

    entries: tuple[Entry, ...]  #: in the order in which they ran
    #: Along the spine, from the loss back to the first layer; in a recurrence back to its first time step.
    lines: tuple[Line, ...]
    total: float | None  #: decades between the head and the first layer: the sum of the lines after the loss
    residue: float  #: |sum of lines - log10 of last over first|: the telescoping error, in decades
    activities: tuple[Activity, ...] = ()
    objective: Objective | None = None
    recurrences: tuple[Recurrence, ...] = ()
    unseen: tuple[str, ...] = ()  #: what could not be looked into, in words ("compiled region", "checkpoint")

    def by_kind(self) -> dict[Kind, float]:
        """Decades of the spine summed by kind."""
        sums: dict[Kind, float] = {}
        for line in self.lines:
            sums[line.kind] = sums.get(line.kind, 0.0) + line.decades
        return sums

    def by_module(self) -> dict[str, float]:
        """Decades of the spine summed by module path, from the head down."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.module] = sums.get(line.module, 0.0) + line.decades
        return sums
