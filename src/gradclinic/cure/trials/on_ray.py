"""Trains trials on a Ray cluster: the one that RAY_ADDRESS names, else one on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from gradclinic.errors import UserError
from gradclinic.task import Target

from ..recipe import Recipe
from .crew import Crew, Died
from .outcome import Outcome
from .ward import Case, Here


class OnRay(Crew[Any]):
    """``jobs`` actors that build the target themselves, which was given by its name; each takes a GPU where there are.

    ``turns`` crews stand beside each other and are asked in turns, so that each actor takes that part of a processor.

    On a cluster this folder goes along (Ray's ``working_dir``, with what ``.gitignore`` leaves), and gradclinic, torch
    and what the target imports besides must be installed there.

    Raises:
        UserError: Ray is not installed, the cluster cannot be reached, or the target is not in this folder.
    """

    def __init__(self, target: Target, jobs: int, *, again: bool = True, turns: int = 1) -> None:
        super().__init__(jobs)
        try:
            import ray
        except ImportError as error:
            raise UserError("--on ray needs Ray: pip install 'gradclinic[ray]'") from error
        self._ray, self._here = ray, Here(target, again=again)
        address = os.environ.get("RAY_ADDRESS")
        self._folder = None if address else str(Path.cwd())
        if address and Path(target.name.partition(":")[0]).is_absolute():
            raise UserError(f"a cluster knows this folder only: name the target from here, not {target.name}")
        self._own = not ray.is_initialized()
        if self._own:
            settings: dict[str, Any] = {"runtime_env": {"working_dir": "."}} if address else {"num_cpus": jobs}
            try:
                ray.init(
                    address or "local", include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False,
                    **settings,
                )  # fmt: skip
            except (ConnectionError, RuntimeError, ValueError) as error:
                why = " ".join(str(error).split())[:160]
                raise UserError(f"no Ray cluster at {address or 'this machine'}: {why}") from error
        gpus = min(1, int(ray.cluster_resources().get("GPU", 0)) // jobs)  # type: ignore[no-untyped-call]
        self._kind = ray.remote(num_cpus=1 / turns, num_gpus=gpus / turns, max_restarts=0)(_Actor)
        self._actors = [self._start() for _ in range(jobs)]

    def send(self, place: int, case: Case, steps: int) -> Any:
        return self._actors[place].advance.remote(case[0].to_dict(), case[1], steps)

    def wait(self, tickets: Sequence[Any]) -> Sequence[Any]:
        ready: list[Any] = self._ray.wait(list(tickets))[0]
        return ready

    def receive(self, place: int, ticket: Any) -> Outcome:
        try:
            found = self._ray.get(ticket)
        except self._ray.exceptions.RayActorError as error:
            raise Died("its Ray actor is gone: out of memory?") from error
        if isinstance(found, str):
            raise UserError(found)
        outcome: Outcome = found
        return outcome

    def keep(self, place: int, keys: set[tuple[str, int]]) -> None:
        self._actors[place].keep.remote(keys)

    def restart(self, place: int) -> None:
        self._actors[place] = self._start()

    def close(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)
        if self._own:
            self._ray.shutdown()

    def _start(self) -> Any:
        return self._kind.remote(self._here, self._folder, torch.get_num_threads())


class _Actor:
    """One place; what is wrong with the target is answered when it is asked."""

    def __init__(self, here: Here, folder: str | None, threads: int) -> None:
        if folder is not None:
            os.chdir(folder)
        torch.set_num_threads(threads)
        self._here = here

    def advance(self, recipe: dict[str, Any], seed: int, steps: int) -> Outcome | str:
        try:
            ((_, outcome),) = self._here.advance([(Recipe.from_dict(recipe), seed)], steps)
        except UserError as error:
            return str(error)
        return outcome

    def keep(self, keys: set[tuple[str, int]]) -> None:
        self._here.keep(keys)
