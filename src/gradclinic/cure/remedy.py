"""What a remedy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from .patient import Patient
from .surgery import Journal

Options = Mapping[str, Any]

#: In the order in which the changes of a recipe are applied; of each at most one stands in a recipe.
FAMILIES = (
    "parameters", "precision", "inputs", "targets", "output", "activation", "normalization", "shortcuts", "recurrence",
    "initialization", "optimizer", "momentum", "regularization", "learning_rate", "schedule", "clipping",
)  # fmt: skip


class CannotApply(ValueError):
    """The remedy does not fit this model or optimizer; one line that says why."""


class Remedy(ABC):
    """One way to change a model or the way it is trained, in place and reversibly.

    A subclass stands in a file of its own under ``cure/remedies`` and in the tuple there; ``gradclinic.remedies`` is
    the entry-point group for others.
    """

    id: ClassVar[str]
    family: ClassVar[str]  #: one of :data:`FAMILIES`
    title: ClassVar[str]  #: what is done, as a heading
    #: How much of the user's design it changes: 0 a number, 1 the initial values, 2 the loop or the optimizer, 3 one
    #: kind of module, 4 the architecture.  Of equals the smallest wins.
    size: ClassVar[int]
    effect: ClassVar[str]  #: what is expected of it
    source: ClassVar[str]  #: paper or documentation

    @abstractmethod
    def propose(self, patient: Patient) -> Iterable[Options]:
        """The options worth trying, most promising first; nothing where it does not fit.  Looks, changes nothing."""

    def urgency(self, patient: Patient) -> float:
        """What a reason counts, in decades of window, that a few steps of training do not show; 0: there is none."""
        return 0.0

    @abstractmethod
    def apply(self, journal: Journal, options: Options) -> None:
        """Makes the change; new random numbers come from ``journal.generator()``.

        Raises:
            CannotApply: it does not fit.
        """

    def says(self, options: Options) -> str:
        """The change in words, a few of them."""
        return self.title

    @abstractmethod
    def code(self, options: Options) -> str:
        """Lines for the user's own program that do the same to ``model`` and ``optimizer``."""
