"""Replaces functions of torch for as long as a monitor watches, and puts them back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Patches:
    """A set of replaced attributes.

    ``undo`` restores each one that nobody replaced again since (another monitor, or the user); under such a
    later replacement, ours stays in the chain but does nothing any more.
    """

    def __init__(self) -> None:
        self._done: list[tuple[Any, str, Any, Any]] = []
        self._active = False

    def wrap(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Replaces ``owner.name`` by ``make(original)``; does nothing where torch has no such attribute."""
        original = getattr(owner, name, None)
        if original is None:
            return
        ours = make(original)

        @functools.wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            return ours(*args, **kwargs) if self._active else original(*args, **kwargs)

        self._active = True
        setattr(owner, name, replacement)
        self._done.append((owner, name, original, replacement))

    def undo(self) -> None:
        self._active = False
        while self._done:
            owner, name, original, replacement = self._done.pop()
            if getattr(owner, name, None) is replacement:
                setattr(owner, name, original)
