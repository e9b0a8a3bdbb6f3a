"""The same vitals in plain torch: the kernel's twin, what measures while there is no kernel, and on CUDA devices.

On a CPU the values are looked at as it goes, so that an ordinary tensor takes few operations.  On a CUDA device that
would mean to wait for it: there many tensors are joined into one flat batch and reduced by segments, so that the
number of launches does not grow with the number of tensors, and nothing waits until the result is fetched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...schema.vitals import EXPONENT_BIAS, EXPONENT_BINS, Vitals, absent, balanced, merge_parts
from .pending import Pending, Result

#: Elements that a CPU looks at together: their float64 copy stays in the cache; and from 32768 on torch would wake its
#: other threads for each operation, which on a busy machine costs many times what it gains.
PIECE: Final = 24 * 1024
#: Elements that a device joins to one batch: at 8 bytes and about six temporaries, 400 MB at the most.
BATCH: Final = 1 << 23
#: Elements that one block of a device's threads sums up: short enough to keep all blocks busy.
SEGMENT: Final = 1 << 14

#: Squares might leave float64 beyond these magnitudes, so they are scaled by a power of two first, as in the kernel.
_HIGH, _LOW, _SHIFT = 2.0**500, 2.0**-480, 600
_FIELDS: Final = ("non_finite", "zeros", "subnormals", "square_exponent", "total", "square_sum", "smallest", "largest")


class _Piece(NamedTuple):
    row: int
    values: torch.Tensor


def launch(tensors: list[torch.Tensor], exponents: bool) -> Pending:
    """Starts to measure N tensors of one device; only fetching the result waits for it.

    Args:
        tensors: at least one; real, one-dimensional, of any dtype that converts to float64.
        exponents: whether to count the histogram of binary exponents too.

    Returns:
        N rows, and int64 (N, 256) or ``None``.
    """
    lengths = [tensor.numel() for tensor in tensors]
    device = tensors[0].device
    with torch.no_grad():
        counts = torch.zeros(len(tensors) if exponents else 0, EXPONENT_BINS, dtype=torch.int64, device=device)
        if device.type == "cpu":
            owners, columns = on_host(tensors, counts)
            result = collect(columns.numpy(), owners, lengths), counts.numpy() if exponents else None
            return Pending(lambda: result, lambda: True)
        owners, columns = by_segments(tensors, counts)
        # One buffer, so that one copy brings both home; the counts travel as bits.
        fetch, done = _transfer(torch.cat([columns.reshape(-1), counts.view(torch.float64).reshape(-1)]))

    def fetched() -> Result:
        home, split = fetch(), len(_FIELDS) * len(owners)
        table = collect(home[:split].reshape(len(_FIELDS), -1), owners, lengths)
        return table, home[split:].view(np.int64).reshape(-1, EXPONENT_BINS) if exponents else None

    return Pending(fetched, done)


def on_host(tensors: list[torch.Tensor], counts: torch.Tensor) -> tuple[list[int], torch.Tensor]:
    """Measures CPU tensors piece by piece.

    Args:
        tensors: as for :func:`launch`.
        counts: int64 (N, 256), added to; or (0, 256): none are wanted.

    Returns:
        the row that each of S pieces belongs to, and their fields, float64 (8, S) in the order of ``_FIELDS``.
    """
    owners, columns = list[int](), list[list[float]]()
    for row, tensor in enumerate(tensors):
        for piece in torch.split(tensor, PIECE) if tensor.numel() else ():
            column, magnitude = _piece(piece)
            owners.append(row)
            columns.append(column)
            if counts.numel():
                counts[row] += torch.bincount(_bins(magnitude), minlength=EXPONENT_BINS)
                counts[row, 0] -= round(column[0] + column[1])  # what is not finite was set to 0
    return owners, torch.tensor(columns, dtype=torch.float64, device="cpu").reshape(-1, len(_FIELDS)).t()


def _piece(values: torch.Tensor) -> tuple[list[float], torch.Tensor]:
    """The fields of one piece, and its magnitudes with 0 for what is not finite."""
    normal = _smallest_normal(values.dtype)
    scalable = values.dtype == torch.float64
    values = values if values.dtype in (torch.float32, torch.float64) else _double(values)
    zeros = values.numel() - int(torch.count_nonzero(values))
    magnitude, non_finite = values.abs(), 0
    largest = float(magnitude.amax())
    if not math.isfinite(largest):
        finite = torch.isfinite(values)
        non_finite = values.numel() - int(finite.sum())
        values = torch.where(finite, values, 0.0)
        magnitude = values.abs()
        largest = float(magnitude.amax())
    there = magnitude[magnitude > 0] if zeros or non_finite else magnitude
    smallest = float(there.amin()) if there.numel() else math.inf
    subnormals = int((there < normal).sum()) if smallest < normal else 0
    exponent = _SHIFT * ((largest >= _HIGH) - (largest < _LOW)) if scalable else 0
    double = values.double()
    total = float(double.sum())
    if exponent:
        double = double * 2.0**-exponent
    return [
        non_finite,
        zeros,
        subnormals,
        exponent,
        total,
        float((double * double).sum()),
        smallest,
        largest,
    ], magnitude


def by_segments(tensors: list[torch.Tensor], counts: torch.Tensor) -> tuple[list[int], torch.Tensor]:
    """The same as :func:`on_host` without ever looking at a value, so that nothing waits for the device."""
    owners = list[int]()
    columns = [torch.zeros(len(_FIELDS), 0, dtype=torch.float64, device=tensors[0].device)]
    for batch in _batches(tensors):
        flat = torch.cat([piece.values for piece in batch])
        owner, sizes = _segments(batch)
        owners += owner
        lengths = _on_device(sizes, flat.device)
        columns.append(_statistics(flat, lengths))
        if counts.numel():
            rows = torch.repeat_interleave(_on_device(owner, flat.device), lengths, output_size=flat.numel())
            magnitude = _double(flat).abs()
            kept = torch.isfinite(magnitude) & (magnitude > 0)
            counts.view(-1).index_add_(0, rows * EXPONENT_BINS + _bins(magnitude), kept.long())
    return owners, torch.cat(columns, dim=1)


def _batches(tensors: list[torch.Tensor]) -> Iterator[list[_Piece]]:
    """Pieces of one dtype each, of at most ``BATCH`` elements together, none empty."""
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        batch, size = list[_Piece](), 0
        for row, tensor in enumerate(tensors):
            if tensor.dtype != dtype or tensor.numel() == 0:
                continue
            for part in torch.split(tensor, BATCH):
                if batch and size + part.numel() > BATCH:
                    yield batch
                    batch, size = [], 0
                batch.append(_Piece(row, part))
                size += part.numel()
        if batch:
            yield batch


def _segments(batch: list[_Piece]) -> tuple[list[int], list[int]]:
    """Cuts a batch into segments: the row that each belongs to, and its length."""
    owner, lengths = list[int](), list[int]()
    for piece in batch:
        whole, rest = divmod(piece.values.numel(), SEGMENT)
        lengths += [SEGMENT] * whole + [rest] * (rest > 0)
        owner += [piece.row] * (whole + (rest > 0))
    return owner, lengths


def _on_device(numbers: list[int], device: torch.device) -> torch.Tensor:
    # Each stream has its own, for on another one the copy might not have arrived yet.
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    return _copied(tuple(numbers), device, stream)


@lru_cache(maxsize=64)  # the gradients of each step have the shapes of the step before
def _copied(numbers: tuple[int, ...], device: torch.device, stream: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.int64, device="cpu").to(device, non_blocking=True)


def _statistics(flat: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The fields of each segment, float64 (8, segments)."""

    def reduce(values: torch.Tensor, how: str) -> torch.Tensor:
        # unsafe: the check of the lengths would wait for the device.
        return torch.segment_reduce(values.double(), how, lengths=lengths, axis=0, unsafe=True)

    values = _double(flat)
    finite = torch.isfinite(values)
    clean = torch.where(finite, values, 0.0)
    magnitude = clean.abs()
    there = magnitude > 0
    largest = reduce(magnitude, "max")
    exponent, scaled = torch.zeros_like(largest), clean
    if flat.dtype == torch.float64:
        huge, tiny = largest >= _HIGH, largest < _LOW
        exponent = exponent.masked_fill(huge, _SHIFT).masked_fill(tiny, -_SHIFT)
        factor = torch.ones_like(largest).masked_fill(huge, 2.0**-_SHIFT).masked_fill(tiny, 2.0**_SHIFT)
        scaled = clean * torch.repeat_interleave(factor, lengths, output_size=flat.numel())
    return torch.stack(
        [
            reduce(~finite, "sum"),
            reduce(values == 0, "sum"),
            reduce(there & (magnitude < _smallest_normal(flat.dtype)), "sum"),
            exponent,
            reduce(clean, "sum"),
            reduce(scaled * scaled, "sum"),
            reduce(torch.where(there, magnitude, torch.inf), "min"),
            largest,
        ]
    )


def _bins(magnitude: torch.Tensor) -> torch.Tensor:
    """Bin of each magnitude (float32 or float64, not negative), int64: the exponent field of float32."""
    if magnitude.dtype == torch.float32:
        return (magnitude.view(torch.int32) >> 23).long()
    return ((magnitude.view(torch.int64) >> 52) - (1023 - EXPONENT_BIAS)).clamp(0, EXPONENT_BINS - 1)


def _double(values: torch.Tensor) -> torch.Tensor:
    if values.dtype.itemsize == 1 and values.dtype.is_floating_point:
        values = values.float()  # float8 converts to little else
    return values.double()


@lru_cache(maxsize=32)
def _smallest_normal(dtype: torch.dtype) -> float:
    return float(torch.finfo(dtype).smallest_normal) if dtype.is_floating_point else 0.0


def _transfer(payload: torch.Tensor) -> tuple[Callable[[], NDArray[np.float64]], Callable[[], bool]]:
    """Starts the copy to the host; returns what waits for it, and what says whether it has arrived."""
    home = torch.empty(payload.shape, dtype=payload.dtype, device="cpu", pin_memory=True)
    home.copy_(payload, non_blocking=True)
    arrived = torch.cuda.current_stream(payload.device).record_event()

    def fetch() -> NDArray[np.float64]:
        arrived.synchronize()
        return home.numpy()

    return fetch, arrived.query


def collect(columns: NDArray[np.float64], owners: list[int], lengths: list[int]) -> Vitals:
    """Joins the segments' columns, (8, segments), to one row per tensor; an empty tensor has no segment."""
    parts = absent(len(owners))
    for name, column in zip(_FIELDS, columns, strict=True):
        parts[name] = column
    parts["count"] = 0
    parts["square_sum"], parts["square_exponent"] = balanced(parts["square_sum"], parts["square_exponent"])
    table = merge_parts(parts, np.array(owners, np.int64), len(lengths))
    table["count"] = lengths
    return table
