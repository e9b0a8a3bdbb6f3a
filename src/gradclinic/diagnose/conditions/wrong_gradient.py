"""The optimizer is given something that is not the gradient of the loss."""

from __future__ import annotations

from gradclinic.schema.finding import Finding, Healthy, Outcome
from gradclinic.schema.record import Event

from ..causes.wrong_slope import wrong_slopes
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import outcome_sentence

#: What capture's finite differences must disagree by before it writes the event.
DISAGREES = Threshold(
    "relative_error", 1e-2, "central differences in float64 are right to 1e-6 and more; 1e-2 is no rounding"
)

_EVIDENCE = ("relative_error", "analytic", "numeric", "line", "input", "fit", "scale", "calls")


def check(evidence: Evidence) -> Outcome | list[Outcome]:
    """Reads the events of the gradient check, of clipping, of the gradient scaler and of clearing.

    Calls in a wrong order are never meant, so they are critical even where the loss falls in spite of them.
    """
    outcomes: list[Outcome] = []
    seen: set[str] = set()
    for event in evidence.events("wrong_backward"):
        name = str(event.data.get("function", ""))
        if name not in seen:
            outcomes.append(_wrong_backward(event, evidence))
            seen.add(name)
    outcomes += wrong_slopes(evidence, seen)
    clipped = evidence.events("clip_before_unscale")
    if clipped:
        outcomes.append(_clipped(clipped, evidence))
    again = evidence.events("step_after_scaler")
    if again:
        outcomes.append(_stepped_again(again, evidence))
    scaled = evidence.events("stepped_while_scaled")
    if scaled:
        outcomes.append(_stepped_scaled(scaled[0], evidence))
    kept = evidence.events("gradient_not_cleared")
    if kept:
        outcomes.append(_kept(kept[0], evidence))
    return outcomes or Healthy("wrong_gradient", "no hand-written gradient disagreed with finite differences")


def _wrong_backward(event: Event, evidence: Evidence) -> Finding:
    data = event.data
    name, place = str(data.get("function", "a function")), f"{data.get('file', '?')}:{data.get('line', '?')}"
    error = data.get("relative_error")
    percent = f" by {100 * float(error):.3g}%" if isinstance(error, (int, float)) else ""
    meaning = f": it {data['meaning']}" if data.get("meaning") else ""
    of = f" with respect to {data['input']}" if data.get("input") else ""
    said = (
        f"The hand-written backward of `{name}` ({place}) disagrees with finite differences of its forward{of}{percent}"
    )
    # A straight-through estimator, a reversed or a clipped gradient is wrong on purpose.
    deliberate = bool(data.get("deliberate"))
    return Finding(
        "wrong_gradient",
        "wrong_backward",
        (name, place),
        evidence.step_of(event.tick),
        "note" if deliberate else "critical",
        0.95,
        {key: data[key] for key in _EVIDENCE if data.get(key) is not None} | {"function": name},
        f"{said}{meaning}. "
        + (
            "Such a pattern is written on purpose; it is right if that was meant."
            if deliberate
            else "Every weight before it is moved in a wrong direction."
        ),
        "Nothing, if that was meant."
        if deliberate
        else f"Correct the backward of `{name}` at {place} until torch.autograd.gradcheck accepts it.",
        () if deliberate else ("correct_backward",),
        "central differences: (f(x+h) - f(x-h)) / 2h",
    )


def _clipped(events: tuple[Event, ...], evidence: Evidence) -> Finding:
    data, step = events[0].data, evidence.step_of(events[0].tick)
    scale, limit = float(data.get("scale", 1.0) or 1.0), float(data.get("limit", 1.0) or 1.0)
    return Finding(
        "wrong_gradient",
        "clip_before_unscale",
        ("optimizer",),
        step,
        "critical",
        0.95,
        {"scale": scale, "limit": limit, "effective_limit": limit / scale, "times": len(events)}
        | evidence.learning.numbers(),
        f"Gradients were clipped to {limit:g} while still multiplied by the scaler's {scale:g}, so that the real limit"
        f" was {limit / scale:.2g}. {outcome_sentence(evidence)}",
        "Call scaler.unscale_(optimizer) before clip_grad_norm_.",
        ("unscale_before_clip",),
        "the norm of scale·g is scale·‖g‖",
    )


def _stepped_again(events: tuple[Event, ...], evidence: Evidence) -> Finding:
    return Finding(
        "wrong_gradient",
        "optimizer_order",
        ("optimizer",),
        evidence.step_of(events[0].tick),
        "critical",
        0.95,
        {"times": len(events)} | evidence.learning.numbers(),
        f"optimizer.step() was called again after scaler.step(optimizer), from step {evidence.step_of(events[0].tick)}"
        f" on: each gradient is used twice, and an overflowed one is not held back. {outcome_sentence(evidence)}",
        "Remove the optimizer.step() after scaler.step(optimizer).",
        ("remove_second_step",),
        "GradScaler.step calls optimizer.step itself",
    )


def _stepped_scaled(event: Event, evidence: Evidence) -> Finding:
    scale = float(event.data.get("scale") or float("nan"))
    return Finding(
        "wrong_gradient",
        "optimizer_order",
        ("optimizer",),
        evidence.step_of(event.tick),
        "critical",
        0.95,
        {"scale": scale} | evidence.learning.numbers(),
        f"optimizer.step() was called with gradients that are still multiplied by the scaler's {scale:g}: the loss was"
        f" scaled, and neither scaler.step nor scaler.unscale_ divides them again. {outcome_sentence(evidence)}",
        "Call scaler.step(optimizer) and scaler.update() in place of optimizer.step().",
        ("scaler_step",),
        "the gradient of scale·loss is scale·∇loss",
    )


def _kept(event: Event, evidence: Evidence) -> Finding:
    return Finding(
        "wrong_gradient",
        "optimizer_order",
        ("optimizer",),
        0,
        "critical",
        0.9,
        {"seen_at_step": evidence.step_of(event.tick), "parameter": str(event.data.get("parameter"))}
        | evidence.learning.numbers(),
        "Gradients are never cleared: each backward pass adds to those of all steps before, and each step follows their"
        f" sum instead of the gradient. {outcome_sentence(evidence)}",
        "Call optimizer.zero_grad() once per step, before backward().",
        ("zero_grad",),
        "backward() adds to .grad",
    )


CONDITION = Condition("wrong_gradient", "a step along something that is not the gradient", check, (DISAGREES,))
