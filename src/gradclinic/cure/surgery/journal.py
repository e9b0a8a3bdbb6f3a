"""Edits of a model and its optimizer in place, each with its way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

#: Stands for an attribute that was not there.
_ABSENT = object()

StepHook = Callable[[Optimizer], None]


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
        self._around: list[tuple[str, Callable[..., None]]] = []  # hooks of the optimizer, and how each is registered

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
        plain = vars(owner).get(name, _ABSENT)
        old = owner._modules[name] if isinstance(owner, nn.Module) and name in owner._modules else plain
        setattr(owner, name, value)

        def back() -> None:
            if old is _ABSENT or (plain is not _ABSENT and name not in vars(owner)):
                delattr(owner, name)  # a module that stood in for what is none is kept elsewhere
            if old is not _ABSENT:
                setattr(owner, name, old)

        self._later(back)

    def add(self, owner: nn.Module, name: str, module: nn.Module) -> str:
        """A new submodule of ``owner``, on the device and of the type of its parameters; gives the name it got."""
        name = _free(owner, name)
        owner.add_module(name, self.placed(module, owner))
        self._later(lambda: delattr(owner, name))
        return name

    def buffer(self, owner: nn.Module, name: str, values: Tensor) -> str:
        """A new buffer of ``owner``, on the device of its parameters but of its own type; gives the name it got."""
        name, like = _free(owner, name), self._typical(owner)
        owner.register_buffer(name, values if like is None else values.to(like.device))
        self._later(lambda: delattr(owner, name))
        return name

    @torch.no_grad()
    def cast(self, tensor: Tensor, dtype: torch.dtype) -> None:
        """The same parameter or buffer, its values in another format."""
        old = tensor.data
        gradient, tensor.grad = tensor.grad, None
        tensor.data = old.to(dtype)
        if gradient is not None:
            tensor.grad = gradient.to(dtype)

        def back() -> None:
            tensor.grad = None
            tensor.data = old
            tensor.grad = gradient

        self._later(back)

    def hook(self, handle: Any) -> None:
        """A hook that was registered."""
        self._later(handle.remove)

    def group(self, group: dict[str, Any], key: str, value: Any) -> None:
        """Another setting of one parameter group."""
        old = group.get(key, _ABSENT)
        group[key] = torch.full_like(old, float(value)) if isinstance(old, Tensor) else value
        self._later(lambda: group.pop(key) if old is _ABSENT else group.__setitem__(key, old))

    def train(self, parameter: nn.Parameter) -> None:
        """A parameter that was frozen, or left out of the optimizer, is to be trained from now on."""
        old = parameter.requires_grad
        parameter.requires_grad_()
        self._later(lambda: parameter.requires_grad_(old))
        self.bring([parameter])

    def before_step(self, hook: StepHook) -> None:
        """Called with the optimizer before each of its steps, in order of registration; with one that comes later too.

        Raises:
            ValueError: there is no optimizer.
        """
        self._around_step("register_step_pre_hook", hook)

    def after_step(self, hook: StepHook) -> None:
        """Called with the optimizer after each of its steps; see :meth:`before_step`."""
        self._around_step("register_step_post_hook", hook)

    def exchange(self, optimizer: Optimizer) -> None:
        """Another optimizer in place of the one at hand; what happens around its steps goes on."""
        old = self.optimizer
        self.optimizer = optimizer
        self._later(lambda: setattr(self, "optimizer", old))
        for register, hook in self._around:
            self.hook(getattr(optimizer, register)(hook))

    def _around_step(self, register: str, hook: StepHook) -> None:
        if self.optimizer is None:
            raise ValueError("there is no optimizer")

        def called(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
            hook(optimizer)

        self.hook(getattr(self.optimizer, register)(called))
        self._around.append((register, called))
        self._later(self._around.pop)

    def adopt(self) -> None:
        """Gives the optimizer the parameters that the edits brought, by the settings of its first group.

        Those that the edits took away stay with it and get no gradient.
        """
        if self.optimizer is None:
            return
        groups = self.optimizer.param_groups
        held = {id(parameter) for group in groups for parameter in group["params"]}
        new = [parameter for parameter in dict.fromkeys(self._new) if id(parameter) not in held]
        if new:
            self.optimizer.add_param_group({**{k: v for k, v in groups[0].items() if k != "params"}, "params": new})
            self._later(groups.pop)

    def bring(self, parameters: Iterable[nn.Parameter]) -> None:
        """Parameters that are to be trained from now on."""
        self._new += parameters

    def placed(self, module: nn.Module, owner: nn.Module) -> nn.Module:
        """A new module as it must be to work beside ``owner``; its parameters are to be trained."""
        like = self._typical(owner)
        if like is not None:
            module.to(like.device, like.dtype)
        self.bring(module.parameters())
        return module.train(self.model.training)

    def _typical(self, owner: nn.Module) -> Tensor | None:
        every = (p for module in (owner, self.model) for p in module.parameters() if p.is_floating_point())
        return next(every, None)

    def _later(self, back: Callable[[], Any]) -> None:
        if self._reversible:
            self._back.append(back)


@torch.no_grad()
def _restore(tensor: Tensor, old: Tensor) -> None:
    tensor.copy_(old)


def _free(owner: nn.Module, name: str) -> str:
    """``name``, or with the first number that makes it one that ``owner`` has not."""
    stem, number = name, 1
    while hasattr(owner, name):
        number += 1
        name = f"{stem}_{number}"
    return name
