"""Why a value is not finite: an invalid operation, an overflow, an underflow, or the steps before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradclinic.schema.record import Event

from ..condition import Threshold
from ..evidence import Evidence
from .cause import Cause, listed
from .criticality import plain, unbounded
from .depth import explain
from .out_of_range import in_half, outgrown, overflow, quotient, shrinks, sums_in_half, vanished
from .step_size import STEEP, explain_large_steps, too_large

#: Growth of loss or gradient before the first bad value that says that the steps, not the operation, are the origin.
GREW = Threshold(
    "decades_of_growth", 1.0, "a tenfold rise over the first steps' median is beyond batch noise of a falling loss"
)

HALF = Threshold("largest_half", 65504.0, "the largest finite number of float16")

#: Half of the smallest positive float16, 2^-24: what is below it rounds to 0.
ROUNDS_TO_ZERO = 2.0**-25

#: Skipped steps in a row: a scaler halves its scale each time, so 16 take it from 2^16 to 1.
SKIPS = Threshold("skips_in_a_row", 16, "GradScaler's default scale 2^16 halves to 1 in 16 skips")

#: Operations with a point where they, or their slope, are not finite, and what to do there.
_SINGULAR = {
    "log": "add a small number inside the logarithm, or use log_softmax or logsigmoid",
    "log2": "add a small number inside the logarithm",
    "log10": "add a small number inside the logarithm",
    "log1p": "keep its argument above -1",
    "sqrt": "add a small number inside the root: its slope at 0 is infinite",
    "rsqrt": "add a small number inside the root",
    "div": "add a small number to the denominator",
    "reciprocal": "add a small number to the denominator",
    "pow": "keep the base away from 0: a power below 1 has an infinite slope there",
    "acos": "clamp its argument inside (-1, 1)",
    "asin": "clamp its argument inside (-1, 1)",
    "atan2": "keep its arguments away from (0, 0)",
    "atanh": "clamp its argument inside (-1, 1)",
    "norm": "add a small number inside: the slope of a norm at 0 is not defined",
    "linalgvectornorm": "add a small number inside: the slope of a norm at 0 is not defined",
    "std": "add a small number: its slope at a constant input is infinite",
    "var": "use at least two samples",
    "cdist": "add a small number to the distance: its slope at 0 is not defined",
    "softmax": "leave at least one entry of each row unmasked",
    "safesoftmax": "leave at least one entry of each row unmasked",
    "logsoftmax": "leave at least one entry of each row unmasked",
    "mul": "do not multiply 0 by infinity; use torch.where on the input, not on the result",
    "sub": "do not subtract infinity from infinity",
    "binarycrossentropy": "use binary_cross_entropy_with_logits",
    "xlogy": "keep its second argument above 0",
    "ctcloss": "set zero_infinity=True, and drop targets longer than their input",
}


def explain_non_finite(event: Event | None, evidence: Evidence, step: int, bad: Any, skipped: int) -> Cause:
    """The cause of the first value that is not finite, at ``step``.

    ``event``: its origin, where it was found.  ``bad``: indices of the steps whose gradients broke.  ``skipped``: steps
    that a scaler held back, in a row at the end.
    """
    if event is None and skipped >= SKIPS.value:
        return overflow(("model",), "gradients overflow at every scale", {"skipped_in_a_row": skipped})
    data = event.data if event is not None else {}
    op, where = plain(str(data.get("op", ""))), _where(data, evidence, bad)
    inputs = [item for item in data.get("inputs", []) if isinstance(item, dict)]
    finite_inputs = all(not item.get("non_finite") for item in inputs)
    largest = max((abs(_number(item.get(key))) for item in inputs for key in ("low", "high")), default=0.0)
    if data.get("direction") == "input":
        return Cause(
            "invalid_operation",
            "the batch itself has values that are not finite",
            "Look at the data of this step: remove or fill the values that are not finite.",
            where,
            {"largest_input": largest},
            ("clean_data",),
            "IEEE 754: nan and inf spread through every sum",
            0.9,
        )
    if data.get("direction") == "parameter":
        rounded = _rounded_epsilon(evidence, where)
        if rounded is not None:
            return rounded
    if "nllloss" in op or ("crossentropy" in op and "binary" not in op):
        if finite_inputs and data.get("direction", "forward") == "forward":
            return Cause(
                "empty_target",
                "the mean over the targets is 0/0: every target of the batch is ignored",
                "Check the targets: leave at least one that is not ignore_index in every batch.",
                where,
                {"largest_input": largest},
                ("check_targets",),
                "a mean over no element is 0/0",
                0.9,
            )
    grew = _growth(evidence, step)
    if finite_inputs and inputs and data.get("direction") == "forward" and not _half(evidence) and grew < GREW.value:
        overflown = outgrown(op, str(data.get("op")), where, largest, evidence)
        if overflown is not None:
            return overflown
    if op.startswith("log") and largest == 0 and shrinks(str(data.get("op")), evidence):
        return vanished(str(data.get("op")), where)
    if op == "exp" and quotient(str(data.get("op")), evidence):
        return overflow(
            where,
            f"exp of values up to {largest:.3g}, of which a quotient or a logarithm is taken, leaves the range of"
            " float32 at 88.7, though the result would not",
            {"largest_input": largest},
        )
    if op in _SINGULAR and in_half(inputs) and _rounded_to_zero(inputs):
        raised = evidence.interventions.changed("precision")
        if raised is None or raised.makes_finite:
            return _underflow(str(data.get("op")), where)
    if op in _SINGULAR and _at_singularity(op, inputs, largest) and grew < GREW.value:
        return _invalid(str(data.get("op")), where, inputs)
    if unbounded(op) and not too_large(evidence):
        return Cause(
            "unbounded_activation",
            f"{data.get('op')} grows faster than its input, and received values up to {largest:.3g}",
            f"Bound the input of {data.get('op')} in {listed(where)} by a clamp or a normalisation, or use ReLU there.",
            where,
            {"largest_input": largest},
            ("relu_kaiming", "clamp", "normalization"),
            "exp(88.73) is the largest float32",
            0.85,
        )
    first = evidence.spines[0] if evidence.spines else None
    if first is not None and first.total >= STEEP and evidence.step_of(first.tick) == 0:
        return explain(first, +1)
    if grew >= GREW.value or (step > 0 and too_large(evidence)):
        return explain_large_steps(evidence)
    if (_half(evidence) or in_half(inputs)) and (largest > HALF.value**0.5 or not inputs or sums_in_half(op, inputs)):
        return overflow(where, f"float16 ends at 65504 and the inputs reach {largest:.3g}", {"largest_input": largest})
    if op in _SINGULAR:
        return _invalid(str(data.get("op")), where, inputs)
    if step > 0:
        return explain_large_steps(evidence)
    if largest > 1e15 or (event is not None and finite_inputs and largest > HALF.value):
        return overflow(where, f"values up to {largest:.3g} overflow", {"largest_input": largest})
    return Cause(
        "unknown",
        "nothing before it grew, and the operation has no invalid point that is known here",
        f"Look at what {listed(where)} computes at step {step}.",
        where,
        {"largest_input": largest},
        ("lower_learning_rate",),
        "the first value that is not finite",
        0.3,
    )


def thrown_away(evidence: Evidence, event: Event | None) -> Cause | None:
    """A script that scales the loss by hand and leaves out the steps whose float16 gradients overflow: nearly all."""
    told = evidence.events("gradients_discarded")
    if not told or told[-1].data["count"] < SKIPS.value or not evidence.in_float16:
        return None
    count, passes = told[-1].data["count"], told[-1].data["passes"]
    return Cause(
        "precision_overflow",
        f"of the first {passes} backward passes {count} left gradients beyond 65504, float16's largest number, and the"
        " script took no step along them",
        "Multiply the loss with a smaller scale, or use torch.amp.GradScaler, which finds one.",
        _where(event.data if event is not None else {}, evidence, []),
        {"passes_thrown_away": count, "passes_looked_at": passes},
        ("gradient_scaler", "bfloat16"),
        "largest float16: 65504 (Micikevicius 2018)",
        0.9,
    )


def _rounded_epsilon(evidence: Evidence, where: tuple[str, ...]) -> Cause | None:
    """Finite gradients, and parameters that are not: the optimizer divided by √v + eps, both 0 in the format."""
    eps = [float(value) for value in evidence.settings("eps")]
    half = any(p.dtype.endswith("float16") and "bfloat16" not in p.dtype for p in evidence.parameters)
    if not eps or not half or min(eps) >= ROUNDS_TO_ZERO or evidence.non_finite[:1].any():
        return None
    return Cause(
        "optimizer_epsilon",
        f"the weights left the optimizer's step non-finite: eps {min(eps):g} is 0 in float16, and a gradient whose"
        " square is 0 as well gives 0/0",
        "Set eps to 1e-4, or keep the weights in float32 and use autocast.",
        where,
        {"eps": min(eps)},
        ("raise_eps", "float32_master_weights"),
        "half of float16's smallest number is 3e-8; what is below it rounds to 0",
        0.85,
    )


def _rounded_to_zero(inputs: list[dict[str, Any]]) -> bool:
    """Whether an operand has a 0 at the end of its range: what was small and positive is gone."""
    return any(item.get("low") == 0 or item.get("high") == 0 for item in inputs)


def _underflow(op: str, where: tuple[str, ...]) -> Cause:
    return Cause(
        "precision_underflow",
        f"{op} works in float16 and was given a 0: what is below 6e-8 is 0 there, a guard such as 1e-8 included",
        f"Compute {listed(where)} in float32 (.float() before {op}), or use log_softmax or logsigmoid.",
        where,
        {"operation": op},
        ("full_precision", "log_softmax"),
        "half of the smallest float16 is 3e-8; what is below it rounds to 0",
        0.8,
    )


def _invalid(op: str, where: tuple[str, ...], inputs: list[dict[str, Any]]) -> Cause:
    ranges = "; ".join(
        f"{item.get('name', 'input')} from {_number(item.get('low')):.3g} to {_number(item.get('high')):.3g}"
        for item in inputs[:2]
    )
    return Cause(
        "invalid_operation",
        f"{op} was given {ranges or 'a value'} where it, or its slope, is not finite",
        f"In {listed(where)}: {_SINGULAR[plain(op)]}.",
        where,
        {"operation": op},
        ("guard_operation",),
        "IEEE 754: log 0, 0/0, 0·inf and the slope of a root at 0 are not finite",
        0.85,
    )


def _where(data: dict[str, Any], evidence: Evidence, bad: Any) -> tuple[str, ...]:
    named = tuple(str(data[key]) for key in ("module", "op") if data.get(key))
    if named:
        return named
    if len(bad):
        return tuple(
            evidence.names.get(int(i), f"parameter {i}") for i in np.flatnonzero(evidence.non_finite[bad[0]])[:3]
        )
    return ("loss",)


def _at_singularity(op: str, inputs: list[dict[str, Any]], largest: float) -> bool:
    """Whether the operation's input touches the point where it is not finite; True where the range was not seen."""
    lows = [_number(item.get("low")) for item in inputs]
    if not lows:
        return True
    if op in ("log", "log2", "log10", "sqrt", "rsqrt", "xlogy"):
        return min(lows) <= 0
    if op in ("acos", "asin", "atanh"):
        return largest >= 1
    if op == "log1p":
        return min(lows) <= -1
    return True


def _growth(evidence: Evidence, step: int) -> float:
    """Decades by which loss or gradient had grown before ``step``, over the median of the first five steps."""
    before = np.array([s.step < step for s in evidence.taken], dtype=bool)
    best = 0.0
    for values in (np.abs(evidence.losses), evidence.gradient_totals):
        kept = values[before]
        kept = kept[np.isfinite(kept) & (kept > 0)]
        if len(kept) >= 2:
            best = max(best, float(np.log10(kept[1:].max() / np.median(kept[:1] if len(kept) < 5 else kept[:5]))))
    return best


def _half(evidence: Evidence) -> bool:
    return evidence.in_float16 or any(step.scale is not None for step in evidence.steps)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
