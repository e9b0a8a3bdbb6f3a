"""Whether a model's gradient is the slope of its loss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

#: ``wrong``: a hand-written backward or a gradient hook is not the derivative of what it belongs to.  ``detached``:
#: a part of the slope is cut off (detach, no_grad, a number taken out of the graph); it may be meant.
#: ``deliberate``: a pattern that people write on purpose (straight-through, surrogate, reversal, clipping).
DisagreementKind = Literal["wrong", "detached", "deliberate"]
#: The gravest of the disagreements; ``unexplained`` where there is one and its place was not found.
SlopeState = Literal["right", "wrong", "detached", "deliberate", "unexplained", "abstained"]


@dataclass(frozen=True, slots=True)
class Along:
    """The slope of the loss along one direction of all trainable parameters, per unit of relative step."""

    direction: Literal["random", "gradient"]
    given: float  #: by autograd, <gradient, u>
    measured: float  #: by central differences of the loss
    noise: float  #: how far ``measured`` may be off

    @property
    def error(self) -> float:
        """Their difference as a fraction of the larger one; 0 where both are 0."""
        size = max(abs(self.given), abs(self.measured))
        return abs(self.given - self.measured) / size if size else 0.0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place whose gradient is not its derivative."""

    kind: DisagreementKind
    part: Literal["model", "loss"]  #: the loss: the closure's own code, outside the model
    module: str  #: path of the innermost module; "" is the model itself
    function: str | None  #: the hand-written torch.autograd.Function; None where there is none
    file: str  #: of its backward; "" where there is no function
    line: int  #: 0 where there is no function
    towards: tuple[str, ...]  #: which inputs get the wrong gradient; "parameters" are the module's own
    error: float  #: rms(given - true) / max of both rms, of the place alone
    scale: float | None  #: given / true, where that is one number
    meaning: str  #: in words
    cut: tuple[str, ...] = ()  #: paths of modules whose output is cut off inside ``module``
    hints: tuple[str, ...] = ()  #: what in the code may do it: "detach() at file:line"


@dataclass(frozen=True, slots=True)
class SlopeCheck:
    """The gradient of a whole model and loss held against finite differences."""

    loss: float | None  #: at the weights given
    precision: str  #: in which it was computed, "float64" where the model runs in that
    narrow: str | None  #: why not in float64
    along: tuple[Along, ...]
    disagreements: tuple[Disagreement, ...]
    hidden: float  #: rms(slope - gradient's) / rms(slope), over random directions; 0 where they agree
    starved: tuple[str, ...]  #: parameters that the loss depends on, without any gradient
    unused: tuple[str, ...]  #: parameters without a gradient that the loss does not depend on
    unsteady: str | None  #: what differs between two identical runs: a module's path, or "loss"
    abstained: str | None  #: why nothing could be judged
    forwards: int  #: evaluations of the whole loss
    backwards: int

    @property
    def state(self) -> SlopeState:
        if self.abstained is not None:
            return "abstained"
        kinds = {item.kind for item in self.disagreements}
        for kind in ("wrong", "detached", "deliberate"):
            if kind in kinds:
                return kind
        return "detached" if self.starved else "unexplained" if self.hidden else "right"

    def to_dict(self) -> dict[str, Any]:
        """As the JSON report has it."""
        data = asdict(self)
        data["state"] = self.state
        for item, along in zip(data["along"], self.along, strict=True):
            item["error"] = along.error
        return data
