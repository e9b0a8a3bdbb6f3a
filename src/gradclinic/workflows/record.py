"""The recording half of ``gradclinic run``: runs inside the user's process, from the end of torch's import to exit.

It registers with ``atexit`` and with ``fork`` and changes nothing else: no exception hook, no signal handler.
"""

from __future__ import annotations

import atexit
import os
import sys
import warnings
from pathlib import Path

import torch

from gradclinic.capture import Monitor
from gradclinic.cure.guard import Guard, Keeper
from gradclinic.cure.guard.settings import TIMES
from gradclinic.schema.record import Row, RunInfo
from gradclinic.store import Writer

from .describe import describe_run, own_rank
from .ending import noted_ending
from .failure import say
from .place import FOLDER, new_record, rank_record


def begin_recording(
    path: str,
    *,
    steps: int | None = None,
    launched: bool = False,
    guard: str | None = None,
    guard_folder: str | None = None,
) -> None:
    """Watches this process until it ends and writes the record to ``path``.

    ``launched``: this is one rank of a job whose launcher was given ``path``; it writes to a file of its own.
    ``guard``: the training is treated too, and may go back so often ("": the default); states lie in ``guard_folder``.
    """
    rank = own_rank()
    file = rank_record(Path(path), rank) if launched and rank is not None else Path(path)
    settings = None
    if guard is not None:
        settings = Guard(int(guard) if guard else TIMES, None if guard_folder is None else Path(guard_folder))
    recording = Recording(file, run_info(steps), settings)
    atexit.register(recording.end)
    os.register_at_fork(after_in_child=recording.disown)


def run_info(steps: int | None = None) -> RunInfo:
    """This process, as it was started."""
    return describe_run(sys.orig_argv[1:], torch=torch.__version__, steps=steps)


def new_record_path(out: str | Path | None, name: str) -> Path:
    """An unused path for a record of this process in ``out`` (default ``gradclinic-runs``), with ``name`` and the time.

    Raises:
        UserError: the folder cannot be written.
    """
    return new_record(FOLDER if out is None else Path(out), None, name, own_rank())


class Recording:
    """A monitor and the file that it writes to, for as long as this process lives.  It is the monitor's sink."""

    def __init__(self, path: Path, info: RunInfo, guard: Guard | None = None) -> None:
        self._writer: Writer | None = Writer(path, info, on_failure=_tell)
        self._monitor = Monitor(self, treatment=None if guard is None else Keeper(guard))
        self._monitor.start()

    def put(self, row: Row) -> None:
        """Passes a row on; a forked child has nowhere to."""
        if self._writer is not None:
            self._writer.put(row)

    def disown(self) -> None:
        """In a forked child: the file, and the thread that writes it, belong to the parent."""
        self._writer = None

    def end(self) -> None:
        """At exit: hands over what is pending and notes how the script ended."""
        writer = self._writer
        if writer is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._monitor.stop()
            finally:
                writer.close(noted_ending())


def _tell(message: str) -> None:
    say(f"{message}; the script goes on")
