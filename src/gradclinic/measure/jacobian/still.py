"""Runs a model on stand-ins for all that it owns, so that the user's model stays as it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .checkpoints import without_reentry
from .exceptions import NoProduct
from .noise import same_noise

T = TypeVar("T")


class Still:
    """Runs anything that calls ``model`` with copies in place of its parameters and buffers.

    What is restored bit for bit: parameters, buffers, ``.grad``, the attributes of every module (the state that
    some keep there, such as the last hidden state) and the generators of Python, numpy and torch.  Each run starts
    from the same ``seed`` and the same buffers, so dropout draws the same mask.  Not covered: what a forward pass
    does to lists and other objects that a module keeps, and to what lies outside the model.
    ``model`` None: only the generators are kept.  ``own``: the model is the caller's own copy, so that its parameters
    themselves stand in, and the memory of a copy is saved; a layer that writes to its weights as it runs then writes to
    the model's.  Raises NoProduct for TorchScript, and torch's ValueError where a
    lazy module has not run yet.
    """

    def __init__(self, model: nn.Module | None, *, seed: int = 0, own: bool = False) -> None:
        if model is not None and any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
            raise NoProduct("a TorchScript module cannot run on copies of its parameters")
        self.model = model
        self._seed = seed
        self._inside = _Inside(model) if model is not None else None
        # Copies, not views: some layers write to their own weights (a norm constraint) as they run.
        named = [] if model is None else list(model.named_parameters())
        self._fixed = {name: p.detach() if own else p.detach().clone() for name, p in named}

    def run(self, thunk: Callable[[], T], parameters: Mapping[str, Tensor] | None = None) -> T:
        """``thunk()``, with gradients on.  ``parameters`` (name → tensor) stand in for those of the model.

        Tied parameters are replaced together.  Raises whatever ``thunk`` raises.
        """
        with torch.enable_grad(), same_noise(self._seed), eager(), without_reentry():
            if self.model is None or self._inside is None:
                return thunk()
            with same_attributes(self.model):
                # Buffers are copied here, under the transformation: torch.func refuses writes to captured tensors.
                buffers = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
                stand_ins = {**self._fixed, **(parameters or {}), **buffers}
                named = {f"model.{name}": tensor for name, tensor in stand_ins.items()}
                result: T = functional_call(self._inside, named, (thunk,))
                return result


class _Inside(nn.Module):
    """Lets functional_call replace the tensors of a model around more than one call of it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, thunk: Callable[[], Any]) -> Any:
        return thunk()


@contextlib.contextmanager
def same_attributes(model: nn.Module) -> Iterator[None]:
    """Puts back, afterwards, what every module holds: attributes, parameters and buffers by identity."""
    kept: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for module in model.modules():
        kept += [(space, dict(space)) for space in (vars(module), module._parameters, module._buffers)]
        for name, value in list(vars(module).items()):
            # A plain tensor may be written to as a buffer is; one with a graph is made anew by each forward pass.
            if isinstance(value, Tensor) and not value.requires_grad:
                vars(module)[name] = value.clone()
    try:
        yield
    finally:
        for space, before in kept:
            for name in [name for name in space if name not in before]:
                del space[name]
            for name, value in before.items():
                if space.get(name) is not value:
                    space[name] = value


def eager() -> contextlib.AbstractContextManager[Any]:
    """Compiled parts run uncompiled: other tensors in their place would have them compiled anew."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and importing it takes seconds
        return contextlib.nullcontext()
    stance: contextlib.AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance
