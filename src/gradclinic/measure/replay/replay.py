"""Runs a recorded step again on copies, with edits of its calls, and measures what comes out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log10, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from .tape import Call, Leaf, Recording, Ref, mutates

#: The seed of every run: dropout draws the same masks in each, so that only the change differs.
SEED = 0


#: Does one call its own way and gives its result.
Edit = Callable[["Doing"], Any]


@dataclass(slots=True)
class Doing:
    """One call of the step that is about to be made."""

    call: Call
    args: Any
    kwargs: Any
    values: dict[int, Tensor]  #: what the calls before it made, by number
    leaves: Sequence[Tensor]
    edits: Sequence[Edit] = ()  #: what else is done otherwise

    def plain(self) -> Any:
        """Makes the call with ``args`` and ``kwargs`` as they are now, the remaining edits applied."""
        if self.edits:
            return self.edits[0](replace(self, edits=self.edits[1:]))
        return self.call.function(*self.args, **self.kwargs)

    def value(self, symbol: Ref | Leaf) -> Tensor:
        """The tensor that a symbol stands for in this run."""
        return self.values[symbol.index] if isinstance(symbol, Ref) else self.leaves[symbol.place]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the step gave."""

    loss: float
    first: float | None  #: RMS of the gradient at the first weights that the step reads
    last: float | None  #: and at the last
    gradient: float  #: norm over all parameters

    @property
    def finite(self) -> bool:
        return isfinite(self.loss) and isfinite(self.gradient)

    @property
    def decades(self) -> float | None:
        """log10 of the first weights' gradient over the last ones', RMS; None where one of them has none."""
        if not self.first or not self.last or not isfinite(self.first) or not isfinite(self.last):
            return None
        return log10(self.first / self.last)


class Replay:
    """A recorded step on copies of all that it read: the user's tensors are never written to.

    ``trained`` gives the places of the leaves that the optimizer trains; ``scale`` is what the loss was multiplied
    with by a gradient scaler.  Raises ValueError where the recording has no loss.
    """

    def __init__(self, recording: Recording, scale: float = 1.0) -> None:
        if recording.loss is None:
            raise ValueError("the recording has no loss")
        self.recording = recording
        self.scale = scale
        self.kept = [leaf.detach().clone() for leaf in recording.leaves]
        self._trainable = [leaf.requires_grad and leaf.is_leaf for leaf in recording.leaves]
        self.weights = self._order_of_weights()

    @property
    def parameters(self) -> list[int]:
        """Places of the leaves with a gradient."""
        return [place for place, trainable in enumerate(self._trainable) if trainable]

    def copies(self) -> list[Tensor]:
        """Fresh copies of every leaf, as they were when the step was recorded."""
        return [
            leaf.clone().requires_grad_(trainable) for leaf, trainable in zip(self.kept, self._trainable, strict=True)
        ]

    def run(
        self, leaves: Sequence[Tensor], edits: Sequence[Edit] = (), *, precise: bool = False
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """The loss (unscaled, with its graph) and all tensors by number; ``precise`` leaves autocast regions out."""
        values: dict[int, Tensor] = {}

        def real(item: Any) -> Any:
            if isinstance(item, Ref):
                return values[item.index]
            return leaves[item.place] if isinstance(item, Leaf) else item

        with _same_noise(self.kept):
            for call in self.recording.calls:
                args = tree_map(real, call.args, is_leaf=is_symbol)
                if mutates(call.function) and isinstance(call.args[0], Leaf):
                    args = (args[0].clone(), *args[1:])  # the copy serves the next run as well
                doing = Doing(call, args, tree_map(real, call.kwargs, is_leaf=is_symbol), values, leaves, edits)
                with _context(call, args, precise):
                    result = doing.plain()
                made = args[0] if mutates(call.function) else result
                tensors = [item for item in tree_leaves(made) if isinstance(item, Tensor)]
                values.update(zip(call.outputs, tensors, strict=False))
        assert self.recording.loss is not None
        return values[self.recording.loss.index] / self.scale, values

    def gradients(
        self, leaves: Sequence[Tensor], edits: Sequence[Edit] = (), *, precise: bool = False
    ) -> tuple[Tensor, list[Tensor | None]]:
        """The loss and the gradient of each of :attr:`parameters`."""
        loss, _ = self.run(leaves, edits, precise=precise)
        wanted = [leaves[place] for place in self.parameters]
        return loss.detach(), list(torch.autograd.grad(loss, wanted, allow_unused=True))

    def outcome(self, loss: Tensor, gradients: Sequence[Tensor | None]) -> Outcome:
        """The numbers of one forward and backward pass."""
        by_place = dict(zip(self.parameters, gradients, strict=True))
        known = [g for place in self.weights if (g := by_place.get(place)) is not None]
        total = sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None and not g.is_sparse))
        return Outcome(
            float(loss.detach()), _rms(known[0]) if known else None, _rms(known[-1]) if known else None, total
        )

    def _order_of_weights(self) -> list[int]:
        """Places of the trained leaves of two or more dimensions, in the order in which the step reads them."""
        order: dict[int, None] = {}
        for call in self.recording.calls:
            for item in tree_leaves((call.args, call.kwargs), is_leaf=is_symbol):
                if isinstance(item, Leaf) and self._trainable[item.place] and self.kept[item.place].dim() >= 2:
                    order.setdefault(item.place)
        return list(order)


def is_symbol(item: Any) -> bool:
    """Whether an item of recorded arguments stands for a tensor."""
    return isinstance(item, (Ref, Leaf))


def symbols_of(call: Call) -> list[Ref | Leaf]:
    """The tensors that a call reads, in the order of its flattened arguments."""
    leaves = tree_leaves((call.args, call.kwargs), is_leaf=is_symbol)
    return [item for item in leaves if isinstance(item, (Ref, Leaf))]


@contextlib.contextmanager
def _context(call: Call, args: Any, precise: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        if not call.grad:
            stack.enter_context(torch.no_grad())
        if call.autocast is not None and not precise:
            kind = next((item.device.type for item in tree_leaves(args) if isinstance(item, Tensor)), "cpu")
            stack.enter_context(torch.autocast(kind, call.autocast, cache_enabled=False))
        yield


@contextlib.contextmanager
def _same_noise(leaves: Sequence[Tensor]) -> Iterator[None]:
    """The same random numbers in every run; the user's generators stay as they are."""
    devices = sorted({leaf.device.index for leaf in leaves if leaf.is_cuda})
    with torch.random.fork_rng(devices), torch.enable_grad():
        torch.manual_seed(SEED)
        yield


def _rms(gradient: Tensor) -> float:
    dense = gradient.coalesce().values() if gradient.is_sparse else gradient
    return sqrt(float(dense.double().square().mean())) if dense.numel() else 0.0
