"""Trials spread over several places; a trial stays where it began, and a place that dies is its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Generic, Self, TypeVar

from .outcome import Outcome
from .ward import Case, key_of

Ticket = TypeVar("Ticket", bound=Hashable)


class Died(Exception):
    """The place is gone; what it says is why, in a few words."""


class Crew(ABC, Generic[Ticket]):
    """``jobs`` places that train, each one trial at a time.  Use as a context manager.

    Each computes with as many threads as this process, so that its losses are the same to the bit.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._homes: dict[tuple[str, int], int] = {}

    def advance(self, cases: Sequence[Case], steps: int) -> Iterator[tuple[Case, Outcome]]:
        """The outcomes as they come.

        Raises:
            UserError: the target cannot be built there.
        """
        queues: list[list[Case]] = [[] for _ in range(self._jobs)]
        for case in cases:
            least = min(range(self._jobs), key=lambda place: len(queues[place]))
            queues[self._homes.setdefault(key_of(case), least)].append(case)
        busy: dict[Ticket, tuple[int, Case]] = {}

        def give(place: int) -> None:
            if queues[place]:
                case = queues[place].pop(0)
                busy[self.send(place, case, steps)] = (place, case)

        for place in range(self._jobs):
            give(place)
        while busy:
            for ticket in self.wait(list(busy)):
                place, case = busy.pop(ticket)
                yield case, self._received(place, ticket)
                give(place)

    def free(self, kept: Iterable[Case]) -> None:
        """Lets go of the models of all other trials."""
        keys = {key_of(case) for case in kept}
        self._homes = {key: place for key, place in self._homes.items() if key in keys}
        for place in range(self._jobs):
            self.keep(place, keys)

    def _received(self, place: int, ticket: Ticket) -> Outcome:
        try:
            return self.receive(place, ticket)
        except Died as how:
            self.restart(place)
            self._homes = {key: home for key, home in self._homes.items() if home != place}
            return Outcome(0, (), None, f"its process was killed ({how})")

    @abstractmethod
    def send(self, place: int, case: Case, steps: int) -> Ticket:
        """Asks for a trial's outcome after ``steps`` steps altogether."""

    @abstractmethod
    def wait(self, tickets: Sequence[Ticket]) -> Sequence[Ticket]:
        """Some of those that are ready, at least one."""

    @abstractmethod
    def receive(self, place: int, ticket: Ticket) -> Outcome:
        """The outcome that was asked for.

        Raises:
            Died: the place is gone.
            UserError: the target cannot be built there.
        """

    @abstractmethod
    def keep(self, place: int, keys: set[tuple[str, int]]) -> None:
        """No other trial but these is asked for again."""

    @abstractmethod
    def restart(self, place: int) -> None:
        """A new place for one that died."""

    @abstractmethod
    def close(self) -> None:
        """Ends all places."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
