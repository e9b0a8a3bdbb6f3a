"""A run on disk: written by a thread of its own, readable while it is written, bounded, and safe against crashes."""

from .reader import read
from .tail import Glimpse, Tail, tail
from .writer import Writer

__all__ = ["Glimpse", "Tail", "Writer", "read", "tail"]
