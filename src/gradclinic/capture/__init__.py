"""Attaches measures to a live training, without a change to its code, and takes them away again."""

from .monitor import Monitor

__all__ = ["Monitor"]
