"""What the guard writes into the run's record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Put = Callable[[str, dict[str, Any]], None]
What = Literal["skip", "clip", "roll back", "buffers", "new level", "no way back", "given up", "not read", "off"]


class Log:
    """Counts the acts and puts each into the record as an event ``guard``."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self.counts: dict[str, int] = {}

    def act(self, what: What, why: str, **numbers: Any) -> None:
        """Something that was done, and why; ``count`` tells how often so far, as old events are thinned out."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self._put("guard", {"act": what, "why": why, "count": self.counts[what], **numbers})

    def once(self, what: What, why: str, **numbers: Any) -> None:
        """The same for what need be said once."""
        if what not in self.counts:
            self.act(what, why, **numbers)
