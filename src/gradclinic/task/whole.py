"""All batches of one round as one: what full-batch gradient descent takes a step on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True, slots=True)
class Whole:
    """A round of batches whose mean gradient is one step's; they are had one by one, so that none need be kept."""

    batches: Callable[[], Iterable[Any]]
    samples: int  #: in all batches together

    def gradient(self, loss: Callable[[nn.Module, Any], Tensor], model: nn.Module) -> Tensor:
        """Adds the gradient of the mean of ``loss(model, batch)`` to the ``.grad`` of the weights; gives that mean.

        Batches are weighed by their samples, so that for a loss that is a mean over samples it is the one over all.
        """
        total: Tensor | None = None
        for batch in self.batches():
            part = loss(model, batch) * (samples_of(batch) / self.samples)
            part.backward()  # type: ignore[no-untyped-call]
            total = part.detach() if total is None else total + part.detach()
        assert total is not None  # it was counted, and had batches
        return total


def parts_of(batch: Any) -> Iterator[Any]:
    """The batches of a whole; a batch itself."""
    return iter(batch.batches()) if isinstance(batch, Whole) else iter((batch,))


def samples_of(batch: Any) -> int:
    """How many samples a batch holds: the length of its first tensor that has one.  1 where there is none."""
    lengths = (len(leaf) for leaf in tree_leaves(batch) if isinstance(leaf, Tensor) and leaf.dim())
    return next(lengths, 1)
