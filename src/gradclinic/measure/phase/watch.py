"""Watches one forward pass, function by function: what was computed from what, and its mean square."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .cells import Cells, is_cell
from .parts import Product, Rearrangement, Scale, Value
from .reading import product_of_matrices, read
from .weights import wide

#: For a model that is one layer: its path is empty.
ROOT = "the model itself"
#: Elements of each tensor that are kept to tell what function made it.
_SAMPLE = 512


class Watch(TorchFunctionMode):
    """Records every torch function between entry and exit as a :class:`Value`.

    A function is recorded as it is called, not what it calls inside: F.gelu is one value.  While it is on, torch's
    fused transformer layers call their parts.  Tensors are held weakly, so the pass needs little more memory than
    without.  ``gradients``: also take ‖δ‖ of each product in a backward pass.
    """

    def __init__(self, model: nn.Module, gradients: bool = False) -> None:
        super().__init__()
        self.values: list[Value] = []
        self.cells = Cells()
        self.called: set[str] = set()
        self._model = model
        self._gradients = gradients
        self._names = {id(tensor): name for name, tensor in model.named_parameters()}
        self._modules = {id(module): name for name, module in model.named_modules()}
        self._running: list[tuple[str, nn.Module]] = []
        self._places: dict[int, tuple[weakref.ref[Tensor], int]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        op = getattr(func, "__name__", "")
        operands = [self._place(tensor) for tensor in _tensors((args, tuple(kwargs.values())))]
        result = func(*args, **kwargs)
        with torch.no_grad():
            if is_cell(op):
                self.cells.add(op, args, self.path)
            for tensor in _tensors(result):
                self._record(op, args, kwargs, tensor, operands)
        return result

    @property
    def path(self) -> str:
        """Of the module that is running; "" for the root."""
        return self._running[-1][0] if self._running else ""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Switches it on, and knows which module is running."""

        def enter(module: nn.Module, args: Any) -> None:
            name = self._modules.get(id(module), self.path)
            self.called.add(name)
            self._running.append((name, module))

        def leave(module: nn.Module, args: Any, output: Any) -> None:
            self._running.pop()

        with contextlib.ExitStack() as stack:
            for module in self._model.modules():
                stack.callback(module.register_forward_pre_hook(enter).remove)
                stack.callback(module.register_forward_hook(leave, always_call=True).remove)
            stack.enter_context(self)
            yield

    def _place(self, tensor: Tensor) -> int:
        """Of a tensor's latest value; one that nothing seen has made is put down as an input."""
        known = self._places.get(id(tensor))
        if known is not None and known[0]() is tensor:
            return known[1]
        return self._add("", (), tensor, constant=id(tensor) in self._names).place

    def _add(self, op: str, inputs: tuple[int, ...], tensor: Tensor, constant: bool) -> Value:
        place = len(self.values)
        ancestors = 1 << place
        for source in inputs:
            ancestors |= self.values[source].ancestors
        constant = constant or (not inputs and tensor.numel() == 1)  # a number
        value = Value(place, op, inputs, self.path, tensor.shape, ancestors, constant=constant)
        if tensor.numel() and not tensor.is_meta and not tensor.is_sparse:
            value.mean_square = wide(tensor).square().mean()
            value.sample = _sample(tensor)
        self.values.append(value)
        self._places[id(tensor)] = (weakref.ref(tensor), place)
        return value

    def _record(
        self, op: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], tensor: Tensor, operands: list[int]
    ) -> None:
        constant = bool(operands) and _only_floating(args) and all(self.values[place].constant for place in operands)
        value = self._add(op, tuple(operands), tensor, constant)
        if constant:
            value.part = Rearrangement()
        elif op in ("matmul", "mm", "__matmul__") and len(operands) == 2:
            second = args[1]
            if self.values[operands[1]].constant and not self.values[operands[0]].constant and second.dim() == 2:
                value.part = product_of_matrices(second, self._owner)
        elif op in ("mul", "mul_") and len(operands) == 2 and self.values[operands[1]].constant:
            value.part = Scale(self.values[operands[1]].square)  # a learned factor, one for each channel
        else:
            value.part = read(op, args, kwargs, tensor, self._owner)
        if isinstance(value.part, Product):
            value.part.weight = operands[1]
            if self._gradients and tensor.requires_grad:
                self._await_gradient(value.part, tensor)

    def _await_gradient(self, part: Product, tensor: Tensor) -> None:
        def arrived(gradient: Tensor) -> None:
            part.delta = wide(gradient).norm()

        # Before an operation in place changes the tensor: so it gets the gradient by the product itself.
        tensor.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _owner(self, weight: Tensor) -> str:
        """Path of the layer that a weight belongs to, the running one of several; of a bare parameter its own name."""
        if self.path and any(own is weight for own in self._running[-1][1].parameters(recurse=False)):
            return self.path
        name = self._names.get(id(weight), "")
        owner = name.rpartition(".")[0]
        if not owner and not self.path and name in ("", "weight"):
            return ROOT
        return owner or self.path or name


def _tensors(values: Any) -> list[Tensor]:
    """The floating tensors in a call's arguments or result, in tuples and lists too."""
    if isinstance(values, Tensor):
        return [values] if values.is_floating_point() else []
    if isinstance(values, tuple | list):
        return [tensor for value in values if isinstance(value, Tensor | tuple | list) for tensor in _tensors(value)]
    return []


def _only_floating(args: tuple[Any, ...]) -> bool:
    """Whether no integers choose among the rest, as the tokens of an embedding do."""
    return not any(isinstance(arg, Tensor) and not arg.is_floating_point() for arg in args)


def _sample(tensor: Tensor) -> Tensor:
    flat = tensor.detach().reshape(-1)
    return flat[:: max(1, len(flat) // _SAMPLE)][:_SAMPLE].clone()
