"""The account along the spine, read layer by layer against the critical initialisation.

A *factor* is one weight together with the activation that feeds it.  Its gradient gain is σ_w·√E[φ'²], so the
two belong together: a ReLU that halves the squared gradient is innocent where σ_w² = 2 wins it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log10, sqrt

import numpy as np

from gradclinic.schema.ledger import Entry, Kind, Ledger, Line
from gradclinic.schema.record import LedgerRow

from .causes.criticality import critical_gain, saturates, unbounded

#: A gradient of exactly 0 has no logarithm.  This stands for it: the range of float32 (2**-149 to 2**127) in decades.
LOST = 83.0


@dataclass(frozen=True, slots=True)
class Factor:
    """One weight and the activation that feeds it."""

    module: str  #: of the weight
    op: str  #: of the weight
    activation: str  #: the activation's op; "" where there is none
    activation_module: str
    weight: float  #: decades
    slope: float  #: decades of the activation
    sigma: float  #: weight RMS·√fan_in, the σ_w of the mean-field theory
    critical: float | None  #: σ_w at which the gain is 1; None where no initialisation gives that
    parameters: tuple[str, ...]
    sequence: int

    @property
    def decades(self) -> float:
        return self.weight + self.slope


@dataclass(frozen=True, slots=True)
class Spine:
    """The spine of one ledger."""

    tick: int
    ledger: Ledger
    total: float  #: decades from the head to the first layer
    lines: tuple[Line, ...]  #: those that ``total`` is the sum of
    factors: tuple[Factor, ...]

    def share(self, kind: Kind) -> float:
        """Decades of all lines of one kind."""
        return sum(finite(line.decades) for line in self.lines if line.kind == kind)

    @property
    def after_head(self) -> float:
        """Decades of what comes after the last weight: the output's own units."""
        upto = next((place for place, line in enumerate(self.lines) if line.kind == "weight"), 0)
        return sum(finite(line.decades) for line in self.lines[:upto] if line.kind == "other")

    def count(self, kind: Kind) -> int:
        return sum(line.kind == kind for line in self.lines)


def finite(decades: float) -> float:
    """Decades with what is lost or gained without end put at the range of float32."""
    return float(np.clip(decades, -LOST, LOST)) if decades == decades else 0.0


def spine_of(row: LedgerRow) -> Spine | None:
    """The spine of a ledger; None where it has no account."""
    ledger = row.ledger
    lines = tuple(line for line in ledger.lines if line.kind != "loss")
    if ledger.total is None or not lines:
        return None
    return Spine(row.tick, ledger, finite(ledger.total), lines, _factors(ledger, lines))


def _factors(ledger: Ledger, lines: tuple[Line, ...]) -> tuple[Factor, ...]:
    entries = {entry.sequence: entry for entry in ledger.entries}
    factors: list[Factor] = []
    weight: Line | None = None
    slopes: list[Line] = []
    for line in (*lines, None):
        if line is None or line.kind == "weight":
            if weight is not None:
                factors.append(_factor(weight, slopes, entries.get(weight.sequence)))
            weight, slopes = line, []
        elif line.kind == "activation" or unbounded(line.op) or saturates(line.op):
            slopes.append(line)
    return tuple(factors)


def _factor(weight: Line, slopes: list[Line], entry: Entry | None) -> Factor:
    gain = finite(weight.decades)
    measured = 10.0 ** max(min(gain, 30.0), -30.0)
    known = entry is not None and entry.weight_rms is not None and entry.fan_in
    sigma = entry.weight_rms * sqrt(entry.fan_in) if known and entry and entry.weight_rms and entry.fan_in else measured
    op = slopes[0].op if slopes else ""
    return Factor(
        module=weight.module or weight.op,
        op=weight.op,
        activation=op,
        activation_module=slopes[0].module if slopes else "",
        weight=gain,
        slope=sum(finite(line.decades) for line in slopes),
        sigma=sigma,
        critical=critical_gain(op),
        parameters=entry.parameters if entry else (),
        sequence=weight.sequence,
    )


def log_ratio(value: float, reference: float) -> float:
    """log10(value/reference), with 0 put at the range of float32."""
    if value <= 0 or not isfinite(value):
        return -LOST if value <= 0 else LOST
    return log10(value / reference)
