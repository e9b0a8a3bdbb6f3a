"""Notices that a quantity has changed abruptly against its recent typical value."""

from __future__ import annotations

import math

#: A value this many times its recent typical size is sudden: step-to-step noise of the loss and of gradient
#: norms in healthy runs stays within a factor of about three.
SUDDEN = 4.0
#: Weight of the newest value in the running typical value: a memory of about ten steps.
MEMORY = 0.1


class Pulse:
    """Running geometric means of positive quantities, by name."""

    def __init__(self) -> None:
        self._typical: dict[str, float] = {}

    def sudden(self, **values: float | None) -> bool:
        """Takes in this step's values; whether any of them is non-finite or out of proportion to its past."""
        sudden = [self._one(name, value) for name, value in values.items() if value is not None]  # all are taken in
        return any(sudden)

    def _one(self, name: str, value: float) -> bool:
        if not math.isfinite(value):
            return True
        magnitude = math.log(max(abs(value), 1e-300))
        typical = self._typical.get(name)
        self._typical[name] = magnitude if typical is None else typical + MEMORY * (magnitude - typical)
        return typical is not None and magnitude - typical > math.log(SUDDEN)
