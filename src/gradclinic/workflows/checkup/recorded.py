"""An examination and the record that it leaves."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from gradclinic.schema.record import Ending
from gradclinic.store import Writer
from gradclinic.task import Task

from ..record import run_info
from .examine import Tell, examine


def record_examination(task: Task, seed: int, path: Path, name: str, tell: Tell) -> None:
    """Examines ``task`` and writes the record to ``path``; no record is left where that failed.

    ``name`` is the target's.  The generators of Python, numpy and torch are the caller's to restore.

    Raises:
        UserError: the user's own code fails, or gives what it should not.
    """
    info = replace(run_info(task.steps), kind="checkup", command=("gradclinic", "checkup", name))
    writer = Writer(path, info)
    try:
        examine(task, seed, writer, tell)
    except BaseException:
        writer.close(Ending("failed", time.time()))
        path.unlink(missing_ok=True)
        raise
    writer.close(Ending("finished", time.time()))
