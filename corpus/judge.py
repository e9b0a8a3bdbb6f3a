"""One script's answer held against what the index accepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import origin
from .index import Half, Kind, Script
from .peers.symptom import Call
from .runner import Run

#: The mission's bound on the time of a watched script: so many times the plain one, and so many seconds.
TIMES, SECONDS = 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """What was said of one script, and whether it was right."""

    file: str
    kind: Kind
    half: Half
    expected: tuple[str, ...]  #: accepted causes
    verdict: str  #: "failed" where there is no report
    condition: str  #: of the first finding that is no note; "" where there is none
    cause: str
    condition_right: bool | None  #: None for scripts without a fault
    cause_right: bool | None
    origin: str  #: what was named, where the index knows it
    origin_right: bool | None
    seconds: float | None  #: None where only a kept record was diagnosed
    plain_seconds: float | None
    note: str
    peers: dict[str, Call] = field(default_factory=dict)

    @property
    def sick(self) -> bool:
        """Whether the script was called sick."""
        return self.verdict == "sick"

    @property
    def right(self) -> bool:
        """Whether the verdict and, for a faulty script, the first condition, cause and origin are right."""
        if self.kind != "faulty":
            return self.verdict in ("healthy", "undecided")
        return self.sick and bool(self.condition_right) and bool(self.cause_right) and self.origin_right is not False

    @property
    def in_time(self) -> bool | None:
        """Whether watching took no longer than the mission allows; None where it was not timed."""
        if self.seconds is None or self.plain_seconds is None:
            return None
        return self.seconds <= TIMES * self.plain_seconds + SECONDS


def judge(script: Script, report: dict[str, Any] | None, run: Run | None, peers: dict[str, Call]) -> Row:
    """The row of one script.  ``run`` is None where a kept record was diagnosed and nothing ran."""
    verdict = report["verdict"] if report else "failed"
    findings = [finding for finding in (report["findings"] if report else []) if finding["severity"] != "note"]
    condition, cause = (findings[0]["condition"], findings[0]["cause"]) if findings else ("", "")
    faulty, sick = script.kind == "faulty", verdict == "sick"
    named = origin.named_origin(report) if report and script.origin else None
    assert script.half is not None  # score refuses an index that is not sound
    return Row(
        file=script.file,
        kind=script.kind,
        half=script.half,
        expected=script.causes,
        verdict=verdict,
        condition=condition,
        cause=cause,
        condition_right=sick and condition in script.conditions if faulty else None,
        cause_right=sick and cause in script.causes if faulty else None,
        origin=str(named or "none") if script.origin else "",
        origin_right=sick and origin.is_right(named, script.origin) if script.origin else None,
        seconds=run.seconds if run else None,
        plain_seconds=run.plain_seconds if run else None,
        note=run.note if run else "",
        peers=peers,
    )
