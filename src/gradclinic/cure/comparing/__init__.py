"""Optimizers side by side: each at a learning rate of its own, for equally many steps, on the same seeds."""

from .compare import Entry, Terms, compare_all
from .contestants import DEFAULT, NAMES, Contestant, contestants

__all__ = ["DEFAULT", "NAMES", "Contestant", "Entry", "Terms", "compare_all", "contestants"]
