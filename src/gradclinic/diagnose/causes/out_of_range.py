"""Values that left the range of their format: float16's, and what even float32 cannot hold."""

from __future__ import annotations

from typing import Any

from ..evidence import Evidence
from .cause import Cause, listed

#: The largest finite number of float32.
SINGLE = 3.4e38

#: Seven decades above the smallest normal float32: no signal is so small but by many factors.
VANISHING = 1e-31


def overflow(where: tuple[str, ...], because: str, numbers: dict[str, float | int | str]) -> Cause:
    """A format that ends too early."""
    return Cause(
        "precision_overflow",
        because,
        f"Compute {listed(where)} in bfloat16 or float32.",
        where,
        numbers,
        ("bfloat16", "full_precision"),
        "largest float16: 65504",
        0.8,
    )


def outgrown(op: str, name: str, where: tuple[str, ...], largest: float, evidence: Evidence) -> Cause | None:
    """What left even float32's range in one forward pass from finite values: exp in a loss, a product of signals."""
    if op == "exp" and not _hidden(name, evidence):
        return Cause(
            "precision_overflow",
            f"exp of values up to {largest:.3g}, written out in the loss, leaves the range of float32 at 88.7",
            "Use logsumexp, log_softmax or cross_entropy, which subtract the largest value first.",
            where,
            {"largest_input": largest},
            ("log_softmax",),
            "exp(88.73) is the largest float32",
            0.85,
        )
    if op in ("mul", "square", "pow") and largest**2 > SINGLE:
        return Cause(
            "unbounded_activation",
            f"{name} multiplies signals of up to {largest:.3g}, which squares their size at each such layer",
            f"Bound one factor of the product in {listed(where)}, by a sigmoid or a normalisation.",
            where,
            {"largest_input": largest},
            ("gate", "normalization"),
            "a product of n signals grows as their size to the power n",
            0.85,
        )
    return None


def _hidden(name: str, evidence: Evidence) -> bool:
    """Whether weights come after an operation of this name in the first account."""
    for row in evidence.ledgers[:1]:
        places = [entry.sequence for entry in row.ledger.entries if entry.op == name]
        return any(e.kind == "weight" and e.sequence > min(places) for e in row.ledger.entries) if places else True
    return True


def shrinks(name: str, evidence: Evidence) -> bool:
    """Whether products make what goes into a logarithm smaller and smaller: 0 is then what the format has left."""
    for row in evidence.ledgers[:1]:
        by_number = {entry.sequence: entry for entry in row.ledger.entries}
        todo = [number for entry in by_number.values() if entry.op == name for number in entry.inputs]
        seen: set[int] = set()
        while todo:
            entry = by_number.get(todo.pop())
            if entry is None or entry.sequence in seen:
                continue
            seen.add(entry.sequence)
            todo += entry.inputs
            if entry.forward_out is not None and 0 < entry.forward_out < VANISHING:
                return True
    return False


def vanished(name: str, where: tuple[str, ...]) -> Cause:
    """A product of which nothing is left."""
    return Cause(
        "precision_underflow",
        f"{name} was given a product of so many small numbers that nothing is left of it: below 1e-45 it is exactly 0"
        " in float32",
        "Add logarithms in place of multiplying probabilities (logsumexp for their sums), or normalise at each step.",
        where,
        {"operation": name},
        ("log_space",),
        "Rabiner 1989, V.A: forward probabilities leave any format's range after some hundred steps",
        0.85,
    )


def quotient(name: str, evidence: Evidence) -> bool:
    """Whether exponentials meet in a quotient or a logarithm: a softmax, a sigmoid or a softplus written out."""
    for row in evidence.ledgers[:1]:
        entries = row.ledger.entries
        exps = {entry.sequence for entry in entries if entry.op == name}
        of_exps = exps | {e.sequence for e in entries if e.op in ("Add", "Sum") and exps.intersection(e.inputs)}
        products = {e.sequence for e in entries if e.op == "Mul" and exps.intersection(e.inputs)}
        for entry in entries:
            below = of_exps.intersection(entry.inputs)
            if entry.op == "Log" and below - exps:
                return True
            if entry.op == "Div" and below - exps and (exps | products).intersection(entry.inputs):
                return True
    return False


def sums_in_half(op: str, inputs: list[dict[str, Any]]) -> bool:
    """Whether a product of matrices in float16 took finite values: only its sums can have left the range."""
    whole = all(not item.get("non_finite") for item in inputs)
    return in_half(inputs) and whole and op in ("bmm", "mm", "addmm", "baddbmm", "convolution", "sum", "mean", "cumsum")


def in_half(inputs: list[dict[str, Any]]) -> bool:
    """Whether an operand is in float16."""
    return any(item.get("dtype") == "float16" for item in inputs)
