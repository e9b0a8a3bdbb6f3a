"""A copy of a model and its loss, to be evaluated at any weights near those given."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.noise import same_noise
from gradclinic.measure.jacobian.still import eager, same_attributes

from .batch import copied, in_double
from .copying import NoTwin, model_copy, widen
from .generators import same_generators
from .hints import Hints
from .precision import DOUBLE, Precision
from .pull import gradient_of
from .widen import Widen

T = TypeVar("T")
Loss = Callable[[nn.Module, Any], Tensor]
#: What is added to a parameter: its place among the trainable ones → a tensor like it, None for nothing.
Move = Callable[[int], Tensor | None]


class Twin:
    """``loss(model, batch)`` on a deep copy of the model, in double or in its own precision.

    Every evaluation starts from the same buffers, module attributes and generators, and from copies of the batch.
    The parameters are set anew each time from those of the user's model, which are only read: nothing but the copy
    is kept.  Raises NoTwin where the model cannot be copied.
    """

    def __init__(self, model: nn.Module, loss: Loss, batch: Any, precision: Precision, *, seed: int = 0) -> None:
        self.precision, self.wide, self._seed, self._loss = precision, precision is DOUBLE, seed, loss
        self.model = model_copy(model)
        self._batch = in_double(batch) if self.wide else copied(batch)
        if self.wide:
            widen(self.model)
        pairs = list(zip(model.parameters(), self.model.parameters(), strict=True))
        self._pairs = [(user.detach(), own) for user, own in pairs]
        self.names = [name for name, parameter in self.model.named_parameters() if parameter.requires_grad]
        self.parameters = [parameter for _, parameter in self._pairs if parameter.requires_grad]
        #: Root mean square of each trainable parameter; 1 for zeros, which say nothing of their scale.
        self.sizes = [_size(user) for user, own in self._pairs if own.requires_grad]
        self.jitter: Move | None = None  #: moves the point around which all else happens
        self.hints: Hints | None = None  #: notes what the user's code does
        self.forwards = self.backwards = 0

    def run(self, thunk: Callable[[], T], move: Move | None = None) -> T:
        """``thunk()`` with gradients on and the copy's weights moved; all state of the copy is put back after it."""
        self._place(move)
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            for context in (torch.enable_grad(), same_noise(self._seed), eager(), same_attributes(self.model)):
                stack.enter_context(context)
            stack.enter_context(same_generators(self.model))
            stack.enter_context(_spare_buffers(self.model))
            if self.wide:
                stack.enter_context(_double_by_default())
                stack.enter_context(Widen())
            if self.hints is not None:
                stack.enter_context(self.hints)
            return thunk()

    def closure(self) -> Tensor:
        """The loss, a scalar with its graph; to be called inside :meth:`run`.  Raises NoTwin where it is no scalar."""
        self.forwards += 1
        value = self._loss(self.model, copied(self._batch))
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise NoTwin("the loss is no scalar tensor")
        return value.reshape(())

    def value(self, move: Move | None = None) -> float:
        """The loss at moved weights."""
        return float(self.run(lambda: self.closure().detach().real, move))

    def gradient(self) -> tuple[float, list[Tensor | None], Tensor]:
        """The loss, its gradient by each trainable parameter (None: none), and the loss with what is left of its graph.

        Raises what autograd raises.
        """

        def both() -> tuple[float, list[Tensor | None], Tensor]:
            loss = self.closure()
            self.backwards += int(loss.requires_grad)
            return float(loss.detach().real), gradient_of(loss.real, self.parameters), loss

        return self.run(both)

    def _place(self, move: Move | None) -> None:
        with torch.no_grad():
            for user, own in self._pairs:
                own.data.copy_(user)
            for mover in (self.jitter, move):
                if mover is not None:
                    for place, own in enumerate(self.parameters):
                        added = mover(place)
                        if added is not None:
                            own.data.add_(added)


@contextlib.contextmanager
def _spare_buffers(model: nn.Module) -> Iterator[None]:
    """Lets a run write to copies of the buffers; whoever restores the attributes brings the old ones back."""
    copies: dict[int, Tensor] = {}
    for module in model.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = copies.setdefault(id(buffer), buffer.clone())
    yield


@contextlib.contextmanager
def _double_by_default() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _size(parameter: Tensor) -> float:
    found = float(torch.linalg.vector_norm(parameter, dtype=_wider(parameter))) / sqrt(max(parameter.numel(), 1))
    return found if found > 0 else 1.0


def _wider(parameter: Tensor) -> torch.dtype | None:
    # Squares overflow in half precision.  Not float64: some devices have none.
    return torch.float32 if parameter.dtype in (torch.float16, torch.bfloat16) else None
