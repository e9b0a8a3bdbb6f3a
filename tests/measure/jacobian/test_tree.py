from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.measure.jacobian.flat import Layout
from gradclinic.measure.jacobian.kernels import plain_kernels
from gradclinic.measure.jacobian.tree import cloned, floating


@dataclass(frozen=True)
class Frozen:
    value: torch.Tensor
    more: list[Any]


@dataclass(slots=True)
class Strict:
    value: torch.Tensor
    derived: int = field(init=False)

    def __post_init__(self):
        if self.value.dtype == torch.float64:
            raise ValueError("not again")
        self.derived = len(self.value)


def test_every_container_is_looked_into_and_rebuilt():
    one, two, three = torch.ones(2), torch.ones(3, dtype=torch.complex64), torch.ones(1)
    whole, text = torch.arange(2), object()
    value = (one, [Frozen(two, [whole, {"x": Strict(three)}])], OrderedDict(a=None, b=text, c=7))
    tensors, rebuild = floating(value)
    assert [id(tensor) for tensor in tensors] == [id(one), id(two), id(three)]
    others = [torch.zeros(2), torch.zeros(3), torch.zeros(1).double()]
    first, (frozen,), rest = rebuild(others)
    assert first is others[0]
    assert isinstance(frozen, Frozen)
    assert frozen.value is others[1]
    assert frozen.more[0] is whole
    assert frozen.more[1]["x"].value is others[2]
    assert frozen.more[1]["x"].derived == 1
    assert rest == {"a": None, "b": text, "c": 7}
    assert value[1][0].value is two
    assert value[1][0].more[1]["x"].value is three


def test_other_objects_are_left_alone():
    for value in (
        SimpleNamespace(x=torch.ones(2)),
        torch.distributions.Normal(torch.zeros(1), 1.0),
        None,
        "text",
        Frozen,
    ):
        tensors, rebuild = floating(value)
        assert tensors == []
        assert rebuild([]) is value


def test_copies_are_copies():
    leaf, whole = torch.ones(2, requires_grad=True), torch.arange(3)
    first, second = cloned((leaf, {"y": whole}))
    assert first.requires_grad
    assert first.is_leaf
    second["y"] += 1
    assert torch.equal(whole, torch.arange(3))


DTYPES = [torch.float64, torch.float32, torch.complex128]


@given(st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=3), st.sampled_from(DTYPES)), max_size=4))
def test_there_and_back_through_the_flat_vector(parts):
    tensors = [torch.randn(shape, dtype=dtype) for shape, dtype in parts]
    layout = Layout.of(tensors)
    flat = layout.join(tensors)
    assert flat.dtype == torch.float64
    assert flat.shape == (layout.size,)
    assert layout.size == sum(t.numel() * (2 if t.is_complex() else 1) for t in tensors)
    for tensor, again in zip(tensors, layout.split(flat), strict=True):
        assert torch.equal(tensor, again)
        assert tensor.dtype == again.dtype
    assert not layout.join([None] * len(tensors)).any()


def test_plain_kernels_are_put_back():
    backends = torch.backends

    def settings():
        return (
            backends.cudnn.enabled,
            backends.mkldnn.enabled,
            backends.mha.get_fastpath_enabled(),
            backends.cuda.flash_sdp_enabled(),
            backends.cuda.mem_efficient_sdp_enabled(),
        )

    def within():
        with plain_kernels():
            assert settings() == (False,) * 5
            raise KeyError

    before = settings()
    with pytest.raises(KeyError):
        within()
    assert settings() == before
