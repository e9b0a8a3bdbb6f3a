"""Shapes, who is connected with whom, and numbers that the papers give."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gradclinic.lab import zoo


@pytest.mark.parametrize(
    ("model", "batch"),
    [
        (zoo.mlp(8, 16, 3, 5), torch.randn(4, 8)),
        (zoo.mlp(8, 16, 0, 5), torch.randn(4, 8)),
        (zoo.residual_mlp(8, 16, 3, 5), torch.randn(4, 8)),
        (zoo.plain_conv(1, 6, 3, 5), torch.randn(4, 1, 8, 8)),
        (zoo.ResNet(1, 6, 3, 5), torch.randn(4, 1, 8, 8)),
        (zoo.DenseNet(1, 6, 3, 5), torch.randn(4, 1, 8, 8)),
        (zoo.Recurrent("rnn", 3, 7, 5), torch.randn(4, 9, 3)),
        (zoo.Recurrent("lstm", 3, 7, 5), torch.randn(4, 9, 3)),
        (zoo.Recurrent("gru", 3, 7, 5), torch.randn(4, 9, 3)),
        (zoo.Transformer(11, 6, 8, 2, 5, "pre"), torch.randint(11, (4, 6))),
        (zoo.Transformer(11, 6, 8, 2, 5, "post"), torch.randint(11, (4, 6))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_parameter_takes_part_and_outputs_have_their_shape(model, batch):
    out = model(batch)
    assert out.shape == (4, 5)
    out.square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


def test_an_mlp_has_its_layers_in_order():
    kinds = [type(layer).__name__ for layer in zoo.mlp(8, 16, 2, 5, nn.Tanh, nn.LayerNorm)]
    assert kinds == ["Linear", "LayerNorm", "Tanh"] * 2 + ["Linear"]


def test_a_residual_block_of_zero_weights_is_the_identity():
    model = zoo.residual_mlp(4, 4, 5, 4)
    x = torch.randn(3, 4)
    for block in model[1:-1]:
        nn.init.zeros_(block.branch[2].weight)
        nn.init.zeros_(block.branch[2].bias)
    assert torch.equal(model[1:-1](x), x)


def test_a_dense_net_gives_each_layer_all_that_came_before():
    model = zoo.DenseNet(1, 6, 4, 5)
    assert [layer[2].in_channels for layer in model.layers] == [6, 12, 18, 24]
    # Weights: stem 9·6, layers 9·6·(6 + 12 + 18 + 24), head 30·5; biases and norms 2·(6 + 12 + 18 + 24 + 30) + 5.
    assert sum(p.numel() for p in model.parameters()) == 54 + 54 * 60 + 150 + 2 * 90 + 5


def test_an_open_forget_gate_is_half_again_as_open():
    gate = slice(7, 14)
    for forget in (0.0, 1.0):
        cell = zoo.Recurrent("lstm", 3, 7, 5, forget).cell
        assert torch.equal(cell.bias_ih_l0[gate] + cell.bias_hh_l0[gate], torch.full((7,), forget))


def test_post_norm_ends_normalised_and_pre_norm_grows_by_its_branches():
    tokens = torch.randint(11, (4, 6))
    for norm in ("pre", "post"):
        model = zoo.Transformer(11, 6, 32, 6, 5, norm)
        x = model.embedding(tokens) + model.positions
        for block in model.blocks:
            x = block(x)
        size = float(x.detach().square().mean().sqrt())
        assert size == pytest.approx(1, abs=0.01) if norm == "post" else size > 2


def test_attention_is_the_textbooks():
    block = zoo.Transformer(11, 6, 8, 1, 5, "pre", heads=1).blocks[0]
    x = torch.randn(2, 6, 8)
    weights = (block.queries(x) @ block.keys(x).mT / math.sqrt(8)).softmax(-1)
    assert torch.allclose(block.attention(x), block.out(weights @ block.values(x)), atol=1e-6)


def test_skip_grams_loss_at_the_start_and_its_sparse_rows():
    model = zoo.SkipGram(100, 8)
    loss = model.loss(torch.tensor([3, 4]), torch.tensor([[5, 6, 7], [8, 9, 10]]))
    assert float(loss.detach()) == pytest.approx(3 * math.log(2))  # the neighbours' vectors begin at 0
    loss.backward()
    assert model.neighbours.weight.grad.is_sparse
    assert sorted(set(model.neighbours.weight.grad.coalesce().indices()[0].tolist())) == [5, 6, 7, 8, 9, 10]
