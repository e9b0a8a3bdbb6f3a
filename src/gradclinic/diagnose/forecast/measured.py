"""What a check-up measured, for the report; the window and the probability stand by themselves."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.record import Record

#: Events of which the report shows the first: what the initial weights say.
_ONCE = ("phases", "representations", "slope", "spectrum")


def measured(record: Record) -> dict[str, Any] | None:
    """None for a run that was no check-up."""
    if record.info.kind != "checkup":
        return None
    found: dict[str, Any] = dict.fromkeys(_ONCE)
    found |= {"explained": [], "unmeasured": []}
    for event in record.events:
        if event.kind in _ONCE and found[event.kind] is None:
            found[event.kind] = event.data
        elif event.kind == "baseline":
            found["explained"].append(event.data)
        elif event.kind == "unmeasured" and event.data not in found["unmeasured"]:
            found["unmeasured"].append(event.data)
    return found
