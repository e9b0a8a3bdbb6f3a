"""Is the training working?  Everything else is judged in the light of this.

A run is *learning* when its loss is below what the best constant prediction would give, or, where that is not
known, when it fell by more than its noise and by more than an output bias alone could bring.  It is decided from
medians over windows against the noise of successive differences, so that one spike, a noisy batch or a
restart of the learning rate decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gradclinic.schema.ledger import Objective
from gradclinic.schema.record import Step

from .forecast import Forecast
from .reference import SMALLEST_BATCH, Reference, reference_loss, samples, unbiased
from .series import LARGEST, Array, median_error, noise, window_medians, window_size

State = Literal["learning", "falling", "flat", "rising", "unknown"]

#: Standard errors that a change must exceed.  Ten windows are compared, so 4 keeps the chance of a false
#: "changed" below one in a thousand even with the heavier tails of batch noise.
ERRORS = 4.0
#: Where no constant loss is known: the part of the loss that an untrained classifier loses by calibrating its
#: output bias alone.  PyTorch's default output layer starts about 2% above log(classes); 5% covers it.
BIAS_ONLY = 0.05
#: Fewest steps from which a flat loss is evidence: ten windows of five, the fewest with a robust median.
FLAT_STEPS = 50
#: Fewest steps from which a fall or a rise is evidence: two windows of five.
MOVE_STEPS = 10
#: A change of targets by this factor between early and late batches: the task itself moves (bootstrapped
#: values, a curriculum), so that a loss that does not fall says nothing.  Sampling moves an RMS by √(1/2n), far less.
MOVING = 1.5
#: Ledgers whose main terms are compared with a constant prediction: the fewest with a median that one cannot move.
TERM_LEDGERS = 3
#: How far the main term must be below the constant prediction: the bias of a batch's entropy after correction, 2%,
#: and as much again for the few batches that are looked at.
TERM_MARGIN = 0.04
#: A run that took less of the constant prediction's loss away than this may be held back by something: half of the
#: labels' entropy or of the targets' variance is left.  That alone is no fault; a fault that is seen as well is one.
HALFWAY = 0.5


@dataclass(frozen=True, slots=True)
class Learning:
    """The judgement and its numbers.  Losses are medians over windows."""

    state: State
    reason: str
    first: float | None = None
    last: float | None = None
    best: float | None = None
    peak: float | None = None
    noise: float | None = None
    reference: Reference | None = None
    turned: int | None = None  #: the step at which a loss that had been falling was lowest, where it rose again
    steps: int = 0
    #: The error itself over that of the best constant prediction on the same batch, in the last accounts: known as well
    #: where the loss is that error times a factor.
    error_left: float | None = None
    probability: float | None = None  #: of a check-up: how likely the training is to arrive

    @property
    def works(self) -> bool | None:
        """True where it learns, False where it has had the chance and does not, None where nobody can say."""
        return {"learning": True, "unknown": None}.get(self.state, False)

    @property
    def progress(self) -> float | None:
        """Share of the best constant prediction's loss that is gone at the end; None where that is not known."""
        if self.constant is not None and self.last is not None and self.constant > 0:
            return 1 - self.last / self.constant
        return None if self.error_left is None else 1 - self.error_left

    @property
    def well(self) -> bool | None:
        """Like :attr:`works`, and False as well where it learns, but took less than half of the way."""
        if self.works and self.probability is None and self.progress is not None and self.progress < HALFWAY:
            return False
        return self.works

    @property
    def constant(self) -> float | None:
        """The loss of the best constant prediction, in the units of the loss."""
        return self.reference.loss if self.reference else None

    @property
    def above_constant(self) -> bool:
        """Whether the run ends worse than, or no better than, a constant prediction."""
        return self.constant is not None and self.last is not None and self.last > self.constant - self._margin

    @property
    def _margin(self) -> float:
        return self.reference.margin if self.reference else 0.0

    def numbers(self) -> dict[str, float | int | str | None]:
        """For a finding's evidence."""
        values: dict[str, float | int | str | None] = {"learning": self.state, "steps": self.steps}
        pairs = {
            "loss_first": self.first,
            "loss_last": self.last,
            "loss_noise": self.noise,
            "loss_constant": self.constant,
        }
        if self.probability is not None:
            pairs["probability"] = self.probability
        return values | {name: value for name, value in pairs.items() if value is not None}


def foreseen(judged: Learning, forecast: Forecast) -> Learning:
    """The judgement of a training that has only begun: what it is foreseen to do stands for what it did."""
    if forecast.probability is None:
        return replace(judged, state="unknown", reason="what a constant prediction would reach is not known")
    odds = f"a training of {forecast.steps:,} steps is foreseen to learn with probability {forecast.probability:.2f}"
    state: State = "learning" if forecast.trains else "rising" if forecast.thrown else "flat"
    return replace(judged, state=state, reason=odds, probability=forecast.probability)


def judge(steps: Sequence[Step], objectives: Sequence[tuple[int, Objective]] = ()) -> Learning:
    """Judges the losses of one optimizer's steps."""
    seen = [(step.step, step.loss) for step in steps if step.loss is not None and np.isfinite(step.loss)]
    if not seen:
        return Learning("unknown", "no loss was seen", steps=len(steps))
    values = np.clip([loss for _, loss in seen], -LARGEST, LARGEST)
    count = 1 + max(step.step for step in steps)
    lost = len([step for step in steps if step.loss is not None and not np.isfinite(step.loss)])
    sigma = noise(values)
    size = window_size(len(values))
    medians = window_medians(values)
    first, last, best = _first(values), float(np.median(values[-size:])), float(medians.min())
    joined = any(not objective.alone for _, objective in objectives)
    reference = None if joined else reference_loss(objectives, float(values[0]), [step.backwards for step in steps])
    peak = float(medians.max())
    left = main_term(objectives) if objectives and not joined else None
    made = {"first": first, "last": last, "best": best, "peak": peak, "noise": sigma, "error_left": left}
    error = median_error(sigma, size)

    def answer(state: State, reason: str, turned: int | None = None) -> Learning:
        return Learning(state, reason, reference=reference, turned=turned, steps=count, **made)

    if len(values) < MOVE_STEPS:
        if lost:
            return answer("rising", f"the loss was not finite after {len(values)} steps")
        return answer("unknown", f"{len(values)} steps are too few")
    if lost and not np.isfinite(_last_loss(steps)):
        turned = _turn(seen, size) if _learned(first, best, error, reference) else None
        return answer("rising", "the loss ended non-finite", turned)
    if joined:
        # The loss has other terms (a penalty, a prior, a second head), which may fall without anything being learned.
        term = main_term(objectives)
        if term is not None:
            if term < 1 - TERM_MARGIN:
                return answer("learning", "the main term of the loss is below that of the best constant prediction")
            if count >= FLAT_STEPS and last <= first:
                return answer("flat", "the main term of the loss stays at what a constant prediction gives")
    learned_last = _learned(first, last, error, reference)
    if learned_last:
        return answer("learning", learned_last)
    if reference is None and ERRORS * error > abs(first):
        return answer("unknown", "the noise of the loss is larger than the loss itself")
    if _targets_move(objectives):
        return answer("unknown", "the targets change during the run, so that the loss alone says nothing")
    if _learned(first, best, error, reference) and last > best + ERRORS * error:
        since = medians[int(medians.argmax()) :] if medians.argmax() > medians.argmin() else medians[-1:]
        if len(since) > 1 and last < since[0] - ERRORS * error:
            return answer("learning", "the loss jumped and is falling again")
        return answer("rising", "what had been learned was lost again", _turn(seen, size))
    if last > first + max(ERRORS * error * np.sqrt(2), BIAS_ONLY * abs(first)):
        return answer("rising", "the loss rose", seen[0][0])
    if first - last > ERRORS * error * np.sqrt(2) and first - last > 1e-6 * abs(first):
        if reference is not None and abs(last - reference.loss) <= max(reference.margin, ERRORS * error):
            return answer("flat", "the loss fell to that of a constant prediction and stayed there")
        return answer("falling" if count >= FLAT_STEPS else "unknown", "the loss fell, but by little")
    if count < FLAT_STEPS:
        return answer("unknown", f"{count} steps without a change are too few")
    return answer("flat", "the loss did not change by more than its noise")


def judge_raised(steps: Sequence[Step]) -> Learning:
    """The same of a value that is there to be raised: judged upside down, and told as it is."""
    turned = judge([replace(step, loss=None if step.loss is None else -step.loss) for step in steps])
    return replace(
        turned, first=_minus(turned.first), last=_minus(turned.last), best=_minus(turned.best), peak=_minus(turned.peak)
    )


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def main_term(objectives: Sequence[tuple[int, Objective]]) -> float | None:
    """The recognised term of the loss over that of the best constant prediction: median of the last ledgers.

    Both are of the same batch, so that their ratio knows nothing of the other terms.  None with fewer than
    :data:`TERM_LEDGERS` ledgers, or where batches are too small for a constant prediction to mean anything.
    """
    pairs = [
        (objective.value, unbiased(objective))
        for _, objective in objectives
        if objective.value is not None and objective.constant_loss and samples(objective) >= SMALLEST_BATCH
    ]
    if len(pairs) < TERM_LEDGERS:
        return None
    late = pairs[-max(TERM_LEDGERS, len(pairs) // 3) :]
    return float(np.median([value / constant for value, constant in late]))


def judge_all(judged: dict[int, Learning], *, phases: bool = False) -> Learning:
    """One judgement for a run with several optimizers; ``phases`` where each began when the one before had ended.

    Where they minimise different losses (an adversary), one may rise because the other learns: only learning counts.
    """
    seen = [item for item in judged.values() if item.first is not None]
    if phases and len(seen) > 1:
        # One after the other, each is a training of its own: one that does not work is not excused by the others.
        return next((item for item in seen if item.works is False), seen[-1])
    if len(seen) <= 1:
        return (seen or list(judged.values()) or [Learning("unknown", "no step was taken")])[0]
    learning = [item for item in seen if item.state == "learning"]
    if learning:
        return learning[0]
    if all(item.state == seen[0].state and _alike(item.first, seen[0].first) for item in seen):
        return seen[0]
    first = seen[0]
    return Learning(
        "unknown",
        "several losses work against each other",
        first.first,
        first.last,
        first.best,
        first.peak,
        first.noise,
        steps=first.steps,
    )


def _first(values: Array) -> float:
    """The loss at the start: the first value where the loss jumped up at once, else the median of the first window.

    A too large first step throws the loss up; measured against what follows, coming back would look like learning.
    """
    early = values[: min(len(values), 5)]
    median = float(np.median(early))
    return (
        float(values[0])
        if len(early) > 2 and early[1] > 2 * abs(values[0]) + abs(values[0]) and median > 2 * abs(values[0])
        else median
    )


def _learned(first: float, value: float, error: float, reference: Reference | None) -> str | None:
    """Why ``value`` shows that something was learned; None where it does not."""
    if reference is not None:
        if value < reference.loss - max(reference.margin, ERRORS * error):
            return "the loss is below that of the best constant prediction"
        return None
    if first - value > max(ERRORS * error * np.sqrt(2), BIAS_ONLY * abs(first)):
        return "the loss fell by more than its noise"
    return None


def _turn(seen: Sequence[tuple[int, float]], size: int) -> int:
    """The step around which the loss was lowest."""
    values = np.array([loss for _, loss in seen])
    middle = size // 2
    smooth = [np.median(values[max(0, i - middle) : i + middle + 1]) for i in range(len(values))]
    return seen[int(np.argmin(smooth))][0]


def _last_loss(steps: Sequence[Step]) -> float:
    known = [step.loss for step in steps if step.loss is not None]
    return known[-1]


def _targets_move(objectives: Sequence[tuple[int, Objective]]) -> bool:
    sizes = [o.target_rms for _, o in objectives if o.target_rms is not None and o.target_rms > 0 and o.classes is None]
    if len(sizes) < 4:
        return False
    early, late = np.median(sizes[: len(sizes) // 2]), np.median(sizes[-(len(sizes) // 2) :])
    return bool(max(early, late) > MOVING * min(early, late))


def _alike(left: float | None, right: float | None) -> bool:
    return left is not None and right is not None and abs(left - right) <= 0.1 * max(abs(left), abs(right))
