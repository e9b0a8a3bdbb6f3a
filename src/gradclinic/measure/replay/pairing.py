"""Whether predictions and targets that were flattened for the loss still lie in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from .battery import BUDGET
from .replay import Doing, Edit, Replay
from .roles import Roles
from .tape import Call, Ref

#: Orders drawn at random, which tell what the gradient is where targets belong to other predictions.
SHUFFLES = 6
_FLATTENING = ("reshape", "view", "flatten")


@dataclass(frozen=True, slots=True)
class Pairing:
    """How much the gradient says in the order that the script gave, and in another.

    1 is what it says where targets are dealt out at random: what is learned of the samples adds up in the right order
    and averages out in a wrong one.
    """

    as_is: float
    swapped: float
    dimensions: tuple[int, int]  #: of the prediction, which changed places in ``swapped``
    shape: tuple[int, ...]  #: of the prediction before it was flattened
    module: str


def pairing(replay: Replay, spent: int) -> Pairing | None:
    """Of the last flattening before the loss; None without one, or where ``spent`` leaves too little of the budget."""
    call = _flattening(replay)
    if call is None:
        return None
    with torch.no_grad():
        values = replay.run(replay.copies())[1]
    source, flat = values[call.args[0].index], values[call.outputs[0]]
    swaps = list(combinations(_merged(source.shape, flat.shape[0]), 2))
    if not swaps or spent + SHUFFLES + 2 + len(swaps) > BUDGET:
        return None
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(flat.shape[0], generator=generator).to(flat.device) for _ in range(SHUFFLES)]
    shuffled = torch.stack([_gradient(replay, _dealt(call, order)) for order in orders])
    centre = shuffled.mean(0)
    others = (shuffled.sum(0) - shuffled) / (SHUFFLES - 1)
    chance = float((shuffled - others).square().sum(1).mean())
    if not chance > 0:
        return None

    def says(edit: Edit | None) -> float:
        return float((_gradient(replay, edit) - centre).square().sum()) / chance

    swapped = {pair: says(_turned(call, pair)) for pair in swaps}
    best = max(swapped, key=lambda pair: swapped[pair])
    return Pairing(says(None), swapped[best], best, tuple(source.shape), call.module)


def _flattening(replay: Replay) -> Call | None:
    """The last call before the loss that merges dimensions of the model's output."""
    roles = Roles(replay.recording, set(replay.parameters))
    for call in reversed(replay.recording.calls):
        if call.name in _FLATTENING and call.tracked and not roles.hidden(call) and isinstance(call.args[0], Ref):
            return call
    return None


def _merged(shape: Sequence[int], rows: int) -> list[int]:
    """The dimensions that were laid out one after the other, without those of size 1.  Classes are not among them."""
    count = 1
    for last, size in enumerate(shape):
        count *= size
        if count == rows and last > 0:
            return [place for place in range(last + 1) if shape[place] > 1]
    return []


def _dealt(call: Call, order: Tensor) -> Edit:
    return lambda doing: doing.plain()[order] if doing.call is call else doing.plain()


def _turned(call: Call, pair: tuple[int, int]) -> Edit:
    def edit(doing: Doing) -> Tensor:
        if doing.call is not call:
            return doing.plain()  # type: ignore[no-any-return]
        shape = doing.plain().shape
        return doing.args[0].transpose(*pair).reshape(shape)  # type: ignore[no-any-return]

    return edit


def _gradient(replay: Replay, edit: Edit | None) -> Tensor:
    _, gradients = replay.gradients(replay.copies(), [edit] if edit else [])
    parts = [g.detach().flatten().double() for g in gradients if g is not None and not g.is_sparse]
    return torch.cat(parts)
