"""What is minimised is not what was meant: broadcast shapes, a flipped sign, empty targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome

from ..causes.climbing import climbing
from ..causes.loss_domain import loss_domain
from ..causes.loss_terms import swamping_sum
from ..causes.output_activation import output_activation
from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..learning import ERRORS, MOVE_STEPS
from ..reference import cannot_be_negative, is_error
from ..series import median_error, noise, window_size
from .common import found, outcome_sentence

#: Share of steps whose loss follows +lr·‖g‖² in sign: chance gives 1/2, with a standard error of 1/2√n.
UPHILL = Threshold("share_of_steps_uphill", 0.75, "chance gives 1/2 ± 1/(2√n): at 50 steps 0.75 is 3.5 errors away")
STEPS = Threshold("steps", MOVE_STEPS, "two windows of five losses")
#: A loss that is the negative of one that cannot be negative starts near minus what a constant prediction gives.
NEGATED = Threshold("loss_over_constant", -1.0, "minus the loss of a constant prediction, beyond its noise")


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Looks at the objective of the ledgers, and at which way the loss goes."""
    outcomes: list[Outcome] = []
    spread = next(((tick, o.op or "loss", o.broadcast) for tick, o in evidence.objectives if o.broadcast), None)
    for event in evidence.events("accidental_outer"):
        shapes = tuple(event.data["left"]), tuple(event.data["right"])
        spread = spread or (event.tick, event.data["function"], shapes)
    if spread is not None:
        outcomes.append(_broadcast(*spread, evidence))
    unfit = output_activation(evidence) or loss_domain(evidence)
    if unfit is not None:
        outcomes.append(unfit)
    swamping = None if evidence.learning.well else swamping_sum(evidence)
    if swamping is not None:
        seen = "One term of the loss leaves nothing to the others"
        outcomes.append(found("wrong_objective", swamping, evidence, seen=seen, step=0, numbers={}))
    ascent = _ascent(evidence)
    if ascent is not None:
        outcomes.append(ascent)
    if outcomes:
        return outcomes
    if not evidence.objectives:
        return NotEnoughData("wrong_objective", "a loss whose form is known")
    return Healthy("wrong_objective", "the loss has the shapes and the sign that its form asks for")


def _broadcast(tick: int, name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], evidence: Evidence) -> Finding:
    left, right = shapes
    joint = tuple(np.broadcast_shapes(left, right))
    return Finding(
        "wrong_objective",
        "loss_broadcast",
        (name,),
        evidence.step_of(tick),
        "critical",
        0.97,
        {"shape_left": list(left), "shape_right": list(right), "shape_joint": list(joint)}
        | evidence.learning.numbers(),
        f"The loss combines {left} with {right}, which broadcast to {joint}: every prediction is compared with every"
        f" target, so that the best the model can do is to predict their mean. {outcome_sentence(evidence)}",
        "Give both the same shape before the loss, e.g. target.view_as(prediction) or prediction.squeeze(-1).",
        ("match_shapes",),
        "numpy's broadcasting rules: (N, 1) against (N,) gives (N, N)",
    )


def _ascent(evidence: Evidence) -> Finding | None:
    if any(value is True for value in evidence.settings("maximize")):
        # A likelihood or a bound is there to be raised; an error is not.
        if evidence.learning.state == "rising" and any(is_error(o) for _, o in evidence.objectives[:1]):
            return _flipped(evidence, "the optimizer was told to maximise", "Set maximize=False.", 0.9, {"maximize": 1})
        return None
    for event in evidence.events("uphill_step"):
        return _flipped(
            evidence,
            f"the first steps moved the weights along the gradient (cosine {event.data['cosine']:+.2f}), which makes"
            " the loss larger",
            "Subtract the gradient in the update.",
            0.95,
            {"cosine_step_gradient": event.data["cosine"]},
        )
    rewarded = _rewarded(evidence)
    if rewarded is not None:
        return rewarded
    climb = climbing(evidence)
    if climb is not None:
        return _flipped(evidence, climb.because, climb.action, climb.confidence, climb.numbers)
    objective = evidence.objectives[0][1] if evidence.objectives else None
    losses = evidence.losses[np.isfinite(evidence.losses)]
    if len(losses) < STEPS.value:
        return None
    size = window_size(len(losses))
    start, end = float(np.median(losses[:5])), float(np.median(losses[-size:]))
    error = median_error(noise(losses), size)
    if objective is not None and objective.constant_loss and cannot_be_negative(objective.op) and start < 0:
        near = 1 / 3 < -start / objective.constant_loss < 3
        if near and end < 2 * start - ERRORS * error:
            numbers = {"loss_first_window": start, "loss_last_window": end, "constant_loss": objective.constant_loss}
            return _flipped(
                evidence,
                f"the loss of {objective.op} cannot be negative, and it runs away from 0",
                "Remove the minus sign before the loss.",
                0.9,
                numbers,
            )
    share, count = _uphill(evidence)
    gentle = evidence.jump is None or evidence.jump < 0.1
    if (
        evidence.learning.state == "rising"
        and evidence.learning.turned in (None, 0)
        and gentle
        and count >= STEPS.value
    ):
        if share >= UPHILL.value and share - 0.5 > ERRORS * 0.5 / np.sqrt(count) and _steady(evidence):
            return _flipped(
                evidence,
                "small steps made it rise from the very first, as the first-order change +lr·‖g‖² says of steps uphill",
                "Subtract the gradient in the update, and minimise the loss itself.",
                0.8,
                {"share_of_steps_uphill": share},
            )
    return None


def _rewarded(evidence: Evidence) -> Finding | None:
    """An error that stands alone in the loss and gets a negative gradient, so that each step makes it larger.

    With several optimizers that may be meant: a generator climbs its discriminator's error.
    """
    seen = [o for _, o in evidence.objectives if o.sign is not None and o.alone]
    if not seen or len(evidence.optimizers) > 1 or any(o.sign is None or o.sign > -1 for o in seen):
        return None
    errors = [o.value for o in seen if o.value is not None]
    # Where the error itself was not kept, the predictions show it: they run away.
    values = errors if len(errors) > 1 else [o.prediction_rms for o in seen if o.prediction_rms is not None]
    if len(values) < 2 or values[-1] <= values[0]:
        return None
    name = "the error" if len(errors) > 1 else "the predictions' RMS"
    numbers = {"first": values[0], "last": values[-1], "gradient_sign": -1.0}
    because = f"the error {seen[0].op} gets a negative gradient, so that steps make it larger"
    because += f": {name} went from {values[0]:.4g} to {values[-1]:.4g}"
    return _flipped(evidence, because, "Turn the sign of the loss round: minimise the negative.", 0.95, numbers)


def _uphill(evidence: Evidence) -> tuple[float, int]:
    """Share of windows-of-one steps whose loss rose, among the first fifty that are next to each other."""
    losses = evidence.losses[:51]
    finite = np.isfinite(losses)
    rises = np.diff(np.where(finite, losses, 0.0))[finite[1:] & finite[:-1]]
    return (float(np.mean(rises > 0)), len(rises)) if len(rises) else (0.0, 0)


def _steady(evidence: Evidence) -> bool:
    """Whether the first rise is that of steps uphill, and not that of an unstable step."""
    pairs = list(zip(evidence.taken, evidence.gradient_totals, strict=True))[:6]
    losses = [step.loss for step, _ in pairs]
    if len(pairs) < 3 or any(loss is None for loss in losses):
        return False
    if evidence.scale_free or not all(step.lr for step, _ in pairs):
        # The first-order change is not known.  An unstable step turns the gradient round each time; uphill it stays.
        kept = evidence.direction_kept
        return kept is not None and kept >= UPHILL.value
    # Uphill, the rise is lr·‖g‖² within a factor of ten; an unstable step exceeds it by far.
    foretold = sum(max(step.lr) * float(total) ** 2 for step, total in pairs[:-1] if np.isfinite(total))
    rise = float(losses[-1] or 0.0) - float(losses[0] or 0.0)
    return foretold > 0 and 0.1 < rise / foretold < 10


def _flipped(evidence: Evidence, because: str, action: str, confidence: float, numbers: dict[str, Any]) -> Finding:
    op = evidence.objectives[0][1].op if evidence.objectives else "loss"
    return Finding(
        "wrong_objective",
        "gradient_ascent",
        (op,),
        0,
        "critical",
        confidence,
        dict(numbers) | evidence.learning.numbers(),
        f"The training goes uphill: {because}. {outcome_sentence(evidence)}",
        action,
        ("flip_sign",),
        "first-order change of the loss under a step -lr·g: -lr·‖g‖²",
    )


CONDITION = Condition("wrong_objective", "a loss that is not what was meant", check, (UPHILL, STEPS, NEGATED))
