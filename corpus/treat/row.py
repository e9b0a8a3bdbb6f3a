"""One task of the set, as a row of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradclinic.task import Target, Task

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A task and where it comes from."""

    name: str
    family: str
    source: str  #: where such a fault is described
    steps: int  #: the budget T
    build: Callable[..., Task]  #: of the family
    options: Options = field(default_factory=dict)
    #: What somebody who knows the cure would write: options in place of these.
    better: tuple[Options, ...] = ()
    sick: bool = True

    def task(self) -> Task:
        """Ready to begin; the caller has seeded torch."""
        return self.build(steps=self.steps, **self.options)

    @property
    def target(self) -> Target:
        """As a user names it."""
        return Target(self.name, self.task, fresh=True)

    def rewritten(self, options: Options) -> Target:
        """The same with other options: a cure written by hand."""
        return Target(self.name, lambda: self.build(steps=self.steps, **{**self.options, **options}), fresh=True)
