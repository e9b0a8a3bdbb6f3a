"""Where trials run, as the user chooses it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

from gradclinic.errors import UserError
from gradclinic.task import Target

from .ward import Here, Trainer

PLACES = ("processes", "ray")


@dataclass(frozen=True, slots=True)
class Places:
    """So many trials at a time, in processes on this machine or on a Ray cluster."""

    jobs: int = 1
    on: Literal["processes", "ray"] = "processes"

    def __post_init__(self) -> None:
        """Raises UserError where it is no place."""
        if self.on not in PLACES or self.jobs < 1:
            raise UserError(
                f"trials run on {' or '.join(PLACES)}, at least one at a time; not {self.jobs} on {self.on}"
            )

    def refuse(self, target: object) -> None:
        """Raises UserError where ``target`` cannot be built in another process."""
        if (self.jobs > 1 or self.on == "ray") and not isinstance(target, str):
            raise UserError("several jobs are processes that build the target themselves: name it, 'file.py:name'")

    def trainer(self, target: Target, *, again: bool = True, turns: int = 1) -> AbstractContextManager[Trainer]:
        """Trains trials there, as a context manager; ``again``: whether one goes on later.

        ``turns``: so many trainers are asked in turns.

        Raises:
            UserError: there is no Ray.
        """
        if self.on == "ray":
            from .on_ray import OnRay

            return OnRay(target, self.jobs, again=again, turns=turns)
        if self.jobs > 1:
            from .workers import Workers

            return Workers(target, self.jobs, again=again)
        return nullcontext(Here(target, again=again))
