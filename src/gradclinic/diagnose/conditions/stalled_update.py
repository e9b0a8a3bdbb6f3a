"""The gradient is there, but the weights do not move, or move only by decay."""

from __future__ import annotations

from math import isfinite

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.cause import Cause, listed
from ..causes.decay import SHRUNK_TO, shrunk_by_decay
from ..causes.foreseen import too_slow
from ..causes.revived import revived
from ..causes.step_size import small_inputs
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import found
from .vanishing_gradient import LOST, STARVED

#: An update that leaves nine of ten elements as they were is nine tenths lost.
UNCHANGED = Threshold("unchanged_share", 0.9, "nine tenths of the update are lost to rounding")
#: A gradient below eps moves Adam's weights by less than half of the learning rate.
BELOW_EPS = Threshold("gradient_over_eps", 1.0, "Adam's step is lr·g/(g+eps): below eps it loses more than half")
RAISED_EPS = Threshold("eps", 1e-6, "a hundred times Adam's default: below it, eps is what everybody has")
SHRUNK = Threshold("weight_left", SHRUNK_TO, "one e-fold, lr·decay·T ≥ 1")
#: A schedule whose rates sum to less than this share of the steps at the highest rate has ended the training early.
SPENT = Threshold("share_at_full_rate", 0.1, "nine tenths of the budget are spent at next to no learning rate")
ORDINARY = Threshold(
    "relative_update", 1e-3, "the update-to-weight ratio that practice aims at (Karpathy 2015): a thousandth per step"
)
#: Steps before a short way is evidence: any run's first ten steps go nowhere.
STEPS = Threshold("steps", 50, "ten windows of five losses, the fewest with a robust median")


def check(evidence: Evidence) -> Outcome:
    """Looks at how far the weights moved, and what kept them."""
    if evidence.learning.well:
        return Healthy("stalled_update", evidence.learning.reason)
    weights = evidence.matrices
    if not len(weights) or not len(evidence.relative_updates):
        return NotEnoughData("stalled_update", "updates of weights")
    travel = evidence.travel[weights]
    seen = travel[np.isfinite(travel)]
    largest, numbers = (
        float(seen.max(initial=0.0)),
        {"travel_largest": float(seen.max(initial=0.0)), "steps": evidence.horizon},
    )
    cause = _rounding(evidence) or shrunk_by_decay(evidence)
    stopped = revived(evidence) if cause is None else None
    if stopped is not None and evidence.learning.above_constant:
        return Healthy("stalled_update", "what stops the gradient is told of the loss that does not fall", numbers)
    cause = cause or stopped
    slow = too_slow(evidence)
    if cause is None and slow is not None:
        text = "The weights will hardly have moved when the budget is spent"
        return found("stalled_update", slow, evidence, seen=text, step=0, numbers=numbers)
    if cause is None and evidence.horizon < STEPS.value:
        return NotEnoughData("stalled_update", f"{STEPS.value:g} steps")
    if cause is None:
        cause = _schedule(evidence)
    if cause is None and len(seen) and largest < STARVED.value:
        cause = small_inputs(evidence) or _epsilon(evidence) or _learning_rate(evidence, largest)
    if cause is None:
        cause = _raised_epsilon(evidence)
    if cause is None:
        cause = _faster_at_a_higher_rate(evidence)
    if cause is None:
        return Healthy("stalled_update", f"weights can have moved by up to {largest:.2g} of their size", numbers)
    text = f"In {evidence.horizon} steps the weights can have moved by at most {largest:.1e} of their size"
    if cause.id == "learning_rate_low" and "learning_rate_last" in cause.numbers:
        text = "The learning rate was gone before anything was learned"
    if "rate_tested" in cause.numbers:
        text = "The loss creeps"
    if cause.id == "weight_decay_high":
        text = "The weights shrink faster than they learn"
    return found("stalled_update", cause, evidence, seen=text, step=0, numbers=numbers)


def _rounding(evidence: Evidence) -> Cause | None:
    coarse = [int(i) for i in evidence.matrices if evidence.low_precision[i]]
    if not coarse:
        return None
    shares = evidence.unchanged[:, coarse]
    known = [float(np.nanmedian(column)) for column in shares.T if np.isfinite(column).any()]
    if not known or np.median(known) < UNCHANGED.value:
        return None
    modules = tuple(dict.fromkeys(evidence.module_of(i) for i in coarse))
    dtype = next(p.dtype for p in evidence.parameters if p.index == coarse[0])
    return Cause(
        "precision_rounding",
        f"{100 * np.median(known):.0f}% of the {dtype} elements with a gradient keep their value: the update is smaller"
        " than half a step of the format",
        f"Keep the weights of {listed(modules)} in float32 and use autocast, or round stochastically.",
        modules[:8],
        {"unchanged_share": float(np.median(known)), "dtype": dtype},
        ("float32_master_weights", "stochastic_rounding"),
        "half a step of bfloat16 is 2^-9 of a weight, 0.2%",
        0.9,
    )


def _epsilon(evidence: Evidence) -> Cause | None:
    eps = [float(value) for value in evidence.settings("eps") if isinstance(value, (int, float))]
    rms = evidence.gradient_rms[:, evidence.matrices]
    rms = rms[np.isfinite(rms) & (rms > 0)]
    if not eps or not len(rms) or not evidence.scale_free:
        return None
    typical = float(np.median(rms))
    if typical >= BELOW_EPS.value * max(eps) or _vanishes(evidence):
        return None
    name = evidence.record.optimizers[0].name
    return Cause(
        "optimizer_epsilon",
        f"the gradients (RMS {typical:.1e}) are below {name}'s eps of {max(eps):g}, which then sets the step",
        f"Lower eps of {name} to {typical / 100:.0e}, or scale the loss up.",
        (name,),
        {"gradient_rms": typical, "eps": max(eps)},
        ("lower_eps", "scale_loss"),
        "Adam's step is lr·m/(√v + eps) (Kingma 2015)",
        0.85,
    )


def _raised_epsilon(evidence: Evidence) -> Cause | None:
    """An eps that somebody raised above the gradients: the optimizer no longer divides by their size, and creeps."""
    eps = [float(value) for value in evidence.settings("eps") if isinstance(value, (int, float))]
    tested = evidence.interventions.of("optimizer_epsilon")
    if max(eps, default=0.0) < RAISED_EPS.value or (tested is not None and not tested.times_as_fast > 1):
        return None
    return _epsilon(evidence)


def _learning_rate(evidence: Evidence, travel: float) -> Cause | None:
    rates = [max(step.lr) for step in evidence.taken if step.lr]
    if not rates or _vanishes(evidence):
        return None
    totals = evidence.gradient_totals[np.isfinite(evidence.gradient_totals)]
    gradient = float(np.median(totals)) if len(totals) else 0.0
    if gradient == 0.0:
        return None
    rate, factor = max(rates), 10.0 ** float(np.ceil(np.log10(STARVED.value / max(travel, 1e-12))))
    name = evidence.record.optimizers[0].name if evidence.record.optimizers else "the optimizer"
    return Cause(
        "learning_rate_low",
        f"the gradient is healthy (norm {gradient:.2g}), but the learning rate {rate:g} is far too small for so few"
        " steps",
        f"Raise the learning rate of {name} from {rate:g} to {rate * factor:g} or more.",
        (name,),
        {"learning_rate": rate, "gradient_norm": gradient},
        ("raise_learning_rate",),
        "features change when weights move by about 1/√width of their size",
        0.8,
    )


def _faster_at_a_higher_rate(evidence: Evidence) -> Cause | None:
    """A loss that creeps, and that fell many times as fast on a copy at a higher learning rate."""
    tested = evidence.interventions.of("learning_rate_low")
    rates = [max(step.lr) for step in evidence.taken if step.lr]
    if tested is None or not tested.moves or not rates:
        return None
    # An optimizer that divides by the gradient's size goes faster at any higher rate, at first; its steps must be small
    # against the weights as well.
    if evidence.scale_free and (evidence.jump is None or evidence.jump >= ORDINARY.value):
        return None
    times = f"{tested.times_as_fast:.0f} times as fast" if isfinite(tested.times_as_fast) else "where it did not before"
    name = evidence.record.optimizers[0].name if evidence.record.optimizers else "the optimizer"
    return Cause(
        "learning_rate_low",
        f"at {tested.data['what']} it falls {times}, and the steps are still stable",
        f"Raise the learning rate of {name}, {max(rates):g} now, tenfold, and look again.",
        (name,),
        {"learning_rate": max(rates), "rate_tested": tested.times_as_fast},
        ("raise_learning_rate",),
        "in the stable range the loss falls in proportion to the learning rate",
        0.8,
    )


def _schedule(evidence: Evidence) -> Cause | None:
    """A learning rate that was gone before anything could be learned."""
    rates = np.array([max(step.lr) if step.lr else np.nan for step in evidence.taken])
    rates = rates[np.isfinite(rates)]
    if not len(rates) or rates.max() <= 0 or _vanishes(evidence):
        return None
    # A scheduler notes in each group the rate that it starts from; a warm-up should come near it.
    full = max([float(rates.max()), *(float(value) for value in evidence.settings("initial_lr"))])
    worth, last = float(rates.sum() / full), float(rates[-1])
    if worth > SPENT.value * len(rates) or last > SPENT.value * full:
        return None
    if rates.max() < SPENT.value * full:
        return _never_warm(evidence, float(rates.max()), full, len(rates))
    gone = int(np.argmax(rates < 0.01 * rates.max())) if (rates < 0.01 * rates.max()).any() else len(rates) - 1
    name = evidence.record.optimizers[0].name if evidence.record.optimizers else "the optimizer"
    return Cause(
        "learning_rate_low",
        f"the schedule took the learning rate from {rates.max():g} to {last:.2g}, below a hundredth by step"
        f" {evidence.taken[gone].step}: all {len(rates)} steps together are worth {worth:.3g} at the first rate",
        "Let the learning rate fall over the whole budget: step the scheduler once per epoch, or decay more slowly.",
        (name,),
        {"learning_rate_first": float(rates.max()), "learning_rate_last": last, "steps_at_full_rate": worth},
        ("slower_schedule",),
        "the distance travelled is at most the sum of the steps",
        0.85,
    )


def _never_warm(evidence: Evidence, highest: float, full: float, steps: int) -> Cause:
    name = evidence.record.optimizers[0].name
    return Cause(
        "learning_rate_low",
        f"in {steps} steps the schedule let the learning rate come to {highest:.2g}, {100 * highest / full:.2g}% of the"
        f" {full:g} that {name} was given",
        "Step the scheduler once per optimizer step, or make the warm-up shorter than the training.",
        (name,),
        {"learning_rate_given": full, "learning_rate_last": highest},
        ("faster_warmup",),
        "the distance travelled is at most the sum of the steps",
        0.85,
    )


def _vanishes(evidence: Evidence) -> bool:
    return bool(evidence.spines) and float(np.median([s.total for s in evidence.spines])) <= -2 * LOST.value


CONDITION = Condition(
    "stalled_update",
    "weights that do not move, or only by decay",
    check,
    (UNCHANGED, BELOW_EPS, RAISED_EPS, SHRUNK, STARVED, SPENT, ORDINARY, STEPS),
)
