"""The vitals of every kind of tensor, by each path, against plain Python."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradclinic.measure import vitals
from gradclinic.measure.vitals import direct, engine, operands, reference, threads
from gradclinic.measure.vitals.pending import Result
from gradclinic.schema.vitals import EXPONENT_BINS, merge, norms

BITS = {torch.float64: 64, torch.float32: 32, torch.float16: 16, torch.bfloat16: 16}
INTEGERS = {64: np.uint64, 32: np.uint32, 16: np.uint16}
HELPER = threads.Helper()


@pytest.fixture(scope="module", autouse=True)
def _kernel() -> None:
    vitals.prepare(wait=True)
    assert vitals.ready(), engine.failure()


def addresses(tensors: list[torch.Tensor]) -> operands.Direct:
    table = operands.Direct([], [], [], [])
    for row, tensor in enumerate(tensors):
        table.add(row, tensor)
    return table


def compiled() -> engine.Kernel:
    kernel = engine.kernel()
    assert kernel is not None
    return kernel


def on_one(tensors: list[torch.Tensor]) -> Result:
    return direct.on_one(compiled(), addresses(tensors), True)


def on_two(tensors: list[torch.Tensor]) -> Result:
    result = direct.on_two(compiled(), addresses(tensors), True, tensors, HELPER)
    assert result is not None
    return result


def on_host(tensors: list[torch.Tensor]) -> Result:
    return reference.launch([tensor.reshape(-1) for tensor in tensors], True).result()


def by_segments(tensors: list[torch.Tensor]) -> Result:
    """What runs on a CUDA device, on the CPU."""
    counts = torch.zeros(len(tensors), EXPONENT_BINS, dtype=torch.int64, device="cpu")
    owners, columns = reference.by_segments([tensor.reshape(-1) for tensor in tensors], counts)
    return reference.collect(columns.numpy(), owners, [tensor.numel() for tensor in tensors]), counts.numpy()


PATHS = [on_one, on_two, on_host, by_segments]
paths = pytest.mark.parametrize("path", PATHS)


def patterns(bits: int) -> st.SearchStrategy[list[int]]:
    """Bit patterns: every special value there is, and values of all scales."""
    fraction = {64: 52, 32: 23, 16: 10}[bits]
    exponent = bits - 1 - fraction
    special = [0, 1 << (bits - 1), 1, (1 << fraction) - 1, 1 << fraction, ((1 << exponent) - 1) << fraction]
    special += [special[-1] - 1, special[-1] + 1, special[-1] | 1 << (bits - 1)]
    return st.lists(st.one_of(st.sampled_from(special), st.integers(0, (1 << bits) - 1)), max_size=30)


def from_bits(pattern: list[int], dtype: torch.dtype) -> torch.Tensor:
    raw = np.array(pattern, INTEGERS[BITS[dtype]])
    return torch.from_numpy(raw.view(f"i{raw.itemsize}")).view(dtype).clone()


def check(tensor: torch.Tensor, result: Result, row: int = 0) -> None:
    """Holds one row to what plain Python counts in the values themselves."""
    table, histogram = result
    assert histogram is not None
    found = table[row]
    values = tensor.double().reshape(-1).tolist()
    finite = [value for value in values if math.isfinite(value)]
    sizes = [abs(value) for value in finite if value]
    assert found["count"] == len(values)
    assert found["non_finite"] == len(values) - len(finite)
    assert found["zeros"] == finite.count(0.0)
    assert found["subnormals"] == sum(size < torch.finfo(tensor.dtype).smallest_normal for size in sizes)
    assert found["smallest"] == min(sizes, default=math.inf)
    assert found["largest"] == max(sizes, default=0.0)
    largest = max(sizes, default=1.0)
    norm = largest * math.sqrt(math.fsum((size / largest) ** 2 for size in sizes))
    # Sums of n may be off by n roundings; and norms() may lie on either side of the largest float64.
    assert norms(table)[row] == pytest.approx(norm, rel=1e-15 * max(len(values), 100), abs=1e-323) or norm > 1e308
    if largest < 1e300:
        error = 1e-15 * len(values) * math.fsum(sizes)
        assert found["total"] == pytest.approx(math.fsum(finite), abs=error + 1e-323, rel=1e-15)
    bins = np.zeros(EXPONENT_BINS, np.int64)
    for size in sizes:
        bins[min(max(math.frexp(size)[1] - 1 + 127, 0), 255)] += 1
    np.testing.assert_array_equal(histogram[row], bins)


@paths
@pytest.mark.parametrize("dtype", BITS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_bits_are_counted_as_plain_python_counts_them(
    path: Callable[[list[torch.Tensor]], Result], dtype: torch.dtype, data: st.DataObject
) -> None:
    tensors = [from_bits(data.draw(patterns(BITS[dtype])), dtype) for _ in range(3)]
    result = path(tensors)
    for row, tensor in enumerate(tensors):
        check(tensor, result, row)


@paths
@pytest.mark.parametrize("dtype", BITS)
def test_long_tensors_with_something_special_far_inside(
    path: Callable[[list[torch.Tensor]], Result], dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    long = torch.randn(60_001, generator=generator, dtype=torch.float64).to(dtype)
    short = torch.randn(3, generator=generator, dtype=torch.float64).to(dtype)
    long[30_000:30_004] = torch.tensor([math.nan, math.inf, -math.inf, -0.0], dtype=dtype)
    long[-1] = float(torch.finfo(dtype).max)
    long[20_000] = float(torch.finfo(dtype).smallest_normal) / 4
    result = path([short, long, torch.empty(0, dtype=dtype), short])
    for row, tensor in enumerate([short, long, torch.empty(0, dtype=dtype), short]):
        check(tensor, result, row)


@paths
@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (torch.float32, 1e20),
        (torch.float32, 1e-30),
        (torch.float32, 1e-44),
        (torch.float64, 1e200),
        (torch.float64, 1e-200),
        (torch.float64, 5e-324),
        (torch.float64, 1e307),
        (torch.bfloat16, 1e38),
        (torch.float16, 6e-8),
    ],
)
def test_norms_neither_overflow_nor_underflow(
    path: Callable[[list[torch.Tensor]], Result], dtype: torch.dtype, value: float
) -> None:
    tensor = torch.full((10_000,), value, dtype=dtype)
    assert norms(path([tensor])[0])[0] == pytest.approx(100 * tensor[0].double().item(), rel=1e-12)


@paths
def test_scales_that_change_from_block_to_block(path: Callable[[list[torch.Tensor]], Result]) -> None:
    blocks = [1e200, 1.0, 1e-200, 1e-160, 1e160]
    for order in (blocks, blocks[::-1], blocks[1:4], blocks[2:4]):
        check_values = torch.cat([torch.full((20_000,), scale, dtype=torch.float64) for scale in order])
        check(check_values, path([check_values]))


@paths
@pytest.mark.parametrize("dtype", BITS)
def test_parts_merge_to_the_whole(path: Callable[[list[torch.Tensor]], Result], dtype: torch.dtype) -> None:
    whole = (torch.randn(9_000, generator=torch.Generator().manual_seed(1)).double().exp() - 1).to(dtype)
    parts, _ = path([whole[:1000], whole[1000:1001], whole[1001:]])
    merged = merge(merge(parts[:1], parts[1:2]), parts[2:])
    expected, _ = path([whole])
    for name in ("count", "non_finite", "zeros", "subnormals", "smallest", "largest"):
        assert merged[name] == expected[name]
    assert merged["total"] == pytest.approx(expected["total"], rel=1e-12)
    assert norms(merged) == pytest.approx(norms(expected), rel=1e-13)


@paths
def test_every_element_is_in_exactly_one_place(path: Callable[[list[torch.Tensor]], Result]) -> None:
    tensor = from_bits(list(range(0, 1 << 32, 99_991)), torch.float32)
    table, histogram = path([tensor])
    assert histogram is not None
    assert histogram.sum() + table["zeros"][0] + table["non_finite"][0] == table["count"][0] == tensor.numel()


@pytest.mark.parametrize("ready", [True, False])
class TestKinds:
    """GIVEN tensors of every kind, by the kernel and without it."""

    @pytest.fixture(autouse=True)
    def _path(self, ready: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        if not ready:
            monkeypatch.setattr(engine._state, "kernel", None)
        assert vitals.path_in_use() == ("kernel" if ready else "reference")

    @pytest.mark.parametrize(
        "view",
        [
            lambda x: x.t(),
            lambda x: x[:, ::2],
            lambda x: x[1:, 1:],
            lambda x: x[0, 0],
            lambda x: x[:, :1].expand(-1, 50),
            lambda x: x[:0],
            lambda x: x.unfold(0, 3, 1),
            lambda x: x.flip(0).requires_grad_(),
            torch.nn.Parameter,
            lambda x: x[None, None].contiguous(memory_format=torch.channels_last),
        ],
    )
    def test_views(self, view: Callable[[torch.Tensor], torch.Tensor]) -> None:
        tensor = view(torch.randn(8, 10, generator=torch.Generator().manual_seed(2)))
        check(tensor.detach(), vitals.measure([tensor], exponents=True))

    def test_complex_tensors_count_by_their_parts(self) -> None:
        tensor = torch.tensor([3 + 4j, complex(math.nan, 1), 0j])
        for form in (tensor, tensor.conj(), tensor.to(torch.complex128), tensor[::2].conj()):
            check(torch.view_as_real(form.resolve_conj()), vitals.measure([form], exponents=True))

    def test_the_imaginary_part_of_a_conjugate_is_negative(self) -> None:
        several, one = torch.tensor([1 + 2j, 3 + 4j]).conj().imag, torch.tensor([1 + 6j]).conj().imag
        assert several.is_neg()
        assert one.is_neg()
        assert one.is_contiguous()
        assert vitals.measure([several, one])[0]["total"].tolist() == [-6.0, -6.0]

    def test_duplicates_of_a_sparse_tensor_add_up(self) -> None:
        sparse = torch.sparse_coo_tensor(
            torch.tensor([[0, 0, 2]]), torch.tensor([1.0, -1.0, 2.0]), (5,), check_invariants=True
        )
        check(sparse.to_dense(), vitals.measure([None, sparse], exponents=True), row=1)
        assert not sparse.is_coalesced()

    def test_sparse_rows_and_hybrids(self) -> None:
        dense = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, -3.0]])
        hybrid = torch.sparse_coo_tensor(torch.tensor([[1]]), dense[1:], (2, 3), check_invariants=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls CSR a beta
            rows = dense.to_sparse_csr()
        check(dense, vitals.measure([rows], exponents=True))
        check(hybrid.to_dense(), vitals.measure([hybrid], exponents=True))
        empty = torch.sparse_coo_tensor(
            torch.empty(1, 0, dtype=torch.long), torch.empty(0), (7,), check_invariants=True
        )
        check(torch.zeros(7), vitals.measure([empty], exponents=True))

    @pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
    def test_float8(self, dtype: torch.dtype) -> None:
        tensor = torch.arange(256, dtype=torch.uint8).view(dtype)
        check(tensor, vitals.measure([tensor], exponents=True))

    def test_integers_and_booleans(self) -> None:
        table, histogram = vitals.measure(
            [torch.tensor([-3, 0, 4]), torch.tensor([True, False]), torch.tensor([-128], dtype=torch.int8)],
            exponents=True,
        )
        assert table["zeros"].tolist() == [1, 1, 0]
        assert table["total"].tolist() == [1.0, 1.0, -128.0]
        assert norms(table).tolist() == [5.0, 1.0, 128.0]
        assert histogram is not None
        assert histogram[0, 127 + 1] == 1
        assert histogram[0, 127 + 2] == 1

    def test_what_cannot_be_read_is_absent_and_disturbs_nobody(self) -> None:
        from torch._subclasses import FakeTensorMode

        with FakeTensorMode() as mode:
            fake = mode.from_tensor(torch.ones(3))
        freed = torch.ones(10)[3:]
        freed.untyped_storage().resize_(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means to remove them
            quantized = torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)
        table, histogram = vitals.measure(
            [None, torch.ones(4), torch.ones(3, device="meta"), fake, freed, quantized], exponents=True
        )
        assert table["count"].tolist() == [-1, 4, -1, -1, -1, -1]
        assert histogram is not None
        assert histogram.sum(axis=1).tolist() == [0, 4, 0, 0, 0, 0]

    def test_a_shard_stands_for_itself(self) -> None:
        class Sharded:
            def to_local(self) -> torch.Tensor:
                return torch.tensor([3.0, 4.0])

        assert norms(vitals.measure([Sharded()])[0]) == 5.0  # type: ignore[list-item]

    def test_a_plain_subclass_is_a_tensor(self) -> None:
        class Named(torch.Tensor):
            pass

        assert norms(vitals.measure([torch.tensor([3.0, 4.0]).as_subclass(Named)])[0]) == 5.0

    def test_nothing_at_all(self) -> None:
        table, histogram = vitals.measure([], exponents=True)
        assert table.shape == (0,)
        assert histogram is not None
        assert histogram.shape == (0, EXPONENT_BINS)
        assert vitals.measure([torch.ones(1)])[1] is None

    def test_later_changes_do_not_reach_the_result(self) -> None:
        tensor = torch.ones(100)
        pending = vitals.launch([tensor, tensor.to_sparse(), tensor.long()])
        tensor.fill_(7.0)
        assert pending.done()
        table, _ = pending.result()
        assert table["total"].tolist() == [100.0, 100.0, 100.0]
        assert pending.result()[0] is table

    def test_measuring_changes_nothing(self) -> None:
        tensor = torch.randn(50, requires_grad=True)
        before, generator, version = tensor.detach().clone(), torch.get_rng_state(), tensor._version
        vitals.measure([tensor, tensor * 2], exponents=True)
        assert torch.equal(tensor.detach(), before)
        assert tensor._version == version
        assert tensor.grad is None
        assert torch.equal(torch.get_rng_state(), generator)

    def test_a_large_step_is_the_sum_of_its_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
        tensors = [torch.randn(300, 500) for _ in range(5)]  # enough elements to be shared between threads
        expected = [reference.launch([tensor.view(-1)], True).result() for tensor in tensors]
        for _ in range(12):  # long enough for both ways to have been tried
            table, histogram = vitals.measure(tensors, exponents=True)
            np.testing.assert_allclose(norms(table), [norms(one)[0] for one, _ in expected], rtol=1e-13)
            np.testing.assert_array_equal(histogram, [counts[0] for _, counts in expected if counts is not None])


def test_default_dtype_and_device_do_not_matter() -> None:
    tensor = torch.tensor([3.0, 4.0])
    torch.set_default_dtype(torch.float16)
    try:
        with torch.device("meta"):
            assert norms(on_host([tensor])[0]) == norms(by_segments([tensor])[0]) == 5.0
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_device_batches_tensors_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "BATCH", 50)
    monkeypatch.setattr(reference, "SEGMENT", 7)
    tensors = [torch.randn(size) for size in (3, 120, 0, 49, 50, 1)] + [torch.randn(33).double()]
    result = by_segments(tensors)
    for row, tensor in enumerate(tensors):
        check(tensor, result, row)
