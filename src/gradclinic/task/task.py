"""One training, ready to begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.errors import UserError

#: What a user's file may leave out.
_OPTIONAL = ("metric", "folds", "pretrained")


@dataclass(frozen=True, slots=True)
class Task:
    """A model and everything that trains it.

    ``loss(model, batch)`` may be any closure that returns a scalar tensor; a batch may be anything.
    """

    model: nn.Module  #: freshly built
    batches: Callable[[], Iterator[Any]]  #: a new iterator at each call; it may end, and is then called again
    loss: Callable[[nn.Module, Any], Tensor]
    optimizer: Callable[[Any], Optimizer]  #: takes the parameters
    steps: int  #: how many steps the user means to train
    metric: Callable[[nn.Module], float] | None = None  #: on held-out data, higher is better
    #: Takes a splitter of scikit-learn and yields (batches, metric) for each split: what cross-validation needs.
    folds: Callable[[Any], Iterable[tuple[Any, Any]]] | None = None
    pretrained: str | Path | None = (
        None  #: a file of torch.save with weights of another training, to be tried as a start
    )

    def __post_init__(self) -> None:
        """Checks each part, since whoever wrote it wants to hear of a mistake before minutes have passed."""
        if not isinstance(self.model, nn.Module):
            raise UserError(f"a task's model must be a torch.nn.Module, not {type(self.model).__name__}")
        for name in _SIGNATURES:
            part = getattr(self, name)
            if not callable(part) and not (name in _OPTIONAL and part is None):
                raise UserError(f"a task's {name} must be callable, not {type(part).__name__}: {_SIGNATURES[name]}")
        if not isinstance(self.pretrained, str | Path | None):
            seen = type(self.pretrained).__name__
            raise UserError(f"a task's pretrained must be the path of a file that torch.save wrote, not {seen}")
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise UserError(f"a task's steps must be a whole number of at least 1, not {self.steps!r}")

    def stream(self) -> Iterator[Any]:
        """Batches without end: when they run out, ``batches`` is called again.

        Raises:
            UserError: there is no batch, or ``batches`` does not return an iterable.
        """
        first = True
        for begin in chain([self.batches], repeat(self.batches)):
            count = 0
            for batch in _iterate(begin):
                count += 1
                yield batch
            if not count:
                end = "" if first else " after the first round: return a new iterator at each call"
                raise UserError(f"a task's batches gave no batch{end}")
            first = False

    def new_optimizer(self) -> Optimizer:
        """The user's optimizer over the model's parameters.

        Raises:
            UserError: what came back is no optimizer.
        """
        optimizer = self.optimizer(self.model.parameters())
        if not isinstance(optimizer, Optimizer):
            raise UserError(
                f"a task's optimizer must return a torch.optim.Optimizer, not {type(optimizer).__name__}:"
                f" {_SIGNATURES['optimizer']}"
            )
        return optimizer

    def loss_of(self, batch: Any) -> Tensor:
        """The loss of one batch.

        Raises:
            UserError: it is no scalar tensor.
        """
        loss = self.loss(self.model, batch)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            seen = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise UserError(f"a task's loss must return a tensor with one element, not {seen}")
        return loss.reshape(())


_SIGNATURES = {
    "batches": "batches() returns an iterator of batches",
    "loss": "loss(model, batch) returns a scalar tensor",
    "optimizer": "optimizer(parameters) returns a torch.optim.Optimizer",
    "metric": "metric(model) returns a number, higher is better",
    "folds": "folds(splitter) yields a pair (batches, metric) for each split",
}


def as_task(value: Any, name: str) -> Task:
    """A task from a :class:`Task` or a mapping with the same keys.

    Raises:
        UserError: it is neither, a key is missing or unknown, or a part has the wrong type.
    """
    if isinstance(value, Task):
        return value
    if not isinstance(value, Mapping):
        raise UserError(f"{name} must give a gradclinic.Task or a mapping with its keys, not {type(value).__name__}")
    known = [field.name for field in fields(Task)]
    unknown = [str(key) for key in value if key not in known]
    if unknown:
        raise UserError(f"{name} has no use for {', '.join(unknown)}; the keys of a task are {', '.join(known)}")
    missing = [key for key in known if key not in value and key not in _OPTIONAL]
    if missing:
        raise UserError(f"{name} lacks {', '.join(missing)}; the keys of a task are {', '.join(known)}")
    return Task(**value)


def _iterate(begin: Callable[[], Any]) -> Iterator[Any]:
    batches = begin()
    try:
        return iter(batches)
    except TypeError:
        seen = type(batches).__name__
        raise UserError(f"a task's batches() must return an iterator of batches, not {seen}") from None
