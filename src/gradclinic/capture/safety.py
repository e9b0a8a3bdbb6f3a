"""A failure inside gradclinic never stops the user's training, and its cost is known."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: A callback that failed this often is not called again: it will not get better, and each failure costs time.
FAILURES_ALLOWED = 5


class Guard:
    """Wraps gradclinic's callbacks: swallows and reports their exceptions, adds up their seconds."""

    def __init__(self, report: Callable[[str, str], None]) -> None:
        self.seconds = 0.0
        self._report = report
        self._failures: dict[str, int] = {}
        self._inside = False

    def __call__(self, function: Callable[P, R]) -> Callable[P, R | None]:
        name = getattr(function, "__qualname__", repr(function))

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
            if self._inside or self._failures.get(name, 0) >= FAILURES_ALLOWED:
                return None  # what torch tells while a callback runs is gradclinic's own doing
            self._inside = True
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            except Exception as error:
                self._failures[name] = self._failures.get(name, 0) + 1
                if self._failures[name] == 1:
                    self._report(name, f"{type(error).__name__}: {error}")
                return None
            finally:
                self._inside = False
                self.seconds += time.perf_counter() - start

        return guarded
