"""What the user may choose about the guard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gradclinic.errors import UserError

#: Each time in a row that going back did not help lowers the rate by one halving more: 1 + 2 + 3 + 4 + 5 halvings make
#: 2^-15.  A rate that is too high by more than that is a slip of the pen, and the report says so.
TIMES = 5


@dataclass(frozen=True, slots=True)
class Guard:
    """Treat the training while it runs: ``gradclinic.watch(model, optimizer, guard=gradclinic.Guard(times=3))``.

    ``times``: how often it may go back to an earlier state; 0: never.  ``folder``: where the states to go back to are
    kept; without it, in memory.

    Raises:
        UserError: ``times`` is negative or no whole number.
    """

    times: int = TIMES
    folder: Path | None = None

    def __post_init__(self) -> None:
        if isinstance(self.times, bool) or not isinstance(self.times, int) or self.times < 0:
            raise UserError(f"times={self.times!r}: the guard may go back 0 times or more; give a whole number")
