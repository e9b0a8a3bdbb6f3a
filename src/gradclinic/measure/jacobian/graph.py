"""A function run once with its autograd graph kept, and the products that torch has for it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .exceptions import NotConnected
from .flat import Layout
from .tree import floating

Function = Callable[[Any], Any]
#: Runs a backward pass: ``within(leaves, thunk)`` returns ``thunk()``.
Within = Callable[[Sequence[Tensor], Callable[[], Any]], Any]


def as_is(leaves: Sequence[Tensor], thunk: Callable[[], Any]) -> Any:
    """Nothing surrounds the backward pass."""
    return thunk()


class Graph:
    """``function`` at ``point``: its floating outputs that depend on the point, in order, and their graph.

    Raises NotConnected where there is none.
    """

    def __init__(self, function: Function, point: Tensor | Sequence[Tensor], within: Within = as_is) -> None:
        self._function, self._single, self._within = function, isinstance(point, Tensor), within
        self.leaves = [leaf.detach().requires_grad_() for leaf in ([point] if isinstance(point, Tensor) else point)]
        with torch.enable_grad():
            found = self._call(self.leaves)
        self._chosen = [place for place, output in enumerate(found) if output.requires_grad]
        self.outputs = [found[place] for place in self._chosen]
        self.rows, self.columns = Layout.of(self.outputs), Layout.of(self.leaves)
        if not self.rows.size or not self.columns.size:
            raise NotConnected(f"none of the {len(found)} floating outputs depends on the {len(self.leaves)} inputs")

    def again(self) -> Graph:
        """The same, run anew."""
        return Graph(self._function, self.leaves[0] if self._single else self.leaves, self._within)

    def pull(self, cotangents: Sequence[Tensor]) -> Sequence[Tensor | None]:
        """The gradient of <outputs, cotangents> by each leaf; None where it does not depend on that one."""

        def backward() -> Sequence[Tensor | None]:
            return torch.autograd.grad(self.outputs, self.leaves, cotangents, retain_graph=True, allow_unused=True)

        result: Sequence[Tensor | None] = self._within(self.leaves, backward)
        return result

    def forward(self, vector: Tensor) -> Tensor:
        """J v by torch.func.jvp, flat.  Raises what torch raises where an operation has no forward derivative.

        Not the adjoint of :meth:`pull` where the function computes a constant under torch.no_grad: forward mode
        differentiates that too.
        """

        def outputs(*leaves: Tensor) -> tuple[Tensor, ...]:
            found = self._call(leaves)
            return tuple(found[place] for place in self._chosen)

        point = tuple(leaf.detach() for leaf in self.leaves)
        _load_forward_mode()
        tangents: Sequence[Tensor] = torch.func.jvp(outputs, point, tuple(self.columns.split(vector)))[1]
        return self.rows.join([tangent.detach() for tangent in tangents])

    def doubled(self) -> Callable[[Tensor], Tensor]:
        """J v by double backward: Jᵀ u is linear in u, and the gradient of <Jᵀ u, v> by u is J v.

        Raises what torch raises where a backward pass has no derivative.
        """
        cotangents = [torch.zeros_like(output).requires_grad_() for output in self.outputs]

        def backward() -> Sequence[Tensor | None]:
            return torch.autograd.grad(
                self.outputs, self.leaves, cotangents, create_graph=True, retain_graph=True, allow_unused=True
            )

        pulled: Sequence[Tensor | None] = self._within(self.leaves, backward)
        live = [place for place, tensor in enumerate(pulled) if tensor is not None and tensor.requires_grad]

        def push(vector: Tensor) -> Tensor:
            tangents = self.columns.split(vector)

            def second() -> Sequence[Tensor | None]:
                return torch.autograd.grad(
                    [p for place in live if (p := pulled[place]) is not None],
                    cotangents,
                    [tangents[place] for place in live],
                    retain_graph=True,
                    allow_unused=True,
                )

            images = self._within(self.leaves, second) if live else [None] * len(cotangents)
            return self.rows.join(images)

        return push

    def _call(self, leaves: Sequence[Tensor]) -> list[Tensor]:
        return floating(self._function(leaves[0] if self._single else list(leaves)))[0]


@functools.cache
def _load_forward_mode() -> None:
    """torch loads parts of it at its first use, and warns of its own: a user whose warnings are errors has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.func.jvp(torch.sin, (torch.zeros(()),), (torch.zeros(()),))
