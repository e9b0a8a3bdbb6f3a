"""A learning rate, chosen: the window, a range test inside it, and a grid by successive halving."""

from .choose import Choice, choose
from .rounds import Round
from .search import Search, run_search

__all__ = ["Choice", "Round", "Search", "choose", "run_search"]
