"""Diagnosis: from a record to findings, from the numbers alone.  No torch."""

from .condition import Condition, Threshold
from .engine import diagnose
from .evidence import Evidence

__all__ = ["Condition", "Evidence", "Threshold", "diagnose"]
