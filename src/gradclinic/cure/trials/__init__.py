"""Trials: recipes trained for real, on the same seeds, and what may be concluded from them."""

from .outcome import Outcome
from .paired import Interval, paired_interval
from .trial import Trial
from .ward import Case, Here, Results, Trainer, Ward

__all__ = ["Case", "Here", "Interval", "Outcome", "Results", "Trainer", "Trial", "Ward", "paired_interval"]
