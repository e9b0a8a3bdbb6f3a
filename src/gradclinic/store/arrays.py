"""numpy arrays as bytes: raw, little-endian, byte planes together, deflated where that pays.  Never pickles."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..schema.vitals import VITALS

#: dtypes that are stored under a name, because every step's row names one.  The file says what the name means.
LAYOUTS: Final[dict[str, np.dtype[Any]]] = {"vitals": VITALS}

#: Bools, integers, floats and complex numbers of a fixed size; nothing that could hold a Python object.
_PLAIN: Final = re.compile(r"[<|][biufc][0-9]{1,2}")

_WORTH_DEFLATING: Final = 256  # bytes; below, zlib's own header and the call cost more than they save
_LARGEST: Final = 1 << 30  # bytes; a damaged or hostile header must not make the reader fill the memory


def describe(dtype: np.dtype[Any]) -> str | list[list[str]]:
    """The JSON form of a dtype, always little-endian.

    Raises:
        TypeError: for dtypes that hold Python objects, text, dates or sub-arrays.
    """
    if dtype.names is None:
        code = dtype.newbyteorder("<").str
        if not _PLAIN.fullmatch(code):
            raise TypeError(f"arrays of {dtype} cannot be stored")
        return code
    return [[name, _scalar(dtype[name])] for name in dtype.names]


def _scalar(dtype: np.dtype[Any]) -> str:
    code = describe(dtype)
    if not isinstance(code, str):
        raise TypeError(f"arrays of nested {dtype} cannot be stored")
    return code


def parse(description: Any) -> np.dtype[Any]:
    """The dtype that :func:`describe` described.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(description, str) and _PLAIN.fullmatch(description):
        return np.dtype(description)
    if isinstance(description, list) and description:
        return np.dtype([(str(name), parse(str(code))) for name, code in description])
    raise ValueError(f"{description!r} is no dtype that a record may hold")


def pack(array: NDArray[Any]) -> tuple[list[Any], bytes]:
    """``array`` as (header, bytes).  The header is JSON: [dtype or layout name, shape, deflated].

    The bytes are stored plane by plane (first bytes of all elements, then second bytes, ...): exponents and
    the upper bytes of counts repeat, and level 1 then halves what it otherwise leaves, at the same price.
    """
    dtype = array.dtype
    name: Any = next((key for key, layout in LAYOUTS.items() if dtype == layout), None) or describe(dtype)
    flat = np.ascontiguousarray(array, dtype.newbyteorder("<")).reshape(-1)
    planes = flat.view(np.uint8).reshape(flat.size, dtype.itemsize).T.tobytes() if flat.size else b""
    if len(planes) >= _WORTH_DEFLATING:
        deflated = zlib.compress(planes, 1)
        if len(deflated) < 0.9 * len(planes):
            return [name, list(array.shape), 1], deflated
    return [name, list(array.shape), 0], planes


def unpack(header: list[Any], data: bytes, layouts: dict[str, np.dtype[Any]]) -> NDArray[Any]:
    """The array that :func:`pack` packed, in the machine's byte order, writable.

    Raises:
        ValueError, zlib.error: where header and data do not fit together.
    """
    name, shape, deflated = header
    dtype = layouts[name] if isinstance(name, str) and name in layouts else parse(name)
    count = 1
    for length in shape:
        if not isinstance(length, int) or length < 0:
            raise ValueError(f"{shape} is no shape")
        count *= length
    if count * dtype.itemsize > _LARGEST:
        raise ValueError(f"an array of {count} x {dtype.itemsize} bytes is no part of a record")
    planes = zlib.decompressobj().decompress(data, count * dtype.itemsize + 1) if deflated else data
    if len(planes) != count * dtype.itemsize:
        raise ValueError(f"{len(planes)} bytes where {count * dtype.itemsize} should be")
    if not count:
        return np.empty(shape, dtype.newbyteorder("="))
    rows = np.frombuffer(planes, np.uint8).reshape(dtype.itemsize, count).T
    return _conform(np.array(rows, order="C").reshape(-1).view(dtype).reshape(shape))


def _conform(array: NDArray[Any]) -> NDArray[Any]:
    """Native byte order; and vitals from another version with today's fields, 0 where they were not taken."""
    if array.dtype.names is None or not {"count", "square_sum"} <= set(array.dtype.names):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == VITALS:
        return array
    table = np.zeros(array.shape, VITALS)
    for name in set(VITALS.names or ()) & set(array.dtype.names):
        table[name] = array[name]
    return table
