"""What the root module returns, seen and replaced."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from .exceptions import NoSplit
from .noise import Noise
from .tree import Rebuild, floating


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call of the root module: the floating tensors that it returned, and the generators after it.

    ``places`` are those of the tensors that depend on a parameter; a call without gradients (a teacher's) has none.
    """

    tensors: list[Tensor]
    places: list[int]
    rebuild: Rebuild
    noise: Noise

    @property
    def chosen(self) -> list[Tensor]:
        return [self.tensors[place] for place in self.places]

    def without_graph(self) -> Recorded:
        """The same without the memory of how the tensors came about."""
        return replace(self, tensors=[tensor.detach() for tensor in self.tensors])


class _Enough(BaseException):
    """Ends the closure at the last call of the model; no Exception, so that no handler of the user's takes it."""


@contextlib.contextmanager
def recording(
    model: nn.Module, calls: list[Recorded], enough: int | None = None
) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Appends each call of ``model`` to ``calls``.  Yields what runs a closure up to its call number ``enough``.

    What comes after that call need not run: it costs time, and may have no forward derivative.
    """

    def seen(module: nn.Module, args: Any, output: Any) -> None:
        tensors, rebuild = floating(output)
        places = [place for place, tensor in enumerate(tensors) if tensor.requires_grad]
        calls.append(Recorded(tensors, places, rebuild, Noise.now()))
        if len(calls) == enough:
            raise _Enough

    def over(closure: Callable[[], Any]) -> None:
        with contextlib.suppress(_Enough):
            closure()

    handle = model.register_forward_hook(seen)  # the last one: it sees what the user's hooks made of the output
    try:
        yield over
    finally:
        handle.remove()


@dataclass(slots=True)
class Given:
    """Outputs to be returned in place of the recorded ones, in the order of the calls."""

    calls: Sequence[Recorded]
    tensors: Sequence[Tensor]  #: for all chosen places of all calls
    used: int = 0
    _start: int = field(default=0, init=False)

    def next(self) -> Any:
        """The output of the next call; leaves the generators as that call did."""
        if self.used == len(self.calls):
            raise NoSplit(f"the loss called the model {self.used} times, and then more often")
        call = self.calls[self.used]
        filled = list(call.tensors)
        for place in call.places:
            filled[place] = self.tensors[self._start]
            self._start += 1
        self.used += 1
        call.noise.restore()
        return call.rebuild(filled)


@contextlib.contextmanager
def replaced(model: nn.Module, given: Given) -> Iterator[None]:
    """Calls of ``model`` return what is given, and compute nothing."""
    space = vars(model)
    kept: dict[str, Any] = {name: space[name] for name in ("forward", "_forward_hooks") if name in space}
    # The given output has been through the user's forward hooks already.
    space.update(forward=lambda *args, **kwargs: given.next(), _forward_hooks=OrderedDict())
    try:
        yield
    finally:
        space.update(kept)
        if "forward" not in kept:
            del space["forward"]
