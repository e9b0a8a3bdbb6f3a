"""What a loss would be for predictions that know nothing of a sample, and for a model's outputs rightly scaled."""

from __future__ import annotations

from .baseline import Baseline, Constant, best_constant, measure_baseline
from .link import Link, link_of

__all__ = ["Baseline", "Constant", "Link", "best_constant", "link_of", "measure_baseline"]
