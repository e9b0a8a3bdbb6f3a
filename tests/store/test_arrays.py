from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gradclinic.schema.vitals import VITALS
from gradclinic.store import arrays

numbers = hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes(sizes=(16, 32, 64))
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40)


@given(hnp.arrays(numbers | hnp.boolean_dtypes() | hnp.complex_number_dtypes(sizes=(64, 128)), shapes))
def test_any_array_reads_back_to_the_bit(array: NDArray[Any]) -> None:
    header, data = arrays.pack(array)
    back = arrays.unpack(header, data, arrays.LAYOUTS)
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()
    assert back.flags.writeable


@given(st.integers(0, 30))
def test_vitals_are_named_not_spelled_out(rows: int) -> None:
    table = np.zeros(rows, VITALS)
    table["count"], table["smallest"] = 5, np.inf
    header, data = arrays.pack(table)
    assert header[0] == "vitals"
    assert (arrays.unpack(header, data, {"vitals": VITALS}) == table).all()


def test_a_strided_view_reads_back() -> None:
    view = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    header, data = arrays.pack(view)
    assert (arrays.unpack(header, data, {}) == view).all()


def test_repetitive_arrays_are_deflated_and_random_ones_are_not() -> None:
    (_, _, deflated), data = arrays.pack(np.full(1000, 3))
    assert (deflated, len(data) < 200) == (1, True)
    (_, _, deflated), data = arrays.pack(np.frombuffer(np.random.default_rng(0).bytes(8000)))
    assert (deflated, len(data)) == (0, 8000)


def test_vitals_of_another_version_get_todays_fields() -> None:
    old = np.dtype([("count", "<i8"), ("square_sum", "<f8"), ("gone", "<i4")])
    table = np.array([(7, 2.5, 1)], old)
    back = arrays.unpack(*arrays.pack(table), {})
    assert back.dtype == VITALS
    assert (back["count"][0], back["square_sum"][0], back["largest"][0]) == (7, 2.5, 0.0)


@pytest.mark.parametrize("dtype", ["O", "U3", "M8[s]", [("a", "O")], [("a", "f4", 2)], [("a", [("b", "i4")])]])
def test_dtypes_that_are_no_numbers_are_refused(dtype: Any) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        arrays.describe(np.dtype(dtype))


@pytest.mark.parametrize("text", ["|O", "O", "<U4", "", "f4,O", [], [["a", "|O"]], None, 7, "os"])
def test_no_object_comes_out_of_a_file(text: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        arrays.parse(text)


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (["<f8", [3], 0], b"12345678"),
        (["<f8", [-1], 0], b""),
        (["<f8", ["1"], 0], b"12345678"),
        (["<f8", [1 << 40], 0], b""),
        (["<f8", [1], 1], b"not zlib"),
        (["<f8", [1], 1], zlib.compress(b"\0" * 1000)),
        (["<f8", [1]], b"12345678"),
        (["vitals", [1], 0], b"12345678"),
    ],
)
def test_headers_that_do_not_fit_are_damage(header: list[Any], data: bytes) -> None:
    with pytest.raises((ValueError, zlib.error)):
        arrays.unpack(header, data, arrays.LAYOUTS)
