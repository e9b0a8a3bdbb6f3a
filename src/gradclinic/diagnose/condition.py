"""What a condition is: one thing that can be wrong, how it is looked for, and where its limits come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradclinic.schema.finding import ConditionId, Outcome

from .evidence import Evidence


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit and the reason for its value: a theory, a precision, a stability limit."""

    name: str
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.  ``check`` is pure: the same evidence always gives the same outcome."""

    id: ConditionId
    looks_for: str  #: one sentence
    check: Callable[[Evidence], Outcome | Sequence[Outcome]]
    thresholds: tuple[Threshold, ...] = ()
