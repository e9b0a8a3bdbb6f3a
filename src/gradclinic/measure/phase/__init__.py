"""Which phase of the mean-field theory a model's layers are in, before it is trained.

``phases(model, run)`` watches one forward pass function by function, finds layers that follow each other through one
activation, and holds what the theory says of them beside what was measured.
"""

from __future__ import annotations

from .phases import phases

__all__ = ["phases"]
