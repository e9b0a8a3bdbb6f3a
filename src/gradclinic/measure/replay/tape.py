"""Records the calls of one forward pass and its loss, so that they can be run again on copies."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, _get_current_function_mode
from torch.utils._pytree import tree_leaves, tree_map

from .losses import accidental_outer, loss_call
from .names import name_in_script

#: A recurrence over thousands of time steps, or a script that never calls backward, must not fill the memory.
CALLS_LIMIT = 20_000
#: A loop over samples may call a loss for each; the first say what the others are.
LOSS_CALLS_LIMIT = 8
#: A name is looked up in some ten microseconds: an episode that was played in the same step may have thousands.
NAMES_LIMIT = 2_000
#: Calls that weigh a value, or set it off against another.
_WEIGHING = {"mul", "__mul__", "__rmul__", "multiply", "sub", "__sub__", "__rsub__", "rsub", "div", "__truediv__"}


#: Calls that only pass on: between a layer's output and its activation, or an output and its loss.
SHAPES = {"view", "reshape", "squeeze", "unsqueeze", "flatten", "transpose", "permute", "contiguous", "dropout"}

HAND_WRITTEN = "a hand-written autograd function, or a graph that began before the step"


@dataclass(frozen=True, slots=True)
class Ref:
    """The tensor that an earlier call made: its number."""

    index: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor that was there before: a parameter, a part of the batch, a constant.  Its place in ``Tape.leaves``."""

    place: int


@dataclass(slots=True)
class Call:
    """One call of a torch function.  ``args`` and ``kwargs`` hold :class:`Ref` and :class:`Leaf` for tensors."""

    function: Callable[..., Any]
    args: Any
    kwargs: Any
    outputs: tuple[int, ...]  #: the numbers of the tensors it made, in the order of its flattened result
    module: str  #: dotted path of the innermost module it ran in
    grad: bool  #: whether autograd was recording
    tracked: bool  #: whether a gradient can come back from what it made
    autocast: torch.dtype | None  #: the format of the autocast region it ran in

    @property
    def name(self) -> str:
        """The function's plain name, e.g. "linear", "sigmoid", "__add__"."""
        return str(getattr(self.function, "__name__", ""))


@dataclass(slots=True)
class Recording:
    """A closed tape: what is needed to run the step again."""

    calls: list[Call] = field(default_factory=list)
    leaves: list[Tensor] = field(default_factory=list)
    inputs: tuple[int, ...] = ()  #: places of the leaves that the model itself was given
    loss: Ref | None = None
    loss_calls: list[dict[str, Any]] = field(default_factory=list)  #: see :func:`.losses.loss_call`
    scalars: dict[int, Tensor] = field(default_factory=dict)  #: the values of single numbers, by their number
    outer: dict[str, Any] | None = None  #: see :func:`.losses.accidental_outer`
    names: dict[Ref | Leaf, str] = field(default_factory=dict)  #: what the script calls factors and addends of its own


class Tape(TorchFunctionMode):
    """Records every call that depends on a parameter or on the model's inputs; runs each one unchanged.

    It is entered before the forward pass and closed when the backward pass begins.  It sees the functions that
    users call (``linear``, ``sigmoid``, ``mse_loss``), hand-written expressions included.  What does not depend on
    parameters or inputs (masks, noise, targets) is taken as it was.  A hand-written autograd function cannot be
    recorded: its output looks like a leaf that has a history, and :attr:`trouble` says so.

    ``module_now()`` names the module that is running; ``parameter_read(tensor)`` hears of each parameter once, where
    it is first read.
    """

    def __init__(self, module_now: Callable[[], str], parameter_read: Callable[[Tensor], None] | None = None) -> None:
        super().__init__()
        self.recording = Recording()
        self.trouble: str | None = None  #: why this step cannot be run again
        self._module_now, self._parameter_read = module_now, parameter_read
        self._made: dict[int, tuple[weakref.ref[Tensor], int, bool]] = {}  # number, made with gradients on
        self._places: dict[int, int] = {}
        self._count = 0
        self._open = False

    # -- life ----------------------------------------------------------------------------------------------

    def begin(self, inputs: Iterable[Tensor] = ()) -> None:
        """Enters the mode; ``inputs`` are the tensors that the model is given."""
        self._open = True
        self.note_inputs(inputs)
        self.__enter__()  # type: ignore[no-untyped-call]

    def note_inputs(self, inputs: Iterable[Tensor]) -> None:
        """Tensors whose change is worth following although nothing trains them."""
        places = [self._leaf(tensor).place for tensor in inputs if self._number(tensor) is None]
        self.recording.inputs = tuple(dict.fromkeys((*self.recording.inputs, *places)))

    def close(self, roots: Iterable[Tensor]) -> None:
        """Stops recording: the backward pass of ``roots`` begins."""
        if not self._open:
            return
        self._open = False
        losses = [root for root in roots if root.numel() == 1]
        number = self._number(losses[0]) if len(losses) == 1 else None
        if number is None:
            self.trouble = self.trouble or "the loss was not computed by recorded calls"
        else:
            self.recording.loss = Ref(number)
        self._made.clear()

    def leave(self) -> bool:
        """Takes the mode off the stack, where it is on top; whether that was possible."""
        if self._open or _get_current_function_mode() is not self:  # type: ignore[no-untyped-call]
            return False
        self.__exit__(None, None, None)
        return True

    # -- recording -----------------------------------------------------------------------------------------

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.backward:
            return _backward(*args, **kwargs)
        if not self._open:
            return func(*args, **kwargs)
        prepared = None
        try:
            prepared = self._before(func, args, kwargs)
        except Exception as error:
            self._fail(error)
        result = func(*args, **kwargs)
        if prepared is not None and self._open:
            try:
                self._after(func, prepared, args, result)
            except Exception as error:
                self._fail(error)
        return result

    def _fail(self, error: Exception) -> None:
        self.trouble = f"recording failed with {type(error).__name__}: {error}"
        self._open = False

    def _before(self, func: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Any] | None:
        tensors = [item for item in tree_leaves((args, kwargs)) if isinstance(item, Tensor)]
        if not any(self._follows(tensor) for tensor in tensors):
            return None
        if len(self.recording.calls) >= CALLS_LIMIT:
            self.trouble, self._open = f"the step makes more than {CALLS_LIMIT} calls", False
            return None
        few = len(self.recording.loss_calls) < LOSS_CALLS_LIMIT
        called = loss_call(func, args, kwargs, self._made_by) if few else None
        if called is not None:
            self.recording.loss_calls.append(called | {"module": self._module_now()})
        if self.recording.outer is None:
            spread = accidental_outer(func, args)
            self.recording.outer = spread and spread | {"module": self._module_now()}
        if mutates(func) and args and isinstance(args[0], Tensor) and self._number(args[0]) is None:
            self._leaf(args[0], copy=True)  # as it was before the call changes it
        if str(getattr(func, "__name__", "")) in _WEIGHING:
            self._note_names(args)
        return tree_map(self._symbol, args), tree_map(self._symbol, kwargs)

    def _note_names(self, items: Any) -> None:
        for item in items:
            if isinstance(item, Tensor) and not item.requires_grad and len(self.recording.names) < NAMES_LIMIT:
                self.recording.names.setdefault(self._symbol(item), name_in_script(item))

    def _after(self, func: Callable[..., Any], prepared: tuple[Any, Any], args: Any, result: Any) -> None:
        made = args[0] if mutates(func) and args and isinstance(args[0], Tensor) else result
        outputs = [item for item in tree_leaves(made) if isinstance(item, Tensor)]
        if not outputs:
            return
        numbers = tuple(self._new(tensor) for tensor in outputs)
        call = Call(
            func,
            prepared[0],
            prepared[1],
            numbers,
            self._module_now(),
            torch.is_grad_enabled(),
            any(tensor.requires_grad for tensor in outputs),
            _autocast(outputs[0]),
        )
        self.recording.calls.append(call)
        if len(outputs) == 1 and outputs[0].numel() == 1 and outputs[0].is_floating_point():
            self.recording.scalars[numbers[0]] = outputs[0].detach().clone()  # a later call may change it in place

    def _made_by(self, tensor: Tensor) -> str | None:
        """The function that gave a tensor its values, reshaping left out; None where none was recorded."""
        number = self._number(tensor)
        for call in reversed(self.recording.calls):
            if number not in call.outputs:
                continue
            if call.name not in SHAPES:
                return call.name
            number = next((item.index for item in tree_leaves(call.args) if isinstance(item, Ref)), None)
        return None

    def _follows(self, tensor: Tensor) -> bool:
        if self._number(tensor) is not None:
            return True
        place = self._places.get(id(tensor))
        return tensor.requires_grad or (place is not None and place in self.recording.inputs)

    def _symbol(self, item: Any) -> Any:
        if not isinstance(item, Tensor):
            return item
        number = self._number(item)
        return self._leaf(item) if number is None else Ref(number)

    def _number(self, tensor: Tensor) -> int | None:
        known = self._made.get(id(tensor))
        if known is None or known[0]() is not tensor:
            return None
        if tensor.grad_fn is not None and not known[2]:
            self.trouble = HAND_WRITTEN  # its calls ran without gradients, and its result has a history
        return known[1]

    def _new(self, tensor: Tensor) -> int:
        self._count += 1
        self._made[id(tensor)] = (weakref.ref(tensor), self._count, torch.is_grad_enabled())
        return self._count

    def _leaf(self, tensor: Tensor, copy: bool = False) -> Leaf:
        place = self._places.get(id(tensor))
        if place is None or self.recording.leaves[place] is not tensor:
            if tensor.grad_fn is not None:
                self.trouble = HAND_WRITTEN
            place = self._places[id(tensor)] = len(self.recording.leaves)
            self.recording.leaves.append(tensor.detach().clone() if copy else tensor)
            if self._parameter_read is not None and tensor.requires_grad and tensor.is_leaf:
                self._parameter_read(tensor)
        return Leaf(place)


def _backward(
    tensor: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """What ``Tensor.backward`` does.  Calling that would run another tool's wrapper of it a second time."""
    torch.autograd.backward(tensor, gradient, retain_graph, create_graph, inputs=inputs)


def mutates(func: Callable[..., Any]) -> bool:
    """Whether a function changes its first argument in place, by its name."""
    name = str(getattr(func, "__name__", ""))
    if name == "__setitem__":
        return True
    return (name.startswith("__i") and name.endswith("__") and name not in ("__index__", "__int__", "__invert__")) or (
        name.endswith("_") and not name.endswith("__")
    )


def _autocast(tensor: Tensor) -> torch.dtype | None:
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
