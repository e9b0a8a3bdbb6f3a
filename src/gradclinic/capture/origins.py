"""Finds, for a number that stopped being finite, the operation that made it: while its graph is alive, or after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from gradclinic.measure.bracket import bracket
from gradclinic.measure.ledger import backward_origin, first_non_finite
from gradclinic.schema.ledger import Entry, Ledger

from .look import Look
from .roster import Roster

#: Origins looked for in one run; after the first few they repeat.
ORIGINS = 3


class Origins:
    """Names at most one origin per step, and :data:`ORIGINS` in all.  ``put(kind, data)`` takes the event."""

    def __init__(self, put: Callable[[str, dict[str, Any]], None], roster: Roster, look: Look) -> None:
        self._put, self._roster, self._look = put, roster, look
        self._left = ORIGINS
        self._found = False
        self._graph: list[Any] = []
        self._first: tuple[Entry, ...] = ()  # the first account's operations, which know their modules

    def backward_begins(self, roots: Sequence[Tensor], broken: bool) -> None:
        """``broken``: the loss is not finite, so an operation of the forward pass is to blame; its values are there."""
        self._graph = [root.grad_fn for root in roots]
        if broken:
            look = self._look
            scopes = look.scopes if look.armed else None  # those of another step would name the wrong modules
            self._note(
                lambda: first_non_finite(
                    roots,
                    names=self._roster.name_of,
                    scopes=scopes,
                    saved_readable=look.saved.readable,
                    earlier=self._first,
                )
            )

    def ledger_closed(self, ledger: Ledger, origin: dict[str, Any] | None) -> None:
        """A backward pass that was looked at closely shows the operation itself, and on the CPU its inputs."""
        self._first = self._first or ledger.entries
        self._note(lambda: origin or backward_origin(ledger))

    def later(self) -> Callable[[NDArray[Any]], None]:
        """A function of the parameters' counts of non-finite gradients, to be called once they are known.

        It works out afterwards, from which gradients broke, where a backward pass that nobody looked at failed.
        Only the graph's structure is kept for it; its tensors are gone.
        """
        graph = self._graph

        def check(non_finite: NDArray[Any]) -> None:
            def broken(leaf: Tensor) -> bool:
                row = self._roster.row_of(leaf)
                return row is not None and bool(non_finite[row])

            if non_finite.any():
                self._note(lambda: bracket(graph, broken, self._roster.name_of))

        return check

    def next_step(self) -> None:
        self._found = False
        self._graph = []

    def _note(self, find: Callable[[], dict[str, Any] | None]) -> None:
        if self._left > 0 and not self._found:
            data = find()
            if data is not None:
                self._left -= 1
                self._found = True
                self._put("non_finite_origin", data)
