"""Several settings searched together: Optuna proposes, our trials train, and fresh seeds confirm."""

from .confirm import Arm, Comparison
from .search import Found, Wanted, search
from .space import NAMES, Space, check_names, own_settings, recipe_of
from .study import Tried

__all__ = [
    "NAMES", "Arm", "Comparison", "Found", "Space", "Tried", "Wanted", "check_names", "own_settings", "recipe_of",
    "search",
]  # fmt: skip
