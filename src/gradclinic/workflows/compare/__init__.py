"""``gradclinic compare``: optimizers side by side on one task."""

from .comparison import Comparison
from .verb import CompareOptions, compare, run_compare

__all__ = ["CompareOptions", "Comparison", "compare", "run_compare"]
