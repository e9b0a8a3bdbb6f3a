"""Parameters that a model uses and does not own: layers in a plain list, which no optimizer ever hears of."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from .roster import Roster

#: Names that an event carries; a long list of layers says no more than its beginning.
MOST_NAMED = 64


class Orphans:
    """Collects parameters read inside a model that are not among its ``parameters()``, once; tells at the end.

    Only at the end is it certain that no optimizer takes them in later.  A teacher or a feature extractor that is
    called by the training loop is no orphan: it runs inside no other model.
    """

    def __init__(self, roster: Roster, outermost: Callable[[], nn.Module | None]) -> None:
        self._roster, self._outermost = roster, outermost
        self._found: list[weakref.ref[Tensor]] = []
        self._inside = ""
        self._members: tuple[int, frozenset[int]] | None = None  # of the model that runs: its id, its parameters' ids

    def read(self, parameter: Tensor) -> None:
        """Something reads a parameter now."""
        outer = self._outermost()
        if outer is None or not isinstance(parameter, nn.Parameter):
            return
        if self._members is None or self._members[0] != id(outer):
            self._members = (id(outer), frozenset(id(own) for own in outer.parameters()))
        # A model without parameters of its own is a loss, or a function in the form of a module.
        if self._members[1] and id(parameter) not in self._members[1]:
            self._found.append(weakref.ref(parameter))
            self._inside = type(outer).__name__

    def told(self) -> dict[str, Any] | None:
        """The event, where gradients reached such parameters and nobody ever stepped them."""
        alive = [parameter for reference in self._found if (parameter := reference()) is not None]
        lost = [each for each in alive if each.requires_grad and self._roster.owner_of(each) is None]
        if not lost:
            return None
        names = [self._roster.name_of(parameter) or "a parameter without a module" for parameter in lost]
        elements = sum(parameter.numel() for parameter in lost)
        return {"inside": self._inside, "parameters": names[:MOST_NAMED], "count": len(lost), "elements": elements}
