"""The recurrences of a forward pass: weights and inputs of torch's fused layers and of its cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import torch
from torch import Tensor

from .weights import wide

Kind = Literal["rnn_tanh", "rnn_relu", "lstm", "gru"]
_ALL: Final[tuple[Kind, ...]] = ("rnn_tanh", "rnn_relu", "lstm", "gru")
#: By torch's name of the function.
_KINDS: Final[dict[str, Kind]] = {name: kind for kind in _ALL for name in (kind, f"{kind}_cell")}

#: Sequences and steps that are kept: for 100 units the mean square of 32 of them is right to 3 %, and the growth per
#: step settles long before 256 steps.
SEQUENCES: Final = 32
STEPS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class CellWeights:
    """Of one direction of one layer: input (gates·H, I), hidden (gates·H, H or P), biases, projection (P, H)."""

    input: Tensor
    hidden: Tensor
    biases: tuple[Tensor, ...]
    projection: Tensor | None


@dataclass(slots=True, eq=False)
class Recurrence:
    """Layers of one module; ``inputs`` are (N, I) for each step, ``state`` the first one of a cell or None."""

    where: str
    kind: Kind
    layers: tuple[tuple[CellWeights, ...], ...]  #: of each layer its directions
    inputs: list[Tensor] = field(default_factory=list)
    steps: int = 0  #: more than ``inputs`` where the sequence is long


class Cells:
    """Collects them as they are called."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], Recurrence] = {}

    @property
    def found(self) -> list[Recurrence]:
        return list(self._found.values())

    def add(self, op: str, args: tuple[Any, ...], path: str) -> None:
        kind = _KINDS[op]
        if op.endswith("_cell"):
            biases = tuple(wide(bias) for bias in args[4:6] if isinstance(bias, Tensor))
            layers = ((CellWeights(wide(args[2]), wide(args[3]), biases, None),),)
            # The same cell in every step; a second sequence through it follows the first.
            self._add(path, kind, layers, id(args[3]), [args[0]])
        else:
            self._add(path, kind, *_fused(args))

    def _add(self, path: str, kind: Kind, layers: Any, key: int, steps: list[Tensor]) -> None:
        recurrence = self._found.setdefault((path, key), Recurrence(path, kind, layers))
        recurrence.steps += len(steps)
        room = STEPS - len(recurrence.inputs)
        recurrence.inputs += [wide(step[:SEQUENCES]).clone() for step in steps[:room] if step.dim() == 2]


def is_cell(op: str) -> bool:
    """Whether a torch function is a recurrence."""
    return op in _KINDS


def _fused(args: tuple[Any, ...]) -> tuple[tuple[tuple[CellWeights, ...], ...], int, list[Tensor]]:
    """Of the arguments of torch.rnn_tanh and its like: the layers, the first hidden weight's identity, the steps."""
    signal = args[0]
    packed = not args[1].is_floating_point() if isinstance(args[1], Tensor) else False
    if packed:  # (data, batch sizes, state, weights, ...): the longest sequences come first
        sizes = args[1].tolist()
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0).tolist()
        steps = [signal[start : start + sizes[-1]] for start in starts]
        flat, biased, layers, _, _, both = args[3:9]
    else:
        flat, biased, layers, _, _, both, first = args[2:9]
        steps = list(signal.unbind(1 if first else 0))
    directions = 2 if both else 1
    each = len(flat) // (layers * directions)
    found = []
    for start in range(0, len(flat), each):
        group = [wide(tensor) for tensor in flat[start : start + each]]
        rest = group[2:4] if biased else []
        found.append(CellWeights(group[0], group[1], tuple(rest), group[-1] if each % 2 else None))
    stacked = tuple(tuple(found[i : i + directions]) for i in range(0, len(found), directions))
    return stacked, id(flat[1]), steps
