"""A bar on stderr for what takes longer than a person waits without one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

#: Told before each part: what comes, and how much of the whole is done.
Tell = Callable[[str, float], None]

#: Seconds without a sign of life that nobody minds.
PATIENCE = 2.0


@contextmanager
def progress_bar(name: str, *, shown: bool) -> Iterator[Tell]:
    """Gives ``tell(what, share)`` for the work ``name``.

    Draws nothing in the first seconds, nor where stderr is not a terminal.
    """
    if not shown or sys.stderr is None or not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    began = time.monotonic()
    with ExitStack() as stack:
        bar: Progress | None = None

        def tell(what: str, share: float) -> None:
            nonlocal bar
            if bar is None:
                if time.monotonic() - began < PATIENCE:
                    return
                columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
                bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
                bar.add_task(name, total=1.0)
            bar.update(bar.task_ids[0], description=f"{name}: {what}", completed=share)

        yield tell
