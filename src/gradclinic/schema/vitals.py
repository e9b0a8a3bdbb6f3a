"""The single-pass statistics of one tensor, as they are stored, and how they merge.

A step's statistics are one numpy structured array, one row per tensor, so that a step costs one
buffer and not one object per tensor.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: One row per tensor.  ``count`` is -1 where there was no tensor (a gradient of ``None``), which is
#: a different thing from an empty tensor (0) and from a tensor of zeros.
VITALS: Final = np.dtype(
    [
        ("count", np.int64),  # elements; a complex element counts as its two parts
        ("non_finite", np.int64),  # inf and nan
        ("zeros", np.int64),  # exactly +0 or -0
        ("subnormals", np.int64),  # non-zero magnitudes below the dtype's smallest normal
        ("total", np.float64),  # sum of the finite elements; inf or nan where a partial sum leaves float64
        ("square_sum", np.float64),  # sum of squares of the finite elements = square_sum * 4**square_exponent
        ("square_exponent", np.int64),  # 0 wherever the sum of squares itself fits float64 (see balanced)
        ("smallest", np.float64),  # smallest finite non-zero magnitude; inf where there is none
        ("largest", np.float64),  # largest finite magnitude; 0 where there is none
    ]
)

#: The histogram of binary exponents: bin k counts the finite non-zero magnitudes in
#: [2**(k-127), 2**(k-126)).  These are float32's own exponent fields, so the histogram is exact for
#: float32 and bfloat16.  Bin 0 takes everything below 2**-126, bin 255 everything from 2**128 up
#: (float64 only).
EXPONENT_BINS: Final = 256
EXPONENT_BIAS: Final = 127

#: How each field joins when two parts of one tensor (shards, ranks, micro-batches) are put together.
MERGES: Final[dict[str, str]] = {
    "count": "sum",
    "non_finite": "sum",
    "zeros": "sum",
    "subnormals": "sum",
    "total": "sum",
    "square_sum": "scaled_sum",
    "square_exponent": "scaled_sum",
    "smallest": "min",
    "largest": "max",
}

#: A sum of squares within 2**-900 .. 2**900 is kept as it is; beyond, its scale goes into the exponent.
#: The margin to float64's 2**1024 leaves room to add up 2**124 of them.
_PLAIN_SCALE: Final = 900

Vitals = NDArray[np.void]


def absent(rows: int) -> Vitals:
    """Rows that say that there was no tensor; the identity of :func:`merge`."""
    table = np.zeros(rows, VITALS)
    table["count"] = -1
    table["smallest"] = np.inf
    return table


def merge(left: Vitals, right: Vitals) -> Vitals:
    """Joins two arrays of vitals row by row, as :data:`MERGES` declares.

    Commutative bit by bit; associative up to the rounding of ``total`` and ``square_sum``.

    Raises:
        ValueError: the arrays differ in length.
    """
    if left.shape != right.shape:
        raise ValueError(f"vitals of {left.shape} and {right.shape} tensors cannot be merged row by row")
    rows = np.arange(left.size)
    return merge_parts(np.concatenate([left, right]), np.concatenate([rows, rows]), left.size)


def merge_parts(parts: Vitals, row: NDArray[np.int64], rows: int) -> Vitals:
    """Joins many parts at once: ``parts[i]`` goes into row ``row[i]`` of ``rows``; a row without parts is absent.

    Raises:
        ValueError: an entry of ``row`` lies outside ``range(rows)``.
    """
    if row.size and not 0 <= row.min() <= row.max() < rows:
        raise ValueError(f"parts belong to rows {row.min()} to {row.max()}, but there are {rows} rows")
    there = parts["count"] >= 0
    parts, row = parts[there], row[there]
    merged = absent(rows)
    merged["count"][row] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for name, how in MERGES.items():
            if how == "sum":
                np.add.at(merged[name], row, parts[name])
            elif how == "min":
                np.minimum.at(merged[name], row, parts[name])
            elif how == "max":
                np.maximum.at(merged[name], row, parts[name])
    merged["square_sum"], merged["square_exponent"] = _add_squares(parts, row, rows)
    return merged


def balanced(square_sum: Any, square_exponent: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same sums of squares, in the one form in which they are stored, exactly.

    ``square_exponent`` is 0 for a sum that is 0, not finite, or within 2**-900 .. 2**900; for any other it is
    such that ``square_sum`` lies in [0.25, 1).
    """
    mantissa, exponent = _normalized(np.asarray(square_sum, np.float64), np.asarray(square_exponent, np.int64))
    plain = np.abs(2 * exponent) <= _PLAIN_SCALE
    value = np.ldexp(mantissa, np.where(plain, 2 * exponent, 0).astype(np.int32))
    return value, np.where(plain, 0, exponent)


def norms(table: Vitals) -> NDArray[np.float64]:
    """Euclidean norm of each row's finite elements; nan where there was no tensor, inf beyond float64."""
    root = _scaled(np.sqrt(table["square_sum"]), table["square_exponent"])
    return np.where(table["count"] < 0, np.nan, root)


def rms(table: Vitals) -> NDArray[np.float64]:
    """Root mean square of each row's finite elements; nan where there are none."""
    finite = table["count"] - table["non_finite"]
    # Divide before the scale comes in: the norm of many elements may overflow where their mean does not.
    mean = _scaled(np.sqrt(table["square_sum"] / np.maximum(finite, 1)), table["square_exponent"])
    return np.where(finite > 0, mean, np.nan)


def _add_squares(parts: Vitals, row: NDArray[np.int64], rows: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    mantissa, exponent = _normalized(parts["square_sum"], parts["square_exponent"])
    # An all-zero part says nothing of the scale; it must not set it.
    counts = mantissa != 0
    mantissa, exponent, row = mantissa[counts], exponent[counts], row[counts]
    scale = np.full(rows, np.iinfo(np.int64).min)
    np.maximum.at(scale, row, exponent)
    scale = np.where(scale == np.iinfo(np.int64).min, 0, scale)
    sums = np.zeros(rows)
    np.add.at(sums, row, _scaled(mantissa, 2 * (exponent - scale[row])))
    return balanced(sums, scale)


def _normalized(
    square_sum: NDArray[np.float64], square_exponent: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mantissas in [0.25, 1) and their powers of 4; zero, inf and nan keep themselves, with power 0."""
    mantissa, power = np.frexp(square_sum)
    odd = power & 1
    real = np.isfinite(square_sum) & (square_sum != 0)
    exponent = np.where(real, square_exponent + (power + odd) // 2, 0)
    return np.where(odd == 1, mantissa / 2, mantissa), exponent.astype(np.int64)


def _scaled(value: NDArray[np.float64], exponent: NDArray[np.int64]) -> NDArray[np.float64]:
    """``value * 2**exponent``; 0 or inf where that lies outside float64."""
    # Beyond 4200 every float64 has left the range, and C's int is only 32 bits wide.
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(value, np.clip(exponent, -4200, 4200).astype(np.int32))
