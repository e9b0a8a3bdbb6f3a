"""Trials: recipes trained for real, on the same seeds, and what may be concluded from them."""

from .outcome import Outcome
from .paired import Interval, paired_interval
from .trial import Trial
from .ward import Case, Results, Ward

__all__ = ["Case", "Interval", "Outcome", "Results", "Trial", "Ward", "paired_interval"]
