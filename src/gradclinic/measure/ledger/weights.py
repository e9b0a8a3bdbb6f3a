"""The weight that an operation multiplies with: its RMS and its fan-in."""

from __future__ import annotations

from math import prod

from torch import Tensor

from .forward import Values
from .graph import Op
from .kinds import CONVOLUTIONS, FUSED_RECURRENCES, LOOKUPS
from .parts import weight_position


def weight_of(op: Op, values: Values) -> tuple[Tensor, int] | None:
    """(weight, number of inputs that one unit adds up); None when the operation has no weight or it is unseen."""
    if op.name in LOOKUPS:
        leaf = next((leaf for leaf in op.parameters() if leaf.dim() == 2), None)
        return None if leaf is None else (leaf.detach(), 1)
    if op.name in FUSED_RECURRENCES:
        # The hidden-to-hidden matrix is square up to the gates, and it is what contracts or expands.
        square = [leaf for leaf in op.parameters() if leaf.dim() == 2 and leaf.shape[0] % leaf.shape[1] == 0]
        return (square[-1].detach(), square[-1].shape[1]) if square else None
    if op.name == "Mul":
        leaf = next(iter(op.parameters()), None)
        return None if leaf is None else (leaf.detach(), 1)
    position = weight_position(op)
    weight = values.operand(op, position) if position is not None else None
    if weight is None or weight.dim() == 0:
        return None
    if op.name in CONVOLUTIONS:
        if getattr(op.node, "_saved_transposed", False):
            groups, strides = int(op.node._saved_groups), op.node._saved_stride
            return weight, max(1, weight.shape[0] // groups * prod(weight.shape[2:]) // prod(strides))
        return weight, prod(weight.shape[1:])
    if op.name == "Linear":
        return weight, weight.shape[-1]
    weight_is_second = position != 0 and not (op.name in ("Addmm", "Baddbmm", "Addmv") and position == 1)
    return weight, weight.shape[-2] if weight_is_second and weight.dim() > 1 else weight.shape[-1]
