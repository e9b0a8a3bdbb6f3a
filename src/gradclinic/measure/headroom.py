"""How near one forward and backward pass in half precision comes to the limits of its formats, module by module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from .jacobian.still import Still
from .jacobian.tree import cloned

#: The formats whose limits ordinary values come near; those of float32 lie 38 decades away.
HALF = (torch.float16, torch.bfloat16)
#: Elements of one gradient that its typical size is taken from: their median is known to a few percent.
SAMPLE = 4096


@dataclass(slots=True)
class Room:
    """The extremes of one module's values; of the calls that belong to no module inside it."""

    module: str  #: "" for the loss, and the model itself
    dtype: str  #: "float16" or "bfloat16"
    largest: float = 0.0  #: of all outputs, by magnitude; what a mask sets to the format's end is left out
    function: str = ""  #: that gave it
    gradient_largest: float = 0.0
    #: The smallest, over the outputs, of the median magnitude of the gradient's elements that are not 0; None: no such.
    gradient_typical: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As an event has it."""
        return asdict(self)


def headroom(
    model: nn.Module, loss: Callable[[nn.Module, Any], Tensor], batch: Any, *, seed: int = 0
) -> tuple[Room, ...]:
    """What ``loss(model, batch)`` and its gradient hold in float16 and bfloat16; empty for a model in float32.

    One forward pass, and one backward pass where something was in half precision.  Seen are the results of torch's
    functions as Python calls them; what a fused function does inside is not.  The model, the batch and all generators
    are left as they were.  Raises whatever the closure raises.
    """
    watch = _Watch()
    leaves = {n: p.detach().requires_grad_() for n, p in model.named_parameters() if p.requires_grad}

    def run() -> None:
        with _named(model, watch.inside), watch:
            value = loss(model, cloned(batch))
        if watch.rooms and value.requires_grad and leaves:
            torch.autograd.grad(value, list(leaves.values()), allow_unused=True)

    Still(model, seed=seed).run(run, leaves)
    return tuple(watch.rooms.values())


class _Watch(TorchFunctionMode):
    """Looks at every result in half precision, and at its gradient when that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[tuple[str, torch.dtype], Room] = {}
        self.inside: list[str] = []  #: the modules that run now, the innermost last

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.dtype in HALF and tensor.numel():
                self._see(tensor, getattr(func, "__name__", str(func)))
        return result

    def _see(self, tensor: Tensor, function: str) -> None:
        module = self.inside[-1] if self.inside else ""
        name = str(tensor.dtype).removeprefix("torch.")
        room = self.rooms.setdefault((module, tensor.dtype), Room(module, name))
        largest = _largest(tensor.detach())
        if largest > room.largest:
            room.largest, room.function = largest, function
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: _received(room, gradient))  # type: ignore[no-untyped-call]


def _received(room: Room, gradient: Tensor) -> None:
    room.gradient_largest = max(room.gradient_largest, _largest(gradient))
    flat = gradient.reshape(-1)
    size = flat[:: max(1, flat.numel() // SAMPLE)].abs()
    size = size[size > 0]
    if size.numel():
        typical = float(size.median())
        room.gradient_typical = typical if room.gradient_typical is None else min(room.gradient_typical, typical)


def _largest(tensor: Tensor) -> float:
    size = tensor.abs()
    return float(torch.where(size < torch.finfo(tensor.dtype).max, size, 0).max())


@contextmanager
def _named(model: nn.Module, inside: list[str]) -> Iterator[None]:
    """Keeps ``inside`` up to date while modules run."""

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: inside.append(name)

    def leave(*_: Any) -> None:
        inside.pop()

    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(enter(name)))
        handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
