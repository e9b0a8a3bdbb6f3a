"""Calls the kernel, on one thread or on two, whichever has been cheaper, and gives its columns as vitals."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...schema.vitals import EXPONENT_BINS, VITALS, Vitals, balanced, merge
from .engine import Kernel
from .operands import CODES, Direct
from .threads import Choice, Helper, cores

#: Fewer elements than this are measured in the time that it takes to wake another thread (about 50 microseconds).
WORTH_SHARING: Final = 1 << 18
#: Where a tensor is cut in two, in elements: a whole number of the kernel's blocks, and of memory pages.
_CUT: Final = 4096
_BYTES: Final = {code: dtype.itemsize for dtype, code in CODES.items()}


class _Call(NamedTuple):
    """The kernel's arguments; one row per tensor."""

    addresses: NDArray[np.int64]
    lengths: NDArray[np.int64]
    codes: NDArray[np.int64]
    whole: NDArray[np.int64]
    real: NDArray[np.float64]
    histogram: NDArray[np.int64]

    def part(self, rows: slice) -> tuple[NDArray[Any], ...]:
        return tuple(column[rows] for column in self)


class Runner:
    """Holds the helper thread and what it has learnt about costs; one per process."""

    def __init__(self) -> None:
        self._helper = Helper()
        # Apart without and with the histogram, which costs three times as much per element.
        self._choices = (Choice(), Choice())

    def run(
        self, kernel: Kernel, direct: Direct, exponents: bool, keep: Any
    ) -> tuple[Vitals, NDArray[np.int64] | None]:
        """Measures N tensors.

        Args:
            kernel: see :func:`.kernel.measure`.
            direct: where they are.
            exponents: whether to count the histogram.
            keep: whatever owns the memory; held until the last thread has done with it.

        Returns:
            N rows, and int64 (N, 256) or ``None``.
        """
        size = sum(direct.lengths)
        if size < WORTH_SHARING or cores() == 1 or torch.get_num_threads() == 1:
            return on_one(kernel, direct, exponents)
        choice = self._choices[exponents]
        way = choice.next()
        start = time.perf_counter()
        result = None
        if way == 1:
            result = on_two(kernel, direct, exponents, keep, self._helper)
        if result is None:
            result = on_one(kernel, direct, exponents)
        choice.tell(way, (time.perf_counter() - start) / size)
        return result


def on_one(kernel: Kernel, direct: Direct, exponents: bool) -> tuple[Vitals, NDArray[np.int64] | None]:
    """All of it on the calling thread."""
    call = _call(direct, exponents)
    kernel(*call)
    return _vitals(call), call.histogram if exponents else None


def on_two(
    kernel: Kernel, direct: Direct, exponents: bool, keep: Any, helper: Helper
) -> tuple[Vitals, NDArray[np.int64] | None] | None:
    """Half of the elements of one tensor or more on the helper; ``None`` where it is not to be had."""
    rows = len(direct.rows)
    cut, halved = _halve(direct)
    call = _call(halved, exponents)
    share = call.part(slice(cut + 1, None))

    def there(keep: Any) -> None:
        kernel(*share)

    if not helper.run(partial(kernel, *call.part(slice(cut + 1))), partial(there, keep)):
        return None
    table = _vitals(call)
    table[cut : cut + 1] = merge(table[cut : cut + 1], table[rows:])
    if not exponents:
        return table[:rows], None
    call.histogram[cut] += call.histogram[rows]
    return table[:rows], call.histogram[:rows]


def _halve(direct: Direct) -> tuple[int, Direct]:
    """Cuts the tensor in the middle in two: its first part keeps its row, the second becomes a last row.

    So rows up to and including the cut one are one half, and the rest the other, each in one block.
    """
    ends = np.cumsum(direct.lengths)
    half = int(ends[-1]) // 2
    cut = min(int(np.searchsorted(ends, half, side="right")), ends.size - 1)
    first = half - int(ends[cut]) + direct.lengths[cut]
    first -= first % _CUT
    code = direct.codes[cut]
    lengths = [*direct.lengths, direct.lengths[cut] - first]
    lengths[cut] = first
    address = direct.addresses[cut] + first * _BYTES[code]
    return cut, Direct(direct.rows, [*direct.addresses, address], lengths, [*direct.codes, code])


def _call(direct: Direct, exponents: bool) -> _Call:
    rows = len(direct.lengths)
    return _Call(
        np.array(direct.addresses, np.int64),
        np.array(direct.lengths, np.int64),
        np.array(direct.codes, np.int64),
        np.zeros((rows, 4), np.int64),
        np.zeros((rows, 4), np.float64),
        np.zeros((rows, EXPONENT_BINS if exponents else 0), np.int64),
    )


def _vitals(call: _Call) -> Vitals:
    table = np.empty(call.lengths.size, VITALS)
    table["count"] = call.lengths
    for column, name in enumerate(("non_finite", "zeros", "subnormals", "square_exponent")):
        table[name] = call.whole[:, column]
    for column, name in enumerate(("total", "square_sum", "smallest", "largest")):
        table[name] = call.real[:, column]
    if not call.codes.all():  # float64, code 0: the only one whose squares may leave float64
        table["square_sum"], table["square_exponent"] = balanced(table["square_sum"], table["square_exponent"])
    return table
