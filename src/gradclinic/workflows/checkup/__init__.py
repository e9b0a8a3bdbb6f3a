"""``gradclinic checkup``: says before training whether a model will train."""

from .verb import CheckupOptions, checkup, run_checkup

__all__ = ["CheckupOptions", "checkup", "run_checkup"]
