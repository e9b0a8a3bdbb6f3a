"""Edits of a model and its optimizer in place, each with its way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

#: Stands for an attribute that was not there.
_ABSENT = object()


class Journal:
    """Every edit goes through it, and :meth:`undo` takes all of them back, the last first.

    ``reversible=False`` keeps no old values: a trial throws its model away.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer | None = None, *, reversible: bool = True) -> None:
        self.model = model
        self.optimizer = optimizer
        self._back: list[Callable[[], None]] = []
        self._reversible = reversible
        self._draws = 0
        self._new: list[nn.Parameter] = []  # that the edits brought

    def undo(self) -> None:
        """Takes every edit back; parameters get the values that they had when they were edited."""
        while self._back:
            self._back.pop()()

    def generator(self) -> torch.Generator:
        """A generator on the CPU for one edit: it follows the seed that the user set and leaves theirs alone."""
        self._draws += 1
        return torch.Generator().manual_seed((torch.initial_seed() * 1_000_003 + self._draws) % 2**63)

    @torch.no_grad()
    def write(self, tensor: Tensor, values: Tensor | float) -> None:
        """New values for a parameter or buffer, of the same shape or one number for all."""
        old = tensor.detach().clone() if self._reversible else None
        if isinstance(values, Tensor):
            tensor.copy_(values)
        else:
            tensor.fill_(values)
        if old is not None:
            self._later(lambda: _restore(tensor, old))

    def set(self, owner: object, name: str, value: Any) -> None:
        """Another value for an attribute; submodules too."""
        old = vars(owner).get(name, _ABSENT)
        if isinstance(owner, nn.Module) and name in owner._modules:
            old = owner._modules[name]
        setattr(owner, name, value)
        self._later(lambda: delattr(owner, name) if old is _ABSENT else setattr(owner, name, old))

    def replace(self, path: str, module: nn.Module) -> None:
        """Another module at ``path`` (as in ``named_modules``) below the model."""
        parent, _, name = path.rpartition(".")
        self.set(self.model.get_submodule(parent), name, self._placed(module))

    def add(self, owner: nn.Module, name: str, module: nn.Module) -> str:
        """A new submodule of ``owner``, on the device and of the type of its parameters; gives the name it got."""
        stem, number = name, 1
        while hasattr(owner, name):
            number += 1
            name = f"{stem}_{number}"
        owner.add_module(name, self._placed(module))
        self._later(lambda: delattr(owner, name))
        return name

    def buffer(self, owner: nn.Module, name: str, values: Tensor) -> None:
        """A new buffer of ``owner``, on the device of its parameters.

        Raises:
            ValueError: the name is taken.
        """
        if hasattr(owner, name):
            raise ValueError(f"{type(owner).__name__} has a {name!r} already")
        owner.register_buffer(name, self._like(values))
        self._later(lambda: delattr(owner, name))

    def hook(self, handle: Any) -> None:
        """A hook that was registered."""
        self._later(handle.remove)

    def group(self, group: dict[str, Any], key: str, value: Any) -> None:
        """Another setting of one parameter group."""
        old = group.get(key, _ABSENT)
        group[key] = torch.full_like(old, value) if isinstance(old, Tensor) else value
        self._later(lambda: group.pop(key) if old is _ABSENT else group.__setitem__(key, old))

    def exchange(self, optimizer: Optimizer) -> None:
        """Another optimizer in place of the one at hand."""
        old = self.optimizer
        self.optimizer = optimizer
        self._later(lambda: setattr(self, "optimizer", old))

    def adopt(self) -> None:
        """Gives the optimizer the parameters that the edits brought, by the settings of its first group.

        Those that the edits took away stay with it and get no gradient.
        """
        if self.optimizer is None:
            return
        groups = self.optimizer.param_groups
        held = {id(parameter) for group in groups for parameter in group["params"]}
        new = [parameter for parameter in self._new if id(parameter) not in held]
        if new:
            self.optimizer.add_param_group({**{k: v for k, v in groups[0].items() if k != "params"}, "params": new})
            self._later(groups.pop)

    def bring(self, parameters: Iterable[nn.Parameter]) -> None:
        """Parameters that are to be trained from now on."""
        self._new += parameters

    def _placed(self, module: nn.Module) -> nn.Module:
        like = self._typical()
        if like is not None:
            module.to(like.device, like.dtype)
        self.bring(module.parameters())
        return module.train(self.model.training)

    def _like(self, values: Tensor) -> Tensor:
        like = self._typical()
        return values if like is None else values.to(like.device, like.dtype)

    def _typical(self) -> Tensor | None:
        return next((p for p in self.model.parameters() if p.is_floating_point()), None)

    def _later(self, back: Callable[[], Any]) -> None:
        if self._reversible:
            self._back.append(back)


@torch.no_grad()
def _restore(tensor: Tensor, old: Tensor) -> None:
    tensor.copy_(old)
