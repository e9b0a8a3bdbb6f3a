"""Single-pass statistics of tensors: counts, sums, extremes and the histogram of binary exponents.

``measure`` is the whole of it; ``launch`` is the same in two halves, for devices that work on their own.
"""

from .engine import path_in_use, prepare, ready
from .entry import launch, measure
from .pending import Pending

__all__ = ["Pending", "launch", "measure", "path_in_use", "prepare", "ready"]
