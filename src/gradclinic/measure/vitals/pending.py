"""A result that a device may still be working on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schema.vitals import Vitals

Result = tuple[Vitals, NDArray[np.int64] | None]


@dataclass(slots=True)
class Pending:
    """Vitals on their way.  CPU tensors have been read when it is made; accelerators may still be at work."""

    _fetch: Callable[[], Result]
    _done: Callable[[], bool]
    _result: Result | None = None

    def done(self) -> bool:
        """Whether :meth:`result` would return without waiting for a device."""
        return self._result is not None or self._done()

    def result(self) -> Result:
        """The vitals, and the exponents or ``None``, as :func:`.measure` gives them; the same arrays every time."""
        if self._result is None:
            self._result = self._fetch()
        return self._result


def at_once(result: Result) -> Pending:
    """A result that is there already."""
    return Pending(lambda: result, lambda: True)
