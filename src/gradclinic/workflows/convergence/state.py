"""What a stopping test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal[
    "undecided",  # too few steps, or too noisy to tell at this tolerance
    "descending",  # the loss falls
    "rising",  # the loss rises, or is no number any more
    "converged",  # at a minimum, as far as the noise lets anyone see
    "oscillating",  # on an orbit around one: a lower learning rate would gain more than the tolerance
    "saddle",  # the gradient is zero, but there is a way down
    "plateau",  # the loss stands still, and the gradient does not say that this is the end
    "vanished",  # the signal has vanished: nothing was learned, and nothing will be
    "stationary",  # loss and gradient are at rest; what that is cannot be told without the loss function
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer at one step.  ``numbers`` hold what it rests on, losses in units of the loss."""

    state: State
    step: int
    reason: str
    numbers: dict[str, Any] = field(default_factory=dict)
    #: By parameter group of the optimizer: T·‖ḡ‖²/mean‖g‖² over the last stretch of T steps.  1 is all noise.
    signal: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.state} at step {self.step:,}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "state": self.state,
            "step": self.step,
            "reason": self.reason,
            "numbers": dict(self.numbers),
            "signal": list(self.signal),
        }
