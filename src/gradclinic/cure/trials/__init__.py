"""Trials: recipes trained for real, on the same seeds, and what may be concluded from them."""

from .outcome import Outcome
from .paired import Interval, paired_interval
from .places import PLACES, Places
from .trial import Trial
from .ward import Case, Here, Results, Trainer, Ward, key_of
from .workers import Workers

__all__ = [
    "PLACES", "Case", "Here", "Interval", "Outcome", "Places", "Results", "Trainer", "Trial", "Ward", "Workers",
    "key_of", "paired_interval",
]  # fmt: skip
