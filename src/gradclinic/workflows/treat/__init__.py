"""``gradclinic treat``: finds the smallest change that cures a training, and proves it."""

from .treatment import Treatment
from .verb import TreatOptions, run_treat, treat

__all__ = ["TreatOptions", "Treatment", "run_treat", "treat"]
