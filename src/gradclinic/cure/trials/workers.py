"""Trains trials in processes of their own, several at a time; a process that dies is the result of its trial."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from gradclinic.errors import UserError
from gradclinic.task import find_target

from ..recipe import Recipe
from .outcome import Outcome
from .ward import Case, Here, key_of

#: Seconds that a process gets to end by itself.
PATIENCE = 5.0


class Workers:
    """``jobs`` processes that build the target ``name`` themselves.  Use as a context manager.

    A trial stays with the process that began it.  Each computes with as many threads as this one, so that its losses
    are the same to the bit.
    """

    def __init__(self, name: str, jobs: int) -> None:
        self._name = name
        self._context = multiprocessing.get_context("spawn")  # a forked process could not use a GPU, nor OpenMP safely
        self._workers: list[tuple[Any, Connection]] = [self._start() for _ in range(jobs)]
        self._homes: dict[tuple[str, int], int] = {}

    def advance(self, cases: Sequence[Case], steps: int) -> Iterator[tuple[Case, Outcome]]:
        """The outcomes as they come."""
        queues: list[list[Case]] = [[] for _ in self._workers]
        for case in cases:
            least = min(range(len(queues)), key=lambda place: len(queues[place]))
            queues[self._homes.setdefault(key_of(case), least)].append(case)
        busy: dict[Connection, tuple[int, Case]] = {}

        def give(place: int) -> None:
            if queues[place]:
                case = queues[place].pop(0)
                connection = self._workers[place][1]
                connection.send((case[0].to_dict(), case[1], steps))
                busy[connection] = (place, case)

        for place in range(len(queues)):
            give(place)
        while busy:
            for connection in wait(list(busy)):
                place, case = busy.pop(connection)  # type: ignore[call-overload]  # only these were waited for
                yield case, self._received(place, case)
                give(place)

    def free(self, kept: Iterable[Case]) -> None:
        """Lets go of the models of all other trials."""
        keys = {key_of(case) for case in kept}
        self._homes = {key: place for key, place in self._homes.items() if key in keys}
        for _, connection in self._workers:
            with suppress(OSError):
                connection.send(keys)

    def _received(self, place: int, case: Case) -> Outcome:
        process, connection = self._workers[place]
        try:
            found = connection.recv()
        except (EOFError, OSError):
            process.join(PATIENCE)
            self._workers[place] = self._start()
            self._homes = {key: home for key, home in self._homes.items() if home != place}
            return Outcome(0, (), None, f"its process was killed ({_how(process.exitcode)})")
        if isinstance(found, str):
            raise UserError(found)
        outcome: Outcome = found
        return outcome

    def _start(self) -> tuple[Any, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._name, torch.get_num_threads()), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._workers:
            connection.close()
            process.terminate()
        for process, _connection in self._workers:
            process.join(PATIENCE)


def _work(connection: Connection, name: str, threads: int) -> None:
    """The life of one process: answers until its parent goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(threads)
    here: Here | None = None
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        try:
            here = here or Here(find_target(name))
            if isinstance(message, set):
                here.keep(message)
                continue
            recipe, seed, steps = message
            ((_, outcome),) = here.advance([(Recipe.from_dict(recipe), seed)], steps)
            connection.send(outcome)
        except UserError as error:
            connection.send(str(error))


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code}: out of memory?" if code == -signal.SIGKILL else f"signal {-code}"
    return f"exit status {code}"
