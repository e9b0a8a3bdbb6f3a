from __future__ import annotations

import pytest
import torch
from torch import nn

from gradclinic.measure.jacobian import NotConnected, block_spectra, model_spectrum
from tests.measure.jacobian.networks import CASES, Attention, case, mlp, reference, stateful, unchanged


@pytest.mark.parametrize("name", CASES)
def test_a_model_against_the_dense_one(name):
    model, x = case(name)
    wanted = torch.linalg.svdvals(reference(model, x))
    with unchanged(model):
        exact = model_spectrum(model, (x,))
        iterated = model_spectrum(model, (x,), exact_up_to=0, steps=min(len(wanted), 60), probes=2)
    assert exact.exact
    assert not iterated.exact
    assert torch.allclose(exact.values, wanted, rtol=1e-9, atol=1e-9 * float(wanted[0]))
    assert iterated.largest.value == pytest.approx(float(wanted[0]))
    if len(wanted) <= 60:
        assert iterated.mean == pytest.approx(float((wanted**2).mean()))


def test_one_sample_of_a_batch():
    model, x = case("mlp")
    one = model_spectrum(model, (x,), sample=1)
    assert (one.rows, one.columns) == (3, 4)
    alone = model_spectrum(model, (x[1:2],))
    assert torch.allclose(one.values, alone.values)


def test_blocks_multiply_to_the_whole():
    first, second = nn.Linear(4, 4, bias=False).double(), nn.Linear(4, 4, bias=False).double()
    x = torch.randn(1, 4).double()
    one, two = block_spectra([first, second], [(x,), (first(x),)])
    whole = model_spectrum(nn.Sequential(first, second), (x,))
    assert (one.place, two.place) == (0, 1)
    assert torch.allclose(one.spectrum.values.prod() * two.spectrum.values.prod(), whole.values.prod())
    assert whole.largest.value <= one.spectrum.largest.value * two.spectrum.largest.value


def test_callables_named_inputs_and_blocks_without_a_spectrum():
    x = torch.randn(2, 3).double()
    blocks = [torch.sin, lambda x, *, scale: scale * x, nn.Embedding(5, 3), lambda x: x * torch.nan, torch.detach]
    inputs = [(x,), (x,), (torch.tensor([1, 2]),), (x,), (x,)]
    found = block_spectra(blocks, inputs, [{}, {"scale": 3.0}, {}, {}, {}])
    assert torch.allclose(found[0].spectrum.values, x.cos().abs().reshape(-1).sort(descending=True).values)
    assert found[1].spectrum.largest.value == pytest.approx(3)
    assert [block.spectrum is None for block in found] == [False, False, True, True, True]
    assert [block.reason.partition(":")[0] for block in found[2:]] == ["NotConnected", "NotFinite", "NotConnected"]


def test_options_reach_every_block():
    x = torch.randn(1, 30)
    (found,) = block_spectra([mlp(30, 30)], [(x,)], exact_up_to=0, steps=2, probes=0)
    assert found.spectrum.products == 4


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="1 blocks, 2 inputs"):
        block_spectra([torch.sin], [(), ()])


def test_integer_inputs_are_named():
    with pytest.raises(NotConnected, match="no input is a floating tensor"):
        model_spectrum(nn.Embedding(5, 3), (torch.tensor([1]),))


@pytest.mark.parametrize("exact_up_to", [0, 256])
def test_nothing_of_the_users_changes(exact_up_to):
    model, x = stateful(), torch.randn(5, 4)
    with unchanged(model), torch.no_grad():
        first, again = (model_spectrum(model, (x,), exact_up_to=exact_up_to) for _ in range(2))
    assert first.largest == again.largest
    assert first.variance == again.variance


def test_attention_twice_the_same_input_is_one():
    attention, x = nn.MultiheadAttention(4, 2, batch_first=True).double(), torch.randn(1, 3, 4).double()
    found = model_spectrum(attention, (x, x, x), {"need_weights": False})
    assert found.columns == 12

    class Itself(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = attention

        def forward(self, x):
            return self.inner(x, x, x, need_weights=False)[0]

    assert torch.allclose(found.values, torch.linalg.svdvals(reference(Itself(), x)))


def test_single_precision_with_fused_kernels():
    model, x = Attention(), torch.randn(2, 5, 4)
    found = model_spectrum(model, (x,), exact_up_to=0, steps=10)
    wanted = torch.linalg.svdvals(reference(model.double(), x.double()))
    assert found.largest.value == pytest.approx(float(wanted[0]), rel=1e-2)
