"""Cures: remedies, one file each; which of them to try, and what proves one; the recipe that applies it."""

from .recipe import Applied, Change, Recipe

__all__ = ["Applied", "Change", "Recipe"]
