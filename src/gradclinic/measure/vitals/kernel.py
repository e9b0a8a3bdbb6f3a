"""The CPU kernel: vitals of many tensors in one call, compiled by numba.

It is told addresses, not arrays, so that a step of three hundred gradients costs one call.  It knows nothing of
torch.  Importing this file compiles it, or loads what an earlier run compiled (numba's cache on disk); only
:mod:`.engine` imports it, on a thread of its own.

Everything that is compiled stands in this one file, because numba looks only at this file's date to tell whether
its cache still holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba as _numba
import numpy as np
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic as _intrinsic

# Some versions of numba describe their types and some do not; and the types of compiled code are its own.
numba: Any = _numba
cgutils: Any = _cgutils
intrinsic: Any = _intrinsic

FLOAT64: Final = 0
FLOAT32: Final = 1
FLOAT16: Final = 2
BFLOAT16: Final = 3

#: Elements looked at together.  A block is read up to four times, so it has to stay in the first-level cache
#: (4096 float64 are 32 KiB).
BLOCK: Final = 4096
#: Copies of the histogram: neighbouring elements mostly share a bin, and a processor waits some five cycles before
#: it can raise the same counter again.
COPIES: Final = 8

_U32 = np.uint32
_U64 = np.uint64
_MAGNITUDE_32 = np.uint32(0x7FFFFFFF)
_INFINITY_32 = np.uint32(0x7F800000)
_NORMAL_32 = np.uint32(0x00800000)  # 2**-126, the smallest normal float32 and bfloat16
_NORMAL_16 = np.uint32(0x38800000)  # 2**-14, float16's smallest normal, as a float32
_HALF_MAGNITUDE = np.uint32(0x7FFF)
_HALF_NORMAL = np.uint32(0x0400)
_HALF_INFINITY = np.uint32(0x7C00)
_HALF_BIAS = np.uint32((127 - 15) << 23)  # between the exponents of float16 and float32
_HALF_LOWEST = np.float32(2.0**-14)
_NOTHING = np.float32(0.0)
_ONE_32 = np.uint32(1)
_NONE_32 = np.uint32(0xFFFFFFFF)
_FRACTION_32 = np.uint32(23)
_MAGNITUDE_64 = np.uint64(0x7FFFFFFFFFFFFFFF)
_INFINITY_64 = np.uint64(0x7FF0000000000000)
_NORMAL_64 = np.uint64(0x0010000000000000)
_ONE_64 = np.uint64(1)
_NONE_64 = np.uint64(0xFFFFFFFFFFFFFFFF)
_FRACTION_64 = np.uint64(52)
_HIGH_64 = np.uint64((1023 + 500) << 52)  # from 2**500 up, squares may overflow when they are added up
_LOW_64 = np.uint64((1023 - 480) << 52)  # below 2**-480 they lose digits or vanish
_SHIFT: Final = 600  # so such blocks are multiplied by 2**-600 or 2**600 first
_UP: Final = 2.0**_SHIFT
_DOWN: Final = 2.0**-_SHIFT

Function = TypeVar("Function", bound=Callable[..., Any])


def _exact(function: Function) -> Function:
    return numba.njit(function)  # type: ignore[no-any-return]


def _reordered(function: Function) -> Function:
    # Sums may be taken in any order, so that they vectorise.  Nothing here may assume the absence of nan or inf.
    return numba.njit(fastmath={"reassoc", "nsz", "contract"})(function)  # type: ignore[no-any-return]


def _entry(function: Function) -> Function:
    signature = "void(int64[::1], int64[::1], int64[::1], int64[:, ::1], float64[:, ::1], int64[:, ::1])"
    try:
        return numba.njit(signature, nogil=True, cache=True)(function)  # type: ignore[no-any-return]
    except Exception:  # no place on disk that may be written to, or a damaged cache
        return numba.njit(signature, nogil=True)(function)  # type: ignore[no-any-return]


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing: Any, address: Any) -> Any:  # pragma: no cover - runs inside numba's compiler
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return numba.types.voidptr(address), generate


@_exact
def _scan_32(bits: Any, size: int) -> tuple[Any, Any, Any]:
    """Smallest magnitude less one (so that zeros wrap to the top), largest magnitude, number of zeros."""
    low, high, zeros = _NONE_32, _U32(0), _U32(0)
    for i in range(size):
        magnitude = _U32(bits[i] & _MAGNITUDE_32)
        low = min(low, _U32(magnitude - _ONE_32))
        high = max(high, magnitude)
        zeros += _U32(magnitude == 0)
    return low, high, np.int64(zeros)


@_exact
def _scan_64(bits: Any, size: int) -> tuple[Any, Any, Any]:
    low, high, zeros = _NONE_64, _U64(0), _U64(0)
    for i in range(size):
        magnitude = _U64(bits[i] & _MAGNITUDE_64)
        low = min(low, _U64(magnitude - _ONE_64))
        high = max(high, magnitude)
        zeros += _U64(magnitude == 0)
    return low, high, np.int64(zeros)


@_exact
def _below(bits: Any, size: int, mask: Any, one: Any, limit: Any) -> int:
    """How many magnitudes lie strictly between 0 and ``limit``."""
    found = 0
    for i in range(size):
        magnitude = bits[i] & mask
        found += magnitude - one < limit - one
    return found


@_exact
def _finite(bits: Any, values: Any, size: int, mask: Any, infinity: Any, kept: Any) -> tuple[int, Any]:
    """Copies the values, non-finite ones as 0.  Number of non-finite elements, largest finite magnitude."""
    bad, high = 0, bits[0] & (mask ^ mask)
    for i in range(size):
        magnitude = bits[i] & mask
        if magnitude < infinity:
            high = max(high, magnitude)
            kept[i] = values[i]
        else:
            bad += 1
            kept[i] = 0
    return bad, high


@_reordered
def _sums(values: Any, size: int) -> tuple[float, float]:
    total, squares = 0.0, 0.0
    for i in range(size):
        value = np.float64(values[i])
        total += value
        squares += value * value
    return total, squares


@_exact  # reordered, the compiler might take the factor out of the square, and overflow again
def _scaled_squares(values: Any, size: int, factor: float) -> float:
    squares = 0.0
    for i in range(size):
        value = values[i] * factor
        squares += value * value
    return squares


@_exact
def _count_32(bits: Any, size: int, copies: Any) -> None:
    whole = size - size % COPIES
    for i in range(0, whole, COPIES):
        for copy in range(COPIES):
            copies[copy, (bits[i + copy] & _MAGNITUDE_32) >> _FRACTION_32] += _ONE_32
    for i in range(whole, size):
        copies[0, (bits[i] & _MAGNITUDE_32) >> _FRACTION_32] += _ONE_32


@_exact
def _bin_64(bits: Any) -> Any:
    exponent = np.int64((bits & _MAGNITUDE_64) >> _FRACTION_64) - (1023 - 127)
    return min(max(exponent, 0), 255)


@_exact
def _count_64(bits: Any, size: int, copies: Any) -> None:
    whole = size - size % COPIES
    for i in range(0, whole, COPIES):
        for copy in range(COPIES):
            copies[copy, _bin_64(bits[i + copy])] += _ONE_32
    for i in range(whole, size):
        copies[0, _bin_64(bits[i])] += _ONE_32


@_exact
def _flush(copies: Any, row: Any, zeros: int, non_finite: int) -> None:
    """Adds the copies up and clears them.  Zeros were counted in bin 0, inf and nan in bin 255."""
    for bin_ in range(256):
        for copy in range(COPIES):
            row[bin_] += copies[copy, bin_]
            copies[copy, bin_] = 0
    row[0] -= zeros
    row[255] -= non_finite


@_exact
def _widen_half(halves: Any, size: int, bits: Any, values: Any) -> None:
    """float16 to float32, never by way of a subnormal float32: a flush-to-zero mode would swallow it."""
    for i in range(size):
        magnitude = _U32(halves[i]) & _HALF_MAGNITUDE
        bias = _HALF_BIAS
        if magnitude < _HALF_NORMAL:
            bias = _HALF_BIAS + _NORMAL_32  # a subnormal m * 2**-24 is written as 2**-14 + m * 2**-24
        if magnitude >= _HALF_INFINITY:
            bias = _HALF_BIAS + _HALF_BIAS
        bits[i] = _U32((magnitude << _U32(13)) + bias)
    for i in range(size):
        values[i] -= _HALF_LOWEST if _U32(halves[i]) & _HALF_INFINITY == 0 else _NOTHING
    for i in range(size):
        bits[i] |= _U32(_U32(halves[i]) & _U32(0x8000)) << _U32(16)


@_exact
def _widen_brain(halves: Any, size: int, bits: Any) -> None:
    for i in range(size):
        bits[i] = _U32(halves[i]) << _U32(16)


@_exact
def _narrow(
    address: int, length: int, code: int, buffer: Any, kept: Any, whole: Any, real: Any, copies: Any, row: Any
) -> None:
    """One tensor of float32, float16 or bfloat16; the latter two are widened block by block."""
    limit = _NORMAL_16 if code == FLOAT16 else _NORMAL_32
    source = numba.carray(_pointer(address), (length,), np.uint32)
    source_values = numba.carray(_pointer(address), (length,), np.float32)
    halves = numba.carray(_pointer(address), (length,), np.uint16)
    buffer_values = buffer.view(np.float32)
    low, high = _NONE_32, _U32(0)
    non_finite, zeros, subnormals = 0, 0, 0
    total, squares = 0.0, 0.0
    for start in range(0, length, BLOCK):
        size = min(BLOCK, length - start)
        bits, values = buffer, buffer_values
        if code == FLOAT32:
            bits, values = source[start : start + size], source_values[start : start + size]
        elif code == FLOAT16:
            _widen_half(halves[start:], size, bits, values)
        else:
            _widen_brain(halves[start:], size, bits)
        block_low, block_high, block_zeros = _scan_32(bits, size)
        zeros += block_zeros
        if block_low < limit - _ONE_32:
            subnormals += _below(bits, size, _MAGNITUDE_32, _ONE_32, limit)
        if len(row):
            _count_32(bits, size, copies)
        if block_high >= _INFINITY_32:
            bad, block_high = _finite(bits, values, size, _MAGNITUDE_32, _INFINITY_32, kept)
            non_finite += bad
            values = kept
        low, high = min(low, block_low), max(high, block_high)
        block_total, block_squares = _sums(values, size)
        total += block_total
        squares += block_squares
    whole[0], whole[1], whole[2], whole[3] = non_finite, zeros, subnormals, 0
    real[0], real[1] = total, squares
    buffer[0] = low + _ONE_32
    buffer[1] = high
    real[2] = np.float64(buffer_values[0]) if low < _INFINITY_32 - _ONE_32 else np.inf
    real[3] = np.float64(buffer_values[1])
    if len(row):
        _flush(copies, row, zeros, non_finite)


@_exact
def _wide(address: int, length: int, kept: Any, whole: Any, real: Any, copies: Any, row: Any) -> None:
    """One tensor of float64.  Three sums of squares, for blocks of large, ordinary and small values."""
    source = numba.carray(_pointer(address), (length,), np.uint64)
    source_values = numba.carray(_pointer(address), (length,), np.float64)
    low, high = _NONE_64, _U64(0)
    non_finite, zeros, subnormals = 0, 0, 0
    total, large, ordinary, small = 0.0, 0.0, 0.0, 0.0
    for start in range(0, length, BLOCK):
        size = min(BLOCK, length - start)
        bits, values = source[start : start + size], source_values[start : start + size]
        block_low, block_high, block_zeros = _scan_64(bits, size)
        zeros += block_zeros
        if block_low < _NORMAL_64 - _ONE_64:
            subnormals += _below(bits, size, _MAGNITUDE_64, _ONE_64, _NORMAL_64)
        if len(row):
            _count_64(bits, size, copies)
        if block_high >= _INFINITY_64:
            bad, block_high = _finite(bits, values, size, _MAGNITUDE_64, _INFINITY_64, kept)
            non_finite += bad
            values = kept
        low, high = min(low, block_low), max(high, block_high)
        block_total, block_squares = _sums(values, size)
        total += block_total
        if block_high >= _HIGH_64:
            large += _scaled_squares(values, size, _DOWN)
        elif block_high >= _LOW_64:
            ordinary += block_squares
        else:
            small += _scaled_squares(values, size, _UP)
    whole[0], whole[1], whole[2], whole[3] = non_finite, zeros, subnormals, 0
    # What stands one scale below the largest adds at most the last digits; two scales below, nothing.
    real[0], real[1] = total, ordinary + small * _DOWN * _DOWN
    if large > 0:
        real[1], whole[3] = large + ordinary * _DOWN * _DOWN, _SHIFT
    elif ordinary == 0 and small > 0:
        real[1], whole[3] = small, -_SHIFT
    edges = kept.view(np.uint64)
    edges[0] = low + _ONE_64
    edges[1] = high
    real[2] = kept[0] if low < _INFINITY_64 - _ONE_64 else np.inf
    real[3] = kept[1]
    if len(row):
        _flush(copies, row, zeros, non_finite)


@_entry
def measure(addresses: Any, lengths: Any, codes: Any, whole: Any, real: Any, histogram: Any) -> None:
    """Vitals of P tensors that lie in memory without gaps.

    Args:
        addresses: int64 (P,), of the first element.
        lengths: int64 (P,), elements.
        codes: int64 (P,), :data:`FLOAT64` to :data:`BFLOAT16`.
        whole: int64 (P, 4), written: non_finite, zeros, subnormals, square_exponent.
        real: float64 (P, 4), written: total, square_sum, smallest, largest.
        histogram: int64 (P, 256), added to; or (P, 0): none is wanted.
    """
    # uint32 counters: one would overflow only after 2**35 elements of one tensor in one bin.
    copies = np.zeros((COPIES, 256), np.uint32)
    buffer, kept_32, kept_64 = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float64)
    for i in range(len(addresses)):
        outputs = whole[i], real[i], copies, histogram[i]
        if codes[i] == FLOAT64:
            _wide(addresses[i], lengths[i], kept_64, *outputs)
        else:
            _narrow(addresses[i], lengths[i], codes[i], buffer, kept_32, *outputs)
