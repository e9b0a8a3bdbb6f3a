"""A copy of everything that a step changes: parameters, buffers, the optimizers' state."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

#: How a copy is kept: ``keep(name, tensor)`` gives a function that brings it back.
Keep = Callable[[str, Tensor], Callable[[], Tensor]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being trained.  ``models`` are all those that own a parameter of one of the optimizers."""

    models: tuple[nn.Module, ...]
    optimizers: tuple[Optimizer, ...]

    def weights(self) -> Iterator[Tensor]:
        """Every trained tensor once.  Frozen ones stay what they are: nobody need copy them."""
        seen: set[int] = set()
        groups = (group for optimizer in self.optimizers for group in optimizer.param_groups)
        held = (tensor for group in groups for tensor in group["params"])
        trained = (p for model in self.models for p in model.parameters() if p.requires_grad)
        for tensor in (*held, *trained):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor

    def buffers(self) -> Iterator[Tensor]:
        """Every buffer once."""
        yield from {id(buffer): buffer for model in self.models for buffer in model.buffers()}.values()

    def bytes(self) -> int:
        """What a snapshot takes, Adam's two moments included where they are there."""
        states = (value for optimizer in self.optimizers for value in _tensors(optimizer.state))
        return sum(local(t).numel() * t.element_size() for t in (*self.weights(), *self.buffers(), *states))


class Snapshot:
    """Weights, buffers and optimizer state as they were.  Made on the training thread, between two steps."""

    def __init__(self, subject: Subject, keep: Keep) -> None:
        self._weights = [(t, keep(f"weight {i}", local(t))) for i, t in enumerate(subject.weights())]
        self._buffers = [(t, keep(f"buffer {i}", local(t))) for i, t in enumerate(subject.buffers())]
        self._states = [(o, _kept(o.state, f"state {i}", keep)) for i, o in enumerate(subject.optimizers)]
        self._settings = [(group, _settings(group)) for o in subject.optimizers for group in o.param_groups]

    def restore(self) -> None:
        """Puts everything back, into the tensors that are there: whoever holds them sees it."""
        with torch.no_grad():
            for tensor, back in self._weights:
                overwrite(tensor, back())
            for tensor, back in self._buffers:
                overwrite(tensor, back())
            for optimizer, state in self._states:
                _restore_state(optimizer.state, state)
        for group, settings in self._settings:
            for key, value in settings.items():
                if isinstance(group.get(key), Tensor) and isinstance(value, Tensor):
                    overwrite(group[key], value)
                else:
                    group[key] = copy.deepcopy(value)

    def mend_buffers(self) -> int:
        """Puts back the buffers that are not finite, such as running statistics of a bad batch; how many there were."""
        broken = [(tensor, back) for tensor, back in self._buffers if not finite(tensor)]
        with torch.no_grad():
            for tensor, back in broken:
                overwrite(tensor, back())
        return len(broken)


def finite(tensor: Tensor) -> bool:
    """Whether all elements of this rank's part are finite.  Waits for the device."""
    part = local(tensor.detach())
    return not (part.is_floating_point() or part.is_complex()) or bool(part.isfinite().all())


def in_memory(_: str, tensor: Tensor) -> Callable[[], Tensor]:
    """Keeps a copy on the host: the accelerator's memory belongs to the training."""
    kept = tensor.detach().to("cpu", copy=True)
    return lambda: kept


def on_device(_: str, tensor: Tensor) -> Callable[[], Tensor]:
    """Keeps a copy where the tensor is, for the moment that a step takes."""
    kept = tensor.detach().clone()
    return lambda: kept


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a sharded tensor; any other as it is."""
    part: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part


def overwrite(tensor: Tensor, values: Tensor) -> None:
    """Writes values in place, unseen by autograd.

    A second model's forward pass may have saved these weights; the next step would have changed them all the same, but
    through an in-place operation that autograd counts, its backward pass would raise.
    """
    local(tensor.data).copy_(values)


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) for key, value in group.items() if key != "params"}


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _kept(value: Any, name: str, keep: Keep) -> Any:
    """A tree like ``value`` whose tensors are functions that bring them back."""
    if isinstance(value, Tensor):
        return _Kept(keep(name, local(value)), value)
    if isinstance(value, Mapping):
        return {key: _kept(item, f"{name}.{place}", keep) for place, (key, item) in enumerate(value.items())}
    if isinstance(value, (list, tuple)):
        return type(value)(_kept(item, f"{name}.{place}", keep) for place, item in enumerate(value))
    return copy.deepcopy(value)


@dataclass(frozen=True, slots=True)
class _Kept:
    back: Callable[[], Tensor]
    tensor: Tensor  #: the one that was copied; written into again where the optimizer still holds it


def _brought_back(value: Any) -> Any:
    if isinstance(value, _Kept):
        overwrite(value.tensor, value.back())
        return value.tensor
    if isinstance(value, Mapping):
        return {key: _brought_back(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_brought_back(item) for item in value)
    return copy.deepcopy(value)


def _restore_state(state: Any, kept: Mapping[Any, Any]) -> None:
    """The optimizer's own dictionary stays, and so do those of its parameters: fused code may hold them."""
    for key in [key for key in state if key not in kept]:
        del state[key]
    for key, value in kept.items():
        back = _brought_back(value)
        if isinstance(back, dict) and isinstance(state.get(key), dict):
            state[key].clear()
            state[key].update(back)
        else:
            state[key] = back


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
