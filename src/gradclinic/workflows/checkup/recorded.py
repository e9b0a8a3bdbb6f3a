"""An examination and the record that it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from gradclinic.schema.record import Ending, Event, Row, Sink
from gradclinic.store import Writer
from gradclinic.task import Task

from ..record import run_info
from .examine import Tell, examine

#: The kinds of event that a forecast is made of.
FORECAST = ("baseline", "window_ends")


class _Only:
    """Lets through what a forecast is made of: the steps of another seed are no part of the first one's run."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def put(self, row: Row) -> None:
        if isinstance(row, Event) and row.kind in FORECAST:
            self._sink.put(row)


def record_examination(
    task: Task, seed: int, path: Path, name: str, tell: Tell, others: Iterable[tuple[int, Callable[[], Task]]] = ()
) -> None:
    """Examines ``task`` and writes the record to ``path``; no record is left where that failed.

    ``name`` is the target's; ``others`` are seeds and what builds the task with them.  The generators of Python, numpy
    and torch are the caller's to restore.

    Raises:
        UserError: the user's own code fails, or gives what it should not.
    """
    info = replace(run_info(task.steps), kind="checkup", command=("gradclinic", "checkup", name))
    writer = Writer(path, info)
    try:
        examine(task, seed, writer, tell)
        for other, build in others:
            examine(build(), other, _Only(writer), tell, again=True)
    except BaseException:
        writer.close(Ending("failed", time.time()))
        path.unlink(missing_ok=True)
        raise
    writer.close(Ending("finished", time.time()))
