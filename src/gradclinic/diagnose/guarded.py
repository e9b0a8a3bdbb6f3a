"""A run that was treated while it ran: what the guard did, and what was wrong before it went back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradclinic.schema.finding import Finding
from gradclinic.schema.record import Event, Record

#: Acts listed one by one; the record has them all.
LISTED = 50


def acts_of(record: Record) -> dict[str, Any] | None:
    """What the guard did: counts, the factor on learning rates at the end, and the acts; None where there was none."""
    started = next((event for event in record.events if event.kind == "guard_on"), None)
    if started is None:
        return None
    acts = [event for event in record.events if event.kind == "guard"]
    factors = [event.data["rate_factor"] for event in acts if "rate_factor" in event.data]
    return {
        "times": started.data.get("times"),
        "skipped": _count(acts, "skip"),
        "clipped": _count(acts, "clip"),
        "mended": _count(acts, "buffers"),
        "rolled_back": _count(acts, "roll back"),
        "rate_factor": factors[-1] if factors else 1.0,
        "acts": [{"step": event.tick, **event.data} for event in acts[:LISTED]],
    }


def untreated(record: Record) -> Record | None:
    """The run up to the step at which the guard first went back; None where it never did."""
    back = _first_back(record)
    if back is None:
        return None
    last = back.tick
    return replace(
        record,
        steps=tuple(row for row in record.steps if row.tick <= last),
        exponents=tuple(row for row in record.exponents if row.tick <= last),
        updates=tuple(row for row in record.updates if row.tick <= last),
        ledgers=tuple(row for row in record.ledgers if row.tick <= last),
        # What was tested on copies was tested because of what had been seen by then.
        events=tuple(row for row in record.events if row.tick <= last or row.kind.startswith("intervention")),
    )


def as_it_was(finding: Finding, record: Record) -> Finding:
    """A finding about the untreated part, which says what became of it; no longer critical, as the run went on."""
    back, acts = _first_back(record), acts_of(record)
    if back is None or acts is None:
        return finding
    times = acts["rolled_back"]
    told = f"The guard went back from step {back.tick} to step {back.data.get('to')}"
    told += "" if times == 1 else f", and {times - 1} more time{'s' if times > 2 else ''} later"
    told += f"; learning rates were multiplied by {acts['rate_factor']:.3g}."
    numbers = {"guard_rolled_back": times, "guard_rate_factor": acts["rate_factor"]}
    return replace(
        finding, severity="warning", evidence=finding.evidence | numbers, explanation=f"{finding.explanation} {told}"
    )


def told(record: Record) -> str:
    """A sentence for the headline, where the guard went back."""
    acts = acts_of(record)
    if acts is None or not acts["rolled_back"]:
        return ""
    times = acts["rolled_back"]
    return f" The guard went back {'once' if times == 1 else f'{times} times'}."


def _first_back(record: Record) -> Event | None:
    return next((event for event in record.events if event.kind == "guard" and event.data["act"] == "roll back"), None)


def _count(acts: list[Event], name: str) -> int:
    return max((event.data.get("count", 1) for event in acts if event.data.get("act") == name), default=0)
