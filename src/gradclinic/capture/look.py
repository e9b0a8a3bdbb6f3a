"""A close look at one step: module scopes during the forward pass, the ledger during the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gradclinic.measure.ledger import OpenLedger, SavedTensorsWatch, Scopes, open_ledger
from gradclinic.schema.ledger import Ledger

from .roster import Roster


class Look:
    """Attaches what a close look needs for one step, and takes it away again.

    Module hooks cost 6 to 32% of a step even when idle, so they are there for that step only.
    """

    def __init__(self, roster: Roster) -> None:
        self._scopes = Scopes(roster.path_of)
        self._roster = roster
        self.saved = SavedTensorsWatch()
        self._open: OpenLedger | None = None
        self.origin: dict[str, Any] | None = None  #: of a non-finite gradient that the closed look caught
        self.armed = False  #: the coming backward pass is looked at

    def install(self) -> None:
        self.saved.install()

    def remove(self) -> None:
        self.abandon()
        self.saved.remove()

    def arm(self) -> None:
        """Before the forward pass of a step to be looked at."""
        self.armed = True
        self._scopes.attach()

    def open(self, roots: Sequence[Tensor]) -> None:
        """At the start of the backward pass."""
        self._scopes.detach()
        self._open = open_ledger(
            roots, scopes=self._scopes, names=self._roster.name_of, saved_readable=self.saved.readable
        )

    def close(self, finished: bool) -> Ledger | None:
        """At the end of the backward pass; ``None`` if it did not finish or nothing was open."""
        opened, self._open, self.armed = self._open, None, False
        if opened is None:
            return None
        ledger = opened.close()
        self.origin = opened.origin
        return ledger if finished else None

    @property
    def scopes(self) -> Scopes:
        """Which module each operation of the last armed step ran in."""
        return self._scopes

    def disarm_scopes(self) -> None:
        """Something is about to be compiled: no module hook may be there when it is traced."""
        self._scopes.detach()

    def abandon(self) -> None:
        self.armed = False
        self._scopes.detach()
        if self._open is not None:
            self._open.close()
            self._open = None
