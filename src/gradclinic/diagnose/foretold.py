"""The answer of a check-up in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from gradclinic.schema.finding import Finding, Verdict
from gradclinic.schema.window import Window

from .causes.cause import listed
from .forecast import Forecast
from .words import SEEN, WHY


def foretold(answer: Verdict, findings: Sequence[Finding], known: Forecast) -> str:
    """Whether it will train, how likely that is, and where the learning rate lies."""
    odds = "" if known.probability is None else f" (probability {_odds(known.probability)})"
    if answer == "healthy":
        return f"Healthy: this will train in {known.steps:,} steps{odds}{_inside(known.window)}."
    if answer == "sick":
        first = findings[0]
        where = f" in {listed(first.where)}" if first.where and first.where[0] != "model" else ""
        seen, why = SEEN.get(first.condition, first.condition), WHY.get(first.cause, first.cause)
        lost = known.trains is False or first.condition == "non_finite"
        will = "this will not train" if lost else "this may train, and not as meant"
        return f"Sick: {will}{odds}: {seen}{where}, because {why}."
    return f"Undecided: what a constant prediction would reach is not known{_inside(known.window)}."


def _odds(probability: float) -> str:
    """Never quite certain: the calibration set has 350 set-ups."""
    return f"{min(max(probability, 0.01), 0.99):.2f}"


def _inside(window: Window | None) -> str:
    if window is None or window.empty:
        return ""
    high = f" to {window.high.median:.2g}" if isfinite(window.high.median) else " on"
    return f"; learning rates from {window.low.median:.2g}{high} would do, and {window.lr:g} is set"
