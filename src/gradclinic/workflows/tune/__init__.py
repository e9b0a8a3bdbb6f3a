"""``gradclinic tune``: chooses a learning rate, and says why."""

from .tuning import Tuning
from .verb import TuneOptions, run_tune, tune

__all__ = ["TuneOptions", "Tuning", "run_tune", "tune"]
