"""A record as the peers' rules need it: epochs, mean magnitudes, activations at a moment."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradclinic.diagnose import Evidence
from gradclinic.schema.ledger import Activity
from gradclinic.schema.record import Step
from gradclinic.schema.vitals import EXPONENT_BIAS, EXPONENT_BINS, norms

Array = NDArray[np.float64]


class View:
    """Lazy views over one run's evidence, cut into ``epochs`` of equal length."""

    def __init__(self, evidence: Evidence, epochs: int) -> None:
        self.evidence = evidence
        self._count = epochs

    @cached_property
    def epochs(self) -> tuple[tuple[Step, ...], ...]:
        """The steps that changed weights, cut into equal parts; fewer than asked for where there are fewer steps."""
        taken = self.evidence.taken
        count = min(self._count, len(taken))
        return tuple(taken[len(taken) * i // count : len(taken) * (i + 1) // count] for i in range(count))

    @cached_property
    def losses(self) -> Array:
        """(epochs,) mean loss; inf where one of them was not finite, nan where none was seen."""
        return np.array([_mean([step.loss for step in epoch if step.loss is not None]) for epoch in self.epochs])

    @cached_property
    def ends(self) -> tuple[Step, ...]:
        """The last step of each epoch whose gradients were seen: where the peers look at gradients."""
        seen = [[step for step in epoch if step.gradients is not None] for epoch in self.epochs]
        return tuple(steps[-1] for steps in seen if steps)

    @cached_property
    def _bins(self) -> dict[int, NDArray[np.int64]]:
        return {row.tick: row.counts for row in self.evidence.record.exponents}

    def rows(self, step: Step, weights_only: bool) -> list[int]:
        """The parameters whose gradient this step's optimizer used; only weights of two dimensions where asked."""
        assert step.gradients is not None
        wanted = set(self.evidence.matrices.tolist()) if weights_only else None
        mine = [p.index for p in self.evidence.parameters if p.optimizer == step.optimizer and p.requires_grad]
        there = [row for row in mine if row < len(step.gradients) and step.gradients[row]["count"] > 0]
        return [row for row in there if wanted is None or row in wanted]

    def gradient_norm(self, step: Step, row: int) -> float:
        """Euclidean norm of one parameter's gradient."""
        assert step.gradients is not None
        return float(norms(step.gradients[row : row + 1])[0])

    def mean_magnitude(self, step: Step, row: int) -> tuple[float, float]:
        """Bounds of the mean |g| of one parameter at one step; (nan, nan) where no element is finite.

        From below: |Σg|/n, the smallest magnitude, and Σg²/max|g|; from above: Cauchy's √(Σg²·k)/n over the k elements
        that are not 0, and the largest magnitude.  Where the step has a histogram of exponents, the lower and upper
        edges of its bins narrow that to a factor of two.
        """
        assert step.gradients is not None
        vitals = step.gradients[row]
        count = int(vitals["count"] - vitals["non_finite"])
        if count <= 0:
            return float("nan"), float("nan")
        pushed = count - int(vitals["zeros"])
        if pushed <= 0:
            return 0.0, 0.0
        norm, largest, smallest = self.gradient_norm(step, row), float(vitals["largest"]), float(vitals["smallest"])
        low = max(abs(float(vitals["total"])) / count, pushed * smallest / count, norm / largest * (norm / count))
        high = min(norm / count * pushed**0.5, pushed * largest / count)
        bins = self._bins.get(step.tick)
        if bins is not None and row < len(bins) and bins[row].sum():
            below, above = _edges(bins[row], largest)
            low, high = max(low, below / count), min(high, above / count)
        return low, high

    def weight_norm(self, row: int, tick: int) -> float:
        """Norm of a weight when its update was last recorded before ``tick``, else at the start; nan where unknown."""
        ticks = self.evidence.update_ticks
        seen = [i for i in np.flatnonzero(ticks <= tick) if np.isfinite(self.evidence.weight_norms[i, row])]
        if seen:
            return float(self.evidence.weight_norms[seen[-1], row])
        parameter = next(p for p in self.evidence.parameters if p.index == row)
        return float("nan") if parameter.rms is None else parameter.rms * float(np.prod(parameter.shape)) ** 0.5

    def activities(self, tick: int) -> list[Activity]:
        """Each activation function as it was last seen at or before ``tick``."""
        rows = [[found for when, found in seen if when <= tick] for seen in self.evidence.activities.values()]
        return [found[-1] for found in rows if found]

    @cached_property
    def input_rms(self) -> dict[tuple[int, int], float]:
        """(tick, sequence) → RMS of an operation's input, where the ledger saw it."""
        return {
            (row.tick, entry.sequence): entry.forward_in
            for row in self.evidence.ledgers
            for entry in row.ledger.entries
            if entry.forward_in is not None
        }

    def saturated(self, activity: Activity, limit: float) -> bool:
        """Whether half of an activation's inputs *may* lie beyond ±``limit``: both signs of it that a record has.

        Beyond limits of 4 the slope is below a tenth of its largest, so half of the elements are saturated in the
        record's sense too, and the root mean square of the inputs is at least limit/√2.
        """
        rms = next((v for (_, sequence), v in self.input_rms.items() if sequence == activity.sequence), None)
        return activity.saturated_fraction >= 0.5 and (rms is None or rms >= limit * 0.5**0.5)

    def step_of(self, tick: int) -> int:
        """The optimizer's own count."""
        return self.evidence.step_of(tick)


def _mean(values: list[float]) -> float:
    if not values:
        return float("nan")
    return float(np.mean(values)) if np.isfinite(values).all() else float("inf")


def _edges(counts: NDArray[np.int64], largest: float) -> tuple[float, float]:
    """Σ|g| with every element at the lower edge of its bin, and at the upper; the last bin ends at the largest."""
    lower = np.exp2(np.arange(EXPONENT_BINS, dtype=np.float64) - EXPONENT_BIAS)
    upper = 2 * lower
    lower[0], upper[-1] = 0.0, max(largest, upper[-1])
    return float(counts @ lower), float(counts @ upper)
