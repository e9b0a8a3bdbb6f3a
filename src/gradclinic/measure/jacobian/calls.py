"""What a model's modules were called with, so that each can be looked at by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from .still import Still
from .tree import cloned

#: Repetitions from which a container is a stack of blocks.
REPEATS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One module and the arguments of its first call."""

    name: str  #: "" for the model
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    autocast: tuple[str, torch.dtype] | None = None  #: device and format of mixed precision around the call

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[None]:
        """Mixed precision as it was around the call."""
        if self.autocast is None:
            yield
            return
        with torch.autocast(*self.autocast):
            yield

    def cut(self, samples: int) -> Call:
        """The same for the first samples of the batch: the tensors whose first dimension is that of the first one."""
        tensors = [leaf for leaf in tree_leaves((self.args, self.kwargs)) if isinstance(leaf, Tensor) and leaf.dim()]
        if not tensors:
            return self
        batch = tensors[0].shape[0]

        def shorter(leaf: Any) -> Any:
            return leaf[:samples] if isinstance(leaf, Tensor) and leaf.dim() and leaf.shape[0] == batch else leaf

        return replace(self, args=tree_map(shorter, self.args), kwargs=tree_map(shorter, self.kwargs))


def first_calls(model: nn.Module, run: Callable[[], Any], wanted: Sequence[str], *, seed: int = 0) -> list[Call]:
    """The first call of each of the ``wanted`` modules in one forward pass ``run``, in the order of the calls.

    The model and all generators are left as they were.  Raises whatever ``run`` raises.
    """
    found: dict[str, Call] = {}
    named = {name: module for name, module in model.named_modules() if name in set(wanted)}

    def watched() -> None:
        def keep(name: str) -> Callable[..., None]:
            def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                if name not in found:
                    found[name] = Call(name, module, _detached(args), _detached(kwargs), _autocast(module))

            return hook

        handles = [m.register_forward_pre_hook(keep(name), with_kwargs=True) for name, m in named.items()]
        try:
            with torch.no_grad():
                run()
        finally:
            for handle in handles:
                handle.remove()

    Still(model, seed=seed).run(watched)
    return list(found.values())


def block_names(model: nn.Module, most: int) -> list[str]:
    """The items of the longest container, at most ``most``, evenly spread; empty where none holds several."""
    best: list[str] = []
    for prefix, module in model.named_modules():
        if isinstance(module, (nn.ModuleList, nn.Sequential)):
            names = [f"{prefix}.{name}".lstrip(".") for name, _ in module.named_children()]
            if len(names) >= max(REPEATS, len(best) + 1):
                best = names
    if len(best) <= most:
        return best
    return [best[round(place * (len(best) - 1) / (most - 1))] for place in range(most)]


def _autocast(module: nn.Module) -> tuple[str, torch.dtype] | None:
    device = next((parameter.device.type for parameter in module.parameters()), "cpu")
    return (device, torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else None


def _detached(value: Any) -> Any:
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, cloned(value))
