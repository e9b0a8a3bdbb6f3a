"""Jacobian-vector and vector-Jacobian products of a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .check import TRIES, agree
from .exceptions import NoForwardMode, in_one_line
from .graph import Function, Graph, Within, as_is
from .kernels import plain_kernels

#: Ways to J v, in the order in which they are tried.  Forward mode needs no memory beyond a forward pass.  Double
#: backward keeps the graph of the backward pass as well, but does not run the function again: measured, it is 2 to 15
#: times as fast on small fully connected networks and half as fast on convolutions with batch norm.
MODES = ("forward", "double backward")


class Jacobian:
    """The Jacobian J of ``function`` at ``point``, an :class:`~.operators.Operator`: rows are outputs, columns inputs.

    ``function`` takes what ``point`` is, one tensor or a list of tensors, of any floating or complex dtypes and
    devices, and returns tensors in any nesting of tuples, lists, dicts and dataclasses.  It must not write to its
    argument, and must give the same each time.  Outputs that do not depend on the point have no rows.  ``within``
    surrounds backward passes (see :class:`~.still.Still`).

    The function is run once here, and its graph kept for :meth:`adjoint`.  Raises NotConnected where nothing depends
    on ``point``, and whatever ``function`` raises.
    """

    def __init__(
        self,
        function: Function,
        point: Tensor | Sequence[Tensor],
        *,
        modes: Sequence[str] = MODES,
        within: Within = as_is,
        tries: int = TRIES,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self._graph = Graph(function, point, within)
        self._modes, self._tries, self._dtype = tuple(modes), tries, dtype
        self._push: Callable[[Tensor], Tensor] | None = None
        #: How J v is computed; "" before the first one.
        self.mode = ""

    @property
    def rows(self) -> int:
        return self._graph.rows.size

    @property
    def columns(self) -> int:
        return self._graph.columns.size

    @property
    def device(self) -> torch.device:
        return self._graph.columns.home

    @property
    def value(self) -> Tensor:
        """The outputs at the point, (rows,), float64."""
        return self._graph.rows.join([output.detach() for output in self._graph.outputs])

    def adjoint(self, vector: Tensor) -> Tensor:
        """Jᵀ u: (rows,) → (columns,), in ``dtype``; one backward pass."""
        return self._graph.columns.join(self.pull(vector), self._dtype)

    def pull(self, vector: Tensor) -> Sequence[Tensor | None]:
        """Jᵀ u as one tensor for each of the point, None for zeros: no flat vector is made."""
        return self._graph.pull(self._graph.rows.split(vector))

    def times(self, vector: Tensor) -> Tensor:
        """J v: (columns,) → (rows,), float64.

        The first call finds a way that works.  Each is held against :meth:`adjoint` on ``tries`` random vectors first
        (three products more than these), because forward mode differentiates what torch.no_grad hides from the backward
        pass, and double backward is silently zero where a hand-written backward detaches.

        Raises NoForwardMode where none works.
        """
        if self._push is None:
            self._push = self._find()
        return self._push(vector)

    def _find(self) -> Callable[[Tensor], Tensor]:
        reasons = []
        for mode in self._modes:
            for plain in (False, True):
                name = mode + (", plain kernels" if plain else "")
                try:
                    push = self._way(mode, plain)
                    if agree(push, self.adjoint, self.rows, self.columns, self.device, self._tries, self._dtype):
                        self.mode = name
                        return push
                    reasons.append(f"{name}: disagrees with the backward pass")
                except torch.OutOfMemoryError:
                    raise
                except Exception as error:  # torch raises four kinds here, and the user's code may raise any
                    reasons.append(f"{name}: {in_one_line(error)}")
        raise NoForwardMode("no way to J v works: " + ("; ".join(reasons) or "none was allowed"))

    def _way(self, mode: str, plain: bool) -> Callable[[Tensor], Tensor]:
        if mode == "forward":
            return _plainly(self._graph.forward) if plain else self._graph.forward
        if mode == "double backward":
            return _plainly(self._graph.again)().doubled() if plain else self._graph.doubled()
        raise ValueError(f"{mode!r} is not one of {', '.join(MODES)}")


def _plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    def plainly(*args: Any) -> Any:
        with plain_kernels():
            return function(*args)

    return plainly
