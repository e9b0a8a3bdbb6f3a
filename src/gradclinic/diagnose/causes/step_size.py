"""Why steps are too large: the data's scale, the weights', or the learning rate itself."""

from __future__ import annotations

from ..evidence import Evidence
from ..reference import summed
from ..spine import Spine
from .cause import Cause
from .criticality import bounded
from .depth import explain

#: The stable learning rate falls with the square of the input's RMS (the curvature of a linear layer is E[x²]).
#: From RMS 10 on, two decades of it are gone, more than people search.
INPUT_RMS = 10.0
#: The gradient of the first weights grows in proportion to the input: at a tenth, a decade is gone.
INPUT_SMALL = 0.1
#: The same for targets: the gradient of a squared error grows in proportion to them.
TARGET_RMS = 10.0
#: Half a decade of either is blamed where a test on a copy confirms it.
CONFIRMED_RMS = 3.0
#: More than half of the elements beyond a tenth of the slope: the layer as a whole passes less than half a decade.
MOSTLY = 0.5
#: Updates of a tenth of the weights replace the initialisation within ten steps, the memory of Adam's momentum.
VIOLENT = 0.1
#: Growth through depth that the initialisation has already: six depth scales (see ``vanishing_gradient``).
STEEP = 1.3


def explain_large_steps(evidence: Evidence) -> Cause:
    """The origin of steps that are too large: of what is known, the first in the order of events that stood the test.

    A candidate that was tested on a copy and did not help yields to a later one that did.
    """
    squares = _forgotten_squares(evidence)
    if squares is not None:  # seen in the optimizer itself: no test on copies tries another format for it
        return squares
    found = (_data(evidence), _initialisation(evidence), _reduction(evidence), _learning_rate(evidence))
    candidates = [cause for cause in found if cause is not None]
    tests = evidence.interventions
    confirmed = next((cause for cause in candidates if tests.confirms(cause.id)), None)
    return confirmed or candidates[0]


def _forgotten_squares(evidence: Evidence) -> Cause | None:
    """An optimizer's memory of the gradient's square in 16 bits: where it is 0, the step is divided by eps alone."""
    for event in evidence.events("coarse_state"):
        data = event.data
        if data["zero_share"] < MOSTLY:
            continue
        return Cause(
            "precision_underflow",
            f"the optimizer keeps `{data['state']}` in {data['dtype']}, and {100 * data['zero_share']:.0f}% of it is 0"
            " although there is a gradient: what a step is divided by is gone",
            f"Keep `{data['state']}` in float32, or in bfloat16, which reaches down to 1e-38.",
            ("optimizer",),
            {"zero_share": data["zero_share"], "state": str(data["state"])},
            ("full_precision_state",),
            "half of the smallest float16 is 3e-8; (1-β₂)·g² is below it for every g below 5e-3",
            0.9,
        )
    return None


def too_large(evidence: Evidence) -> bool:
    """Whether the first updates are large enough to destroy the initialisation."""
    return evidence.jump is not None and evidence.jump >= VIOLENT


def input_rms(evidence: Evidence) -> tuple[float, str] | None:
    """RMS of what goes into the first operation with weights at the first ledger, and that operation's module."""
    for row in evidence.ledgers[:1]:
        first = [
            e
            for e in row.ledger.entries
            if e.kind == "weight" and e.forward_in is not None and "embedding" not in e.op.lower()
        ]
        reading = [e for e in first if not e.inputs] or first[:1]
        if reading:
            worst = max(reading, key=lambda e: e.forward_in or 0.0)
            return float(worst.forward_in or 0.0), worst.module or worst.op
    return None


def saturated_by_inputs(evidence: Evidence) -> Cause | None:
    """Inputs so large that the first bounded activation is saturated from the start, whatever its weights."""
    seen = input_rms(evidence)
    known = sorted((s[0][1] for s in evidence.activities.values()), key=lambda activity: activity.sequence)
    flat = [activity for activity in known if bounded(activity.op)]
    if seen is None or seen[0] < INPUT_RMS or not flat or flat[0].saturated_fraction < MOSTLY:
        return None
    rms, where = seen
    first = flat[0].module or flat[0].op
    return Cause(
        "input_scale",
        f"the input of `{where}` has an RMS of {rms:.3g}, which drives {100 * flat[0].saturated_fraction:.0f}% of"
        f" `{first}` to where its slope is gone",
        "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
        (where,),
        {"input_rms": rms, "saturated_fraction": flat[0].saturated_fraction},
        ("standardise_inputs",),
        "LeCun 1998: inputs of mean 0 and variance 1 keep the units in their linear range",
        0.85,
    )


def small_inputs(evidence: Evidence) -> Cause | None:
    """Inputs so small that they hardly reach the first layer's units, where standardising them helped on a copy."""
    seen = input_rms(evidence)
    if seen is None or not 0 < seen[0] <= INPUT_SMALL or not evidence.interventions.confirms("input_scale"):
        return None
    rms, where = seen
    return Cause(
        "input_scale",
        f"the input of `{where}` has an RMS of {rms:.3g}, so that its units differ by their biases and hardly by it",
        "Standardise the inputs once (subtract the mean, divide by the standard deviation) before training.",
        (where,),
        {"input_rms": rms},
        ("standardise_inputs",),
        "LeCun 1998: inputs of variance 1 use the units' range",
        0.85,
    )


def _data(evidence: Evidence) -> Cause | None:
    # Optimizers that divide by the gradient's size do not feel the scale of data in their steps.
    if evidence.scale_free and too_large(evidence):
        return None
    seen = input_rms(evidence)
    targets = [(o.target_rms or 0.0) for _, o in evidence.objectives[:1] if o.classes is None]
    target = targets[0] if targets else 0.0
    rms = seen[0] if seen else 0.0
    tests = evidence.interventions
    target_limit = CONFIRMED_RMS if tests.confirms("target_scale") else TARGET_RMS
    input_limit = CONFIRMED_RMS if tests.confirms("input_scale") else INPUT_RMS
    if rms < input_limit and target < target_limit:
        return None
    # Inputs act on the stable step by their square, targets on its length in proportion.
    if target >= target_limit and target > rms**2:
        return Cause(
            "target_scale",
            f"the targets have an RMS of {target:.3g}, and the gradient grows with them",
            "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
            ("targets",),
            {"target_rms": target, "input_rms": rms},
            ("standardise_targets", "lower_learning_rate"),
            "∂(y-t)²/∂y is proportional to t",
            0.75,
        )
    where = seen[1] if seen else "input"
    return Cause(
        "input_scale",
        f"the input of `{where}` has an RMS of {rms:.3g}, which lowers the largest stable learning rate by"
        f" {rms**2:.2g}",
        "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
        (where,),
        {"input_rms": rms, "target_rms": target},
        ("standardise_inputs", "lower_learning_rate"),
        "LeCun 1998: the curvature of a linear layer is the second moment of its input",
        0.8,
    )


def _initialisation(evidence: Evidence) -> Cause | None:
    first: Spine | None = evidence.spines[0] if evidence.spines else None
    if first is None or evidence.step_of(first.tick) > 0 or first.total < STEEP:
        return None
    return explain(first, +1)


def _reduction(evidence: Evidence) -> Cause | None:
    """A loss that is a sum over the batch: its gradient is as many times larger as the batch has samples."""
    objective = evidence.objectives[0][1] if evidence.objectives else None
    reference = evidence.learning.reference
    if evidence.scale_free or objective is None or reference is None or not summed(objective):
        return None
    return Cause(
        "loss_reduction",
        f"{objective.op} sums over {reference.batch} samples, which makes the gradient as many times larger",
        "Use reduction='mean' in the loss, or divide the learning rate by the batch size.",
        (objective.op,),
        {"batch": reference.batch},
        ("mean_reduction", "lower_learning_rate"),
        "∇Σℓ = n·∇(Σℓ/n)",
        0.8,
    )


def _learning_rate(evidence: Evidence) -> Cause:
    rates = [rate for step in evidence.taken[:10] for rate in step.lr]
    rate = max(rates, default=0.0)
    numbers: dict[str, float | int | str] = {"learning_rate": rate}
    because = f"the learning rate {rate:g} is too large" if rate > 0 else "the steps are too large"
    if evidence.jump is not None:
        numbers["relative_update"] = evidence.jump
        times = f"{evidence.jump:.1e} times" if evidence.jump > 10 else f"{100 * evidence.jump:.2g}% of"
        because += f": single steps changed the weights by {times} their size"
    name = evidence.record.optimizers[0].name if evidence.record.optimizers else "the optimizer"
    where = tuple(evidence.module_of(int(i)) for i in _moved_most(evidence)) or (name,)
    return Cause(
        "learning_rate_high",
        because,
        f"Lower the learning rate of {name} from {rate:g} to {rate / 10:g}."
        if rate > 0
        else "Make the steps ten times smaller.",
        where[:3],
        numbers,
        ("lower_learning_rate", "warmup", "gradient_clipping"),
        "stability limits: gradient descent 2/λ, Adam 38/λ of the preconditioned Hessian (Cohen 2021, 2022)",
        0.8 if too_large(evidence) else 0.6,
    )


def _moved_most(evidence: Evidence) -> list[int]:
    rows = evidence.relative_updates[:3]
    if not len(rows) or not len(evidence.matrices):
        return []
    largest = [(float(rows[:, i][rows[:, i] == rows[:, i]].max(initial=0.0)), int(i)) for i in evidence.matrices]
    return [index for size, index in sorted(largest, reverse=True)[:3] if size > 0]
