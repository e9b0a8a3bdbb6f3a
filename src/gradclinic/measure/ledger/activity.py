"""What activation functions do to a batch: zeros, dead and saturated units, size, and how alike the samples are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, log, sqrt
from typing import Final

import torch
from torch import Tensor

from gradclinic.schema.ledger import Activity

from .evaluate import evaluate
from .forward import ForwardTape, Ticket, Values
from .graph import Op
from .kinds import CONVOLUTIONS
from .parts import is_product
from .saved import SavedReader

#: Open intervals of the *output* where the slope is below a tenth of its largest:
#: sigmoid: y(1-y) < 1/40, tanh: 1-y² < 1/10.
_BY_OUTPUT: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "Sigmoid": ((-inf, (1 - sqrt(0.9)) / 2), ((1 + sqrt(0.9)) / 2, inf)),
    "Tanh": ((-inf, -sqrt(0.9)), (sqrt(0.9), inf)),  # |y| > sqrt(0.9), which is how it is computed
}

#: The same as intervals of the *input*.  Closed forms: erf sqrt(ln 10), softplus -ln 9, ELU ln 0.1, softsign
#: sqrt(10) - 1; GELU, SiLU and Mish numerically, |slope| against a tenth of 1.1289, 1.0998 and 1.0885.
_BY_INPUT: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "Erf": ((-inf, -sqrt(log(10))), (sqrt(log(10)), inf)),
    "Softplus": ((-inf, -log(9)),),
    "LogSigmoid": ((log(9), inf),),
    "Gelu": ((-inf, -1.7282), (-1.1583, -0.5324)),
    "Silu": ((-inf, -0.8825),),
    "Mish": ((-inf, -2.5398), (-2.0146, -0.8691)),
    "Hardswish": ((-inf, -3.0), (-1.95, -1.05)),
    "Hardsigmoid": ((-inf, -3.0), (3.0, inf)),
    "Elu": ((-inf, log(0.1)),),
    "Celu": ((-inf, log(0.1)),),
    "Div": ((-inf, 1 - sqrt(10)), (sqrt(10) - 1, inf)),  # softsign
}

#: Units of these can be dead: their output is exactly 0 over half of their input.
_RECTIFIERS: Final = frozenset({"Relu", "Threshold", "Hardtanh", "Clamp", "ClampMin", "Hardswish"})

_MOST_NAMED = 4096
#: Elements looked at: of a larger activation every k-th sample of the batch.
_MOST_ELEMENTS = 1 << 18
_MOST_SAMPLES = 64
_MOST_FEATURES = 1024


@dataclass(slots=True)
class Draft:
    """An activity whose numbers may still be on their way from the GPU."""

    op: Op
    units: int
    rows: int  #: elements per unit
    zeros: Tensor  #: per unit for rectifiers, in all for others
    saturated: Tensor | None  #: per unit
    alike: Tensor | None
    rms: Ticket


def draft(op: Op, values: Values, reader: SavedReader, forward: ForwardTape) -> Draft | None:
    """Looks at one activation; None when neither its output nor its input was saved."""
    output, source = values.output(op), None
    get = partial(reader.raw, op.node)
    if output is None or op.name not in _BY_OUTPUT:
        source = values.operand(op, 0)
    if output is None and source is not None:
        source = _thinned(source)
        output = evaluate(op, [source] if op.name != "Div" else [source, 1 + source.abs()], get)
    elif output is not None:
        output = _thinned(output)
        source = _thinned(source) if source is not None else None
    if output is None or output.dim() == 0 or output.numel() == 0 or not output.is_floating_point():
        return None
    feature = _feature_dimension(op, output)
    units = output.shape[feature]
    rows = output.numel() // units
    if op.name in _RECTIFIERS:
        zeros = rows - _per_unit(output, feature)
    else:
        zeros = output.numel() - torch.count_nonzero(output)
    mask = None if op.name == "Relu" else _saturated(op, output, source, get)
    saturated = _per_unit(mask, feature) if mask is not None else zeros if op.name == "Relu" else None
    return Draft(op, units, rows, zeros, saturated, _alike(output, feature), forward.measure(output))


def finish(found: Draft, module: str, rms: float | None) -> Activity:
    """Brings the numbers over.  ``rms`` is the output's, once the norms have settled."""
    rectifier = found.op.name in _RECTIFIERS
    zeros = found.zeros.tolist() if rectifier else [int(found.zeros)]
    dead = [unit for unit, count in enumerate(zeros) if count == found.rows] if rectifier else []
    stuck = found.saturated.tolist() if found.saturated is not None else []
    elements = max(1, found.rows * found.units)
    return Activity(
        module=module,
        op=found.op.name,
        sequence=found.op.sequence,
        units=found.units,
        zero_fraction=sum(zeros) / elements,
        dead=tuple(dead[:_MOST_NAMED]),
        dead_units=len(dead),
        saturated_fraction=sum(stuck) / elements,
        saturated_units=sum(count == found.rows for count in stuck),
        rms=rms if rms is not None else 0.0,
        correlation=float(found.alike) if found.alike is not None and bool(found.alike.isfinite()) else None,
    )


def _thinned(tensor: Tensor) -> Tensor:
    step = tensor.numel() // _MOST_ELEMENTS
    return tensor[::step] if step > 1 and tensor.dim() > 1 and tensor.shape[0] > step else tensor


def _per_unit(tensor: Tensor, feature: int) -> Tensor:
    """How many elements of each unit are not zero (or True); int64 (units,)."""
    others = [i for i in range(tensor.dim()) if i != feature]
    return torch.count_nonzero(tensor, dim=others) if others else torch.count_nonzero(tensor[None], dim=0)


def _feature_dimension(op: Op, output: Tensor) -> int:
    """1 behind a convolution, else the last."""
    if output.dim() < 3:
        return output.dim() - 1
    below: Op | None = op
    for _ in range(8):  # through a normalisation, a bias, a dropout
        below = below.producer(below.signal[0]) if below is not None and below.signal else None
        if below is None:
            break
        if below.name in CONVOLUTIONS:
            return 1
        if is_product(below):
            return output.dim() - 1
    return 1 if output.dim() >= 4 else output.dim() - 1


def _saturated(op: Op, output: Tensor, source: Tensor | None, get: Callable[[str], object]) -> Tensor | None:
    """Where the slope is below a tenth of the function's largest slope."""
    if op.name == "Tanh":
        return output.abs() > sqrt(0.9)
    if op.name in _BY_OUTPUT:
        return _within(output, _BY_OUTPUT[op.name])
    if op.name in _BY_INPUT and source is not None:
        return _within(source, _BY_INPUT[op.name])
    if op.name == "LeakyRelu" and source is not None:
        slope = get("negative_slope")
        return source < 0 if isinstance(slope, (int, float)) and abs(slope) < 0.1 else None
    if source is None:
        return None
    low, high = {"Hardtanh": ("min_val", "max_val"), "Clamp": ("min", "max")}.get(op.name, ("", ""))
    if op.name in ("Hardtanh", "Clamp", "ClampMin", "ClampMax"):
        bounds = (get(low or "min"), get(high or "max"))
        mask = torch.zeros_like(source, dtype=torch.bool)
        if isinstance(bounds[0], (int, float)):
            mask |= source <= bounds[0]
        if isinstance(bounds[1], (int, float)):
            mask |= source >= bounds[1]
        return mask
    if op.name in ("Hardshrink", "Softshrink"):
        width = get("lambd")
        return source.abs() <= width if isinstance(width, (int, float)) else None
    if op.name == "Threshold":
        return output == 0
    return None


def _within(tensor: Tensor, intervals: tuple[tuple[float, float], ...]) -> Tensor:
    masks = []
    for low, high in intervals:
        if low == -inf:
            masks.append(tensor < high)
        elif high == inf:
            masks.append(tensor > low)
        else:
            masks.append((tensor > low) & (tensor < high))
    return masks[0] if len(masks) == 1 else masks[0] | masks[1]


def _alike(output: Tensor, feature: int) -> Tensor | None:
    """Mean cosine between different inputs' representations: (‖Σ x/‖x‖‖² - n) / (n(n - 1))."""
    rows = output.flatten(1) if feature == 1 and output.dim() > 2 else output.reshape(-1, output.shape[-1])
    if rows.shape[0] < 2:
        return None
    rows = rows[:: -(-rows.shape[0] // _MOST_SAMPLES), :: -(-rows.shape[1] // _MOST_FEATURES)].float()
    sums = torch.mv(rows.t(), torch.linalg.vector_norm(rows, dim=1).clamp_min_(1e-30).reciprocal_())
    n = rows.shape[0]
    return (torch.dot(sums, sums) - n) / (n * (n - 1)) if n > 1 else None
