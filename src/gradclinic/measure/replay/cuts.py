"""Where a graph is cut: a parameter's values reach the loss, and its gradient cannot come back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .replay import symbols_of
from .tape import Call, Leaf, Recording, Ref


@dataclass(frozen=True, slots=True)
class Cut:
    """The call behind which no gradient comes back, and the parameters that only reach the loss through such calls."""

    op: str  #: "detach", "argmax", "data"
    module: str
    enabled: bool  #: whether gradients were on: with ``no_grad()`` they are off, which is mostly meant
    parameters: tuple[Tensor, ...]


def find_cuts(recording: Recording) -> list[Cut]:
    """Cuts in the order of their calls; none where every parameter that acts on the loss gets a gradient.

    Follows two sets of parameters through the calls, as bits of one number: those a value depends on, and those that a
    gradient would come back to.
    """
    if recording.loss is None:
        return []
    acts: dict[int, int] = {}
    learns: dict[int, int] = {}
    cutting: dict[int, tuple[Call, int]] = {}
    wanted = sum(1 << place for place, leaf in enumerate(recording.leaves) if leaf.requires_grad and leaf.is_leaf)
    for call in recording.calls:
        before, alive = 0, 0
        for item in symbols_of(call):
            bits = 1 << item.place & wanted if isinstance(item, Leaf) else 0
            before |= acts.get(item.index, 0) if isinstance(item, Ref) else bits
            alive |= learns.get(item.index, 0) if isinstance(item, Ref) else bits
        for number in call.outputs:
            acts[number] = before
            learns[number] = alive if call.tracked else 0
        if alive and not call.tracked:
            cutting[call.outputs[0]] = (call, alive)
    lost = acts.get(recording.loss.index, 0) & ~learns.get(recording.loss.index, 0)
    return _named(recording, cutting, lost) if lost else []


def _named(recording: Recording, cutting: dict[int, tuple[Call, int]], lost: int) -> list[Cut]:
    """Cuts that lie on a way to the loss, each with the lost parameters before it."""
    reach = _reaching(recording)
    found = []
    for number, (call, alive) in cutting.items():
        if number in reach and alive & lost:
            places = [place for place in range(len(recording.leaves)) if (alive & lost) >> place & 1]
            found.append(Cut(_name(call), call.module, call.grad, tuple(recording.leaves[place] for place in places)))
            lost &= ~alive
    return found


def _reaching(recording: Recording) -> set[int]:
    """The numbers that the loss depends on."""
    assert recording.loss is not None  # the caller has looked
    reach = {recording.loss.index}
    for call in reversed(recording.calls):
        if reach.intersection(call.outputs):
            reach.update(item.index for item in symbols_of(call) if isinstance(item, Ref))
    return reach


def _name(call: Call) -> str:
    """A property such as ``x.data`` is read by a function called "__get__"; it says its own name elsewhere."""
    if call.name != "__get__":
        return call.name
    return str(getattr(getattr(call.function, "__self__", None), "__name__", "data"))
