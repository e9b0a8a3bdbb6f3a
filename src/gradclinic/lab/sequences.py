"""Generated sequences in which the end depends on the beginning."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def first_symbol(count: int, length: int, symbols: int = 4) -> tuple[Tensor, Tensor]:
    """Which symbol came first?  One-hot (count, length, 2·symbols), classes (count,); the rest is distraction."""
    classes = torch.randint(symbols, (count,))
    rest = torch.randint(symbols, 2 * symbols, (count, length))
    rest[:, 0] = classes
    return F.one_hot(rest, 2 * symbols).float(), classes


def temporal_order(count: int, length: int) -> tuple[Tensor, Tensor]:
    """In which order did two marks come?  Pascanu's (2013) version of Hochreiter's task: 4 classes.

    One-hot (count, length, 6): A or B near 1/10 and near 1/2 of the length, distraction from four letters elsewhere;
    classes (count,) for AA, AB, BA, BB.
    """
    letters = torch.randint(2, 6, (count, length))
    early = torch.randint(length // 10, max(2 * length // 10, length // 10 + 1), (count,))
    late = torch.randint(4 * length // 10, max(5 * length // 10, 4 * length // 10 + 1), (count,))
    first, second = torch.randint(2, (2, count))
    every = torch.arange(count)
    letters[every, early], letters[every, late] = first, second
    return F.one_hot(letters, 6).float(), 2 * first + second
