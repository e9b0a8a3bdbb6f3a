"""What a range test says: the loss while the learning rate rises (Smith 2017, arXiv:1506.01186), read without torch."""

from __future__ import annotations

from .smoothing import diverged, smoothed
from .suggest import Suggestions, suggest

__all__ = ["Suggestions", "diverged", "smoothed", "suggest"]
