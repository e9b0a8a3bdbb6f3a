"""Looks at the end of a record that is being written, for a live status line."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import UserError
from ..schema.record import Ending, Event, RunInfo, Step
from .codec import DAMAGE, Decoder
from .marks import ROUTINE
from .opening import decoder, opened
from .tables import TABLE_OF

_STEPS: Final = 32  # newest steps that the speed is taken from
_EVENTS: Final = 8


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The newest state of a run."""

    info: RunInfo
    ending: Ending | None
    tick: int | None  #: of the newest step; None before the first
    step: int | None  #: of that step's optimizer, from 0
    loss: float | None  #: the newest that was seen
    seconds: float  #: from the start of the run to the newest step
    steps_per_second: float | None  #: optimizer steps, over the newest 32
    steps_planned: int | None
    events: tuple[Event, ...]  #: the newest 8, oldest first, without those about cost


def tail(path: Path) -> Tail:
    """A light object whose ``poll()`` says how far the run at ``path`` is; the file need not exist yet."""
    return Tail(Path(path))


class Tail:
    """Each :meth:`poll` opens the file, reads a few short rows and closes it, so that nothing holds the writer up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: Glimpse | None = None

    def poll(self) -> Glimpse | None:
        """The newest state; the last one known where the file cannot be read just now; None before it can."""
        try:
            with opened(self.path) as connection:
                self._seen = _glimpse(connection, decoder(connection, self.path)) or self._seen
        except (UserError, sqlite3.Error, *DAMAGE):
            pass
        return self._seen


def _glimpse(connection: sqlite3.Connection, decode: Decoder) -> Glimpse | None:
    def newest(of: type, limit: int, where: str = "") -> list[Any]:
        select = f"SELECT head FROM {TABLE_OF[of].name} {where} ORDER BY key DESC LIMIT {limit}"
        return [decode.row(of, head, None) for (head,) in connection.execute(select)]

    info: list[RunInfo] = newest(RunInfo, 1)
    if not info:
        return None
    endings: list[Ending] = newest(Ending, 1)
    steps: list[Step] = newest(Step, _STEPS)
    routine = ", ".join(f"'{kind}'" for kind in sorted(ROUTINE))
    events: list[Event] = newest(Event, _EVENTS, f"WHERE lane NOT IN ({routine})")
    last = steps[0] if steps else None
    span = last.time - steps[-1].time if last else 0.0
    return Glimpse(
        info=info[0],
        ending=endings[0] if endings else None,
        tick=last.tick if last else None,
        step=last.step if last else None,
        loss=next((step.loss for step in steps if step.loss is not None), None),
        seconds=last.time if last else 0.0,
        steps_per_second=(len(steps) - 1) / span if span > 0 else None,
        steps_planned=info[0].steps_planned,
        events=tuple(reversed(events)),
    )
