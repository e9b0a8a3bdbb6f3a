"""Weights of another training as a start: what of them fits, and how fast each layer may move away from them."""

from .match import Match, load_matching
from .rates import LayerRate, measure_rates
from .transfer import Transfer, transfer

__all__ = ["LayerRate", "Match", "Transfer", "load_matching", "measure_rates", "transfer"]
