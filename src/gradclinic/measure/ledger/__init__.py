"""The account of one step, read off the autograd graph: what every operation did to the signal and its gradient.

``open_ledger`` before a backward pass, ``close`` after it; ``Scopes`` during the forward pass names the
modules; ``first_non_finite`` and ``backward_origin`` find where a NaN or an Inf began.
"""

from .open import OpenLedger, measure, open_ledger
from .origin import backward_origin, first_non_finite
from .saved import SavedReader, SavedTensorsWatch
from .scopes import Scopes

__all__ = [
    "OpenLedger",
    "SavedReader",
    "SavedTensorsWatch",
    "Scopes",
    "backward_origin",
    "first_non_finite",
    "measure",
    "open_ledger",
]
