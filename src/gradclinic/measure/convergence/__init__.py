"""Has a training come to rest, and where: sums over a stretch of steps, and what is looked at once they stand still."""

from __future__ import annotations

from .loss_blocks import LossBlocks, Trend
from .reach import Reach, reach
from .saddle import Descent, negative_curvature
from .totals import Stretch, Totals

__all__ = ["Descent", "LossBlocks", "Reach", "Stretch", "Totals", "Trend", "negative_curvature", "reach"]
