"""``gradclinic.watch``: the monitor around a training loop in the same process, with the report at its end."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gradclinic.schema.record import Ending, Status

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from gradclinic.capture import Monitor
    from gradclinic.cure.guard import Guard
    from gradclinic.store import Writer

    from .answer import Answer

_active: list[Watch] = []


class Watch:
    """A training being watched.  A context manager; ``start`` and ``stop`` do the same in separate cells.

    After the end, ``report`` holds the answer and ``path`` the record.  In a notebook the object shows the report.
    """

    def __init__(
        self,
        models: tuple[nn.Module, ...],
        optimizers: tuple[Optimizer, ...],
        path: Path,
        steps: int | None,
        show: bool,
        html: bool,
        guard: Guard | None = None,
    ) -> None:
        self.path = path
        self.report: Answer | None = None
        self._models, self._optimizers = models, optimizers
        self._steps, self._show, self._html, self._guard = steps, show, html, guard
        self._monitor: Monitor | None = None
        self._writer: Writer | None = None

    def start(self) -> Watch:
        """Begins to watch.  An earlier watch of the same model or optimizer ends first: twice is once."""
        from gradclinic.capture import Monitor
        from gradclinic.cure.guard import Keeper
        from gradclinic.store import Writer

        from .record import run_info

        if self._monitor is not None:
            return self
        mine = {id(thing) for thing in (*self._models, *self._optimizers)}
        for other in list(_active):
            theirs = {id(thing) for thing in (*other._models, *other._optimizers)}
            if mine & theirs or not mine or not theirs:
                other.stop()
        self._writer = Writer(self.path, run_info(steps=self._steps))
        self._monitor = Monitor(self._writer, treatment=None if self._guard is None else Keeper(self._guard))
        self._monitor.start(self._models, self._optimizers)
        _active.append(self)
        return self

    def stop(self, error: BaseException | None = None) -> Answer | None:
        """Ends the watch and diagnoses; ``error`` is the exception that ended the training, if one did."""
        if self._monitor is None or self._writer is None:
            return self.report
        monitor, writer = self._monitor, self._writer
        self._monitor = self._writer = None
        _active.remove(self)
        monitor.stop()
        writer.close(_ending(error))
        self._answer()
        return self.report

    def _answer(self) -> None:
        from .answer import read_answer

        self.report = read_answer(self.path)
        page = self.path.with_suffix(".html") if self._html else None
        if page:
            self.report.save_html(page)
        if self._show:
            from rich.console import Console

            self.report.show(Console(file=sys.stderr), page)

    def __enter__(self) -> Watch:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop(error)
        except Exception as failure:  # the user's training has ended well or badly; that is not ours to change
            print(
                f"gradclinic: no report ({type(failure).__name__}: {failure}); the record is {self.path}",
                file=sys.stderr,
            )

    def _repr_html_(self) -> str | None:
        return None if self.report is None else self.report._repr_html_()


def _ending(error: BaseException | None) -> Ending:
    if error is None:
        return Ending("finished", time.time())
    status: Status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    text = "".join(traceback.format_exception(error))
    return Ending(status, time.time(), error=f"{type(error).__name__}: {error}", traceback=text)


def watch(
    model: nn.Module | Iterable[nn.Module] = (),
    optimizer: Optimizer | Iterable[Optimizer] = (),
    *,
    out: str | Path | None = None,
    name: str | None = None,
    steps: int | None = None,
    show: bool = True,
    html: bool = True,
    guard: bool | Guard = False,
) -> Watch:
    """Watches the training inside a ``with`` block and reports at its end.

    ``model`` and ``optimizer`` (one, or several) say what to watch; without them, every model and optimizer of
    the process is found.  The record goes to ``out`` (default ``gradclinic-runs``) under ``name``; ``steps`` is how
    many steps are planned.  ``show`` prints the report to stderr, ``html`` writes it beside the record.
    ``guard`` (True, or a :class:`gradclinic.Guard` with settings) treats the training as well: see docs/guard.md.

    Raises :class:`gradclinic.errors.UserError` when ``out``, or the guard's folder, cannot be written.
    """
    from gradclinic.cure.guard import Guard

    from .place import make_folder
    from .record import new_record_path

    settings = Guard() if guard is True else guard or None
    if settings is not None and settings.folder is not None:
        settings = Guard(settings.times, make_folder(settings.folder, "folder="))
    path = new_record_path(out, name or "watch")
    return Watch(_several(model), _several(optimizer), path, steps, show, html, settings)


def _several(things: object) -> tuple:  # type: ignore[type-arg]
    """One or several as a tuple.  A module may be iterable itself (Sequential), so its type decides."""
    from torch import nn
    from torch.optim import Optimizer

    return (things,) if isinstance(things, (nn.Module, Optimizer)) else tuple(things)  # type: ignore[arg-type]
