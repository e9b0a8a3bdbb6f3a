"""What a weight is to the theory: its scale and how independent its elements are."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, prod

import torch
from torch import Tensor

#: Rows of the Gram matrix at most; rows of an orthogonal matrix are orthogonal, so some are enough.
_ROWS = 512
#: Below, two random rows' overlap says little: the scatter of the isometry is about 1/rows.
_FEWEST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one layer."""

    fan_in: int
    count: int  #: of elements
    square: float  #: σ_w²
    bias_square: float  #: σ_b²
    isometry: float | None


def weights(weight: Tensor, bias: Tensor | None, groups: int = 1) -> Weights:
    """Of a weight (out, in/groups, *window), each row of which makes one output, and a bias (out,) or None."""
    fan_in = prod(weight.shape[1:])
    if weight.is_meta:  # shapes alone
        return Weights(fan_in, weight.numel(), nan, nan, None)
    matrix = wide(weight).flatten(1)
    square = float(fan_in * matrix.square().mean()) if matrix.numel() else 0.0
    bias_square = float(wide(bias).square().mean()) if bias is not None and bias.numel() else 0.0
    return Weights(fan_in, weight.numel(), square, bias_square, isometry(matrix[: len(matrix) // groups]))


def isometry(matrix: Tensor) -> float | None:
    """Relative variance of the squared singular values over that of independent elements.

    0 for orthogonal rows (or columns), 1 for independent elements of any distribution of mean 0, for which it is the
    ratio of the sides (Marchenko and Pastur 1967), and up to the longer side where all elements are alike.  None for
    fewer than 8 rows or columns, or zeros.
    """
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    matrix = matrix[:_ROWS]
    rows, columns = matrix.shape
    if rows < _FEWEST_ROWS:
        return None
    gram = matrix @ matrix.T
    mean = float(gram.diagonal().mean())
    if not mean > 0:
        return None
    return max(0.0, float(gram.square().sum()) / rows / mean**2 - 1) * columns / rows


def wide(tensor: Tensor) -> Tensor:
    """In float64, where the device has it: squares of half precision overflow."""
    return tensor.detach().to(torch.float32 if tensor.device.type == "mps" else torch.float64)
