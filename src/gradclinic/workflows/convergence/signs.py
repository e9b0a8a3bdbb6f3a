"""From numbers to a state."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from .standstill import REACH, Standstill
from .state import State

if TYPE_CHECKING:
    from gradclinic.measure.convergence import Stretch, Trend

#: Of a stretch's signal (see :class:`~gradclinic.measure.convergence.Stretch`): two standard errors, squared.
NOISE = 4.0
#: A single direction stands for many, so that a quarter of what matters along it says that this is no end.
DOWN = 0.25
#: The smallest eigenvalue of the Hessian over the largest, both on a few batches: below 1% where trainings had ended,
#: 5% where labels were noisy, 15 to 100% on plateaus and saddles (docs/convergence.md).
CURVED = 0.1


@dataclass(frozen=True, slots=True)
class Signs:
    """What a stretch of steps shows without asking the loss function."""

    trend: Trend
    whole: Stretch  #: all parameters together
    first: float  #: the loss at the start of the run
    peak: float  #: the largest mean gradient of any stretch
    tolerance: float

    @property
    def material(self) -> float:
        """The least fall that matters, in units of the loss.

        ``tolerance`` of the loss.  A large constant in the loss must not hide what is gained: at most ``tolerance`` of
        ten times the gain so far.  A loss that goes to zero falls by shares for ever: at least ``tolerance``² of it.
        """
        gained, level = self.first - self.trend.mean, abs(self.trend.mean)
        if gained <= 3 * self.trend.error:
            return self.tolerance * level
        return max(self.tolerance * min(level, 10 * gained), self.tolerance**2 * gained)

    @property
    def quiet(self) -> bool:
        """Whether the mean gradient is zero within its noise, or, where there is little noise, small beside its peak.

        Near a minimum the loss goes with the gradient's square, so ``tolerance`` of the one is its root of the other.
        """
        return self.whole.signal <= NOISE or self.whole.mean <= sqrt(self.tolerance) * self.peak

    def numbers(self) -> dict[str, Any]:
        """For the verdict."""
        return {
            "loss": self.trend.mean,
            "loss_first": self.first,
            "fall": self.trend.fall,
            "error": self.trend.error,
            "path": self.whole.fall,
            "material": self.material,
            "signal": self.whole.signal,
            "gradient_mean": self.whole.mean,
            "gradient_size": self.whole.size,
            "gradient_peak": self.peak,
            "excess": self.whole.excess,
        }


def moving(signs: Signs) -> tuple[State | None, str]:
    """The state where the loss moves, or nobody can say; None where it stands still."""
    trend, material = signs.trend, signs.material
    if not trend.finite:
        return "rising", "the loss is no finite number any more"
    if trend.falls(material):
        return "descending", f"the loss fell by {trend.fall:.2g} in the last stretch"
    if trend.rises(material):
        return "rising", f"the loss rose by {-trend.fall:.2g} in the last stretch"
    if not (trend.flat(material) or abs(signs.whole.fall) <= material / 2):
        return "undecided", f"a fall of {material:.2g} cannot be told from the noise of the loss yet"
    return None, ""


def standing(signs: Signs, found: Standstill, steps: int) -> tuple[State, str]:
    """The state where the loss stands still after ``steps``."""
    whole, material = signs.whole, signs.material
    gain = found.gain or 0.0
    down = f"the loss falls by {gain:.2g} along a direction of negative curvature"
    # Of a training that learned nothing but a bias, a hundredth of the loss: less is chance, on a few batches.
    if gain > max(material, signs.tolerance * abs(signs.trend.mean)):
        return "saddle", down
    if not found.learned and found.could_learn(steps) is False:
        return "vanished", (
            "nothing was learned of single samples, and no stable learning rate could have learned it in as many steps"
        )
    if gain > DOWN * material:
        return "saddle", down
    if found.reach is not None and found.reach < REACH:
        return "plateau", f"the rate is too low: the steps so far reach {found.reach:.2g} e-folds of the samples' error"
    if found.learned is False:
        return "plateau", "the loss is no better than that of a constant prediction"
    if whole.excess > material:
        return "oscillating", (
            f"the weights circle a minimum: in its middle the loss is {whole.excess:.2g} lower; lower the learning rate"
        )
    if not signs.quiet:
        return "plateau", "the loss stands still, but the gradient is neither small nor noise: the rate may be too low"
    if found.curved > CURVED:
        return "plateau", "the curvature is still negative in places, more than where a training ends"
    if found.reach is None or found.gain is None:
        return "stationary", "loss and gradient are at rest; a saddle or a vanished signal cannot be excluded"
    return "converged", "the loss is at its floor, and the gradient is zero within its noise"
