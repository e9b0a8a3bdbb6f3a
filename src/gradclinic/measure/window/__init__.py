"""The trainability window: which learning rates can train this model, with this optimizer, in this many steps."""

from __future__ import annotations

from .ends import Ends, measure_ends
from .margin import stability_margin
from .settle import Settled, settle, settled
from .speed import centred, sample_dimensions, speed

__all__ = [
    "Ends", "Settled", "centred", "measure_ends", "sample_dimensions", "settle", "settled", "speed",
    "stability_margin",
]  # fmt: skip
