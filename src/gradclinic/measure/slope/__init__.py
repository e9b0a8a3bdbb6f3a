"""Whether the gradient of a whole model is the slope of its loss, before it is trained."""

from __future__ import annotations

from .check import check_slope
from .copying import NoTwin

__all__ = ["NoTwin", "check_slope"]
