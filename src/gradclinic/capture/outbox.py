"""Holds rows back until their numbers have arrived from the device, so that nothing waits for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gradclinic.schema.record import Row, Sink

from .measured import Measured

#: Rows that may wait for the device before the oldest is waited for: bounds the memory they hold.
WAITING = 32


class Outbox:
    """Passes rows on to a sink; rows that wait for a device follow as soon as they are ready, in order."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: deque[tuple[Measured, Callable[[], Row]]] = deque()

    def put(self, row: Row) -> None:
        self._sink.put(row)

    def later(self, measured: Measured, build: Callable[[], Row]) -> None:
        """Puts ``build()`` once ``measured`` has its numbers; at once if it has them already."""
        self._waiting.append((measured, build))
        self.deliver()

    def deliver(self, everything: bool = False) -> None:
        while self._waiting and (everything or len(self._waiting) > WAITING or self._waiting[0][0].ready()):
            _, build = self._waiting.popleft()
            self._sink.put(build())
