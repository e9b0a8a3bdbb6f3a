"""Trains trials in processes of their own on this machine."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from gradclinic.errors import UserError
from gradclinic.task import Target

from ..recipe import Recipe
from .crew import Crew, Died
from .outcome import Outcome
from .ward import Case, Here

#: Seconds that a process gets to end by itself.
PATIENCE = 5.0


class Workers(Crew[Connection]):
    """``jobs`` processes that build the target themselves; it was given by its name."""

    def __init__(self, target: Target, jobs: int, *, again: bool = True) -> None:
        super().__init__(jobs)
        self._here = Here(target, again=again)  # goes to the processes
        self._context = multiprocessing.get_context("spawn")  # a forked process could not use a GPU, nor OpenMP safely
        self._workers: list[tuple[Any, Connection]] = [self._start() for _ in range(jobs)]

    def send(self, place: int, case: Case, steps: int) -> Connection:
        """The ticket is the connection: a process does one thing at a time."""
        connection = self._workers[place][1]
        connection.send((case[0].to_dict(), case[1], steps))
        return connection

    def wait(self, tickets: Sequence[Connection]) -> Sequence[Connection]:
        return wait(tickets)  # type: ignore[return-value]  # of what it was given

    def receive(self, place: int, ticket: Connection) -> Outcome:
        try:
            found = ticket.recv()
        except (EOFError, OSError) as error:
            process = self._workers[place][0]
            process.join(PATIENCE)
            raise Died(_how(process.exitcode)) from error
        if isinstance(found, str):
            raise UserError(found)
        outcome: Outcome = found
        return outcome

    def keep(self, place: int, keys: set[tuple[str, int]]) -> None:
        with suppress(OSError):
            self._workers[place][1].send(keys)

    def restart(self, place: int) -> None:
        self._workers[place] = self._start()

    def close(self) -> None:
        for process, connection in self._workers:
            connection.close()
            process.terminate()
        for process, _connection in self._workers:
            process.join(PATIENCE)

    def _start(self) -> tuple[Any, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._here, torch.get_num_threads()), daemon=True)
        process.start()
        theirs.close()
        return process, ours


def _work(connection: Connection, here: Here, threads: int) -> None:
    """The life of one process: answers until its parent goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(threads)
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        try:
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
