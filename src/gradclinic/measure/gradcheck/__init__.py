"""Holds hand-written ``torch.autograd.Function``s against finite differences."""

from .check import GradCheck, InputCheck, check_function
from .watch import FunctionWatch

__all__ = ["FunctionWatch", "GradCheck", "InputCheck", "check_function"]
