"""An inf or a nan: the first operation that made one, and why."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome
from gradclinic.schema.record import Event

from ..causes.not_finite import GREW, HALF, SKIPS, explain_non_finite, thrown_away
from ..condition import Condition
from ..evidence import Evidence
from .common import outcome_sentence


def check(evidence: Evidence) -> Outcome:
    """Takes the origin from its event where there is one, else from the first bad row."""
    events = evidence.events("non_finite_origin")
    losses = [step for step in evidence.taken if step.loss is not None and not isfinite(step.loss)]
    bad = np.flatnonzero(evidence.non_finite.any(axis=1))
    skipped = _skips_at_end(evidence)
    if not evidence.steps and not events:
        return NotEnoughData("non_finite", "a step")
    event = next((e for e in events if _harmful(e, evidence, bool(losses) or len(bad) > 0, skipped)), None)
    thrown = thrown_away(evidence, event)
    if thrown is None and event is None and not losses and not len(bad) and skipped < SKIPS.value:
        return Healthy("non_finite", "all losses and all gradients that reached an optimizer are finite")
    lasting = evidence.learning.works is not True or (bool(losses) and _ends_bad(evidence))
    if event is not None:
        step: int | None = evidence.step_of(event.tick)
    else:
        steps = [s.step for s in losses[:1]] + [evidence.taken[i].step for i in bad[:1]]
        step = min(steps, default=0 if thrown is not None else evidence.step_count - skipped)
    cause = thrown or explain_non_finite(event, evidence, step or 0, bad, skipped)
    numbers: dict[str, Any] = {
        "losses_non_finite": len(losses),
        "steps_with_bad_gradients": len(bad),
        "skipped_in_a_row": skipped,
    }
    if event is not None:
        numbers |= {key: event.data[key] for key in ("direction", "op", "module", "inputs", "how") if key in event.data}
        seen = f"The first value that is not finite came {_place(event)} at step {step}"
    elif thrown is not None:
        seen = "Gradients are not finite, and are thrown away"
    elif skipped >= SKIPS.value:
        seen = f"The gradient scaler held back the last {skipped} steps, because gradients overflowed"
    else:
        seen = f"The {'loss' if losses else 'gradient'} is not finite from step {step}"
    return Finding(
        "non_finite",
        cause.id,
        cause.where,
        step,
        "critical" if lasting else "note",
        cause.confidence,
        numbers | cause.numbers,
        f"{seen}: {cause.because}. {outcome_sentence(evidence)}",
        cause.action,
        cause.remedies,
        cause.source,
    )


def _harmful(event: Event, evidence: Evidence, reached: bool, skipped: int) -> bool:
    """A scaler's probing for its scale overflows on purpose; only what reached a step, or never ends, harms."""
    if any(step.scale is not None for step in evidence.steps):
        return reached or skipped >= SKIPS.value
    return True


def _skips_at_end(evidence: Evidence) -> int:
    count = 0
    for step in reversed(evidence.steps):
        if not step.skipped:
            break
        count += 1
    return count


def _ends_bad(evidence: Evidence) -> bool:
    losses = evidence.losses
    return bool(len(losses) and np.all(~np.isfinite(losses[-3:])))


def _place(event: Event) -> str:
    data = event.data
    where = f"in `{data['module']}`" if data.get("module") else "outside any module"
    if data.get("direction") == "input":
        return f"with the input {where}"
    if data.get("direction") == "parameter":
        return f"from a parameter {where}"
    return f"out of {data.get('op', 'an operation')} {where} ({data.get('direction', 'forward')})"


CONDITION = Condition("non_finite", "a loss or a gradient is inf or nan", check, (GREW, HALF, SKIPS))
