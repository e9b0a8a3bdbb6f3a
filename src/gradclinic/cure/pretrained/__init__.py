"""Weights of another training as a start: what of them fits, and how fast each layer may move away from them.

:func:`gradclinic.transfer` is not imported here: it makes recipes, whose remedies stand on this package.
"""

from .file import read_weights
from .match import Match, load_matching, pair
from .rates import LayerRate, measure_rates, options_of

__all__ = ["LayerRate", "Match", "load_matching", "measure_rates", "options_of", "pair", "read_weights"]
