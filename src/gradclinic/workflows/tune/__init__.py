"""``gradclinic tune``: chooses a learning rate, or several settings at once, and says why."""

from .search import SearchOptions, run_search, search
from .searched import Searched
from .tuning import Tuning
from .verb import TuneOptions, run_tune, tune

__all__ = ["SearchOptions", "Searched", "TuneOptions", "Tuning", "run_search", "run_tune", "search", "tune"]
