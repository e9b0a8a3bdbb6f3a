"""Changes of the architecture against twins written by hand."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradclinic.cure.recipe import Change, Recipe
from gradclinic.cure.remedy import CannotApply
from tests.cure.zoo import ConvNet, Functional, PostNorm, Residual, Shared, mlp, rows


def treated(model: nn.Module, *changes: tuple[str, dict[str, object]]) -> nn.Module:
    recipe = Recipe.of(*(Change(name, options) for name, options in changes))
    return recipe.apply(model, torch.optim.SGD(model.parameters(), lr=0.1))[0]


def test_pre_norm_is_the_block_written_by_hand() -> None:
    net = PostNorm()
    twin = copy.deepcopy(net)
    x = rows(5, 6)
    treated(net, ("pre_norm", {}))

    h = twin.stem(x)
    for layer, norm in zip(twin.layers, twin.norms, strict=True):
        h = h + torch.relu(layer(norm(h)))
    expected = twin.head(F.layer_norm(h, (8,)))  # and a fresh norm at the end
    assert torch.allclose(net(x), expected, atol=1e-6)
    assert len(list(net.parameters())) == len(list(twin.parameters())) + 2


@pytest.mark.parametrize("training", [True, False])
def test_pre_norm_of_torchs_layers_is_norm_first_with_a_norm_at_the_end(training: bool) -> None:
    def encoder(first: bool) -> nn.TransformerEncoder:
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=first)
        return nn.TransformerEncoder(layer, 3, nn.LayerNorm(8) if first else None, enable_nested_tensor=not first)

    net, twin = encoder(False), encoder(True)
    twin.load_state_dict(net.state_dict(), strict=False)
    treated(net, ("pre_norm", {}))
    x = rows(2, 5, 8)
    assert torch.allclose(net.train(training)(x), twin.train(training)(x), atol=1e-6)


def test_pre_norm_of_layers_side_by_side_ends_with_one_norm() -> None:
    layers = [nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True) for _ in range(2)]
    twins = [nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True) for _ in range(2)]
    for layer, twin in zip(layers, twins, strict=True):
        twin.load_state_dict(layer.state_dict())
    x = rows(2, 5, 8)
    expected = F.layer_norm(twins[1](twins[0](x)), (8,))
    assert torch.allclose(treated(nn.Sequential(*layers), ("pre_norm", {}))(x), expected, atol=1e-6)


def test_pre_norm_refuses_what_has_none() -> None:
    with pytest.raises(CannotApply, match="nothing in the model normalises"):
        treated(mlp(), ("pre_norm", {}))


class Twin(nn.Module):
    """y = x + f(x)/√L around each hidden layer of an mlp, written by hand."""

    def __init__(self, net: nn.Sequential, depth: int) -> None:
        super().__init__()
        self.net, self.depth = net, depth

    def forward(self, x: Tensor) -> Tensor:
        x = self.net[1](self.net[0](x))
        for place in range(2, 2 + 2 * self.depth, 2):
            x = x + self.net[place + 1](self.net[place](x)) / self.depth**0.5
        return self.net[-1](x)


def test_shortcuts_are_the_sum_written_by_hand() -> None:
    net = mlp(5)
    expected = Twin(copy.deepcopy(net), 5)(rows(4, 6))
    assert torch.allclose(treated(net, ("shortcuts", {"kind": "scaled"}))(rows(4, 6)), expected, atol=1e-6)


def test_rezero_shortcuts_pass_all_hidden_layers_by_at_the_start() -> None:
    net = mlp(5)
    x = rows(4, 6)
    expected = net[-1](net[1](net[0](x)))
    treated(net, ("shortcuts", {"kind": "rezero"}))
    assert torch.allclose(net(x), expected)
    net(x).sum().backward()
    gates = [p for name, p in net.named_parameters() if "gate" in name]
    assert len(gates) == 5
    assert all(bool(gate.grad.any()) for gate in gates)


def test_residual_branches_are_divided_by_the_root_of_their_number() -> None:
    net = Residual(4)
    twin = copy.deepcopy(net)
    x = rows(4, 6)
    treated(net, ("residual_scaling", {"kind": "scaled"}))
    h = twin.stem(x)
    for block in twin.blocks:
        h = h + (block(h) - h) / 2
    assert torch.allclose(net(x), twin.head(h), atol=1e-5)


def test_inserted_norms_standardise_what_they_get() -> None:
    net = treated(mlp(3, width=16), ("normalization", {"kind": "batch"}))
    seen: list[Tensor] = []
    for name, module in net.named_modules():
        if name.endswith("norm"):
            module.register_forward_hook(lambda module, args, output: seen.append(output.detach()))
    net(40 * rows(64, 6) + 9)
    assert len(seen) == 4
    for output in seen:
        assert torch.allclose(output.mean(0), torch.zeros(16), atol=1e-5)
        # The variance of units that hardly vary stays below 1 by the norm's eps of 1e-5.
        assert float((output.var(0, unbiased=False) - 1).abs().max()) < 0.1


def test_images_are_normalised_by_channels() -> None:
    net = treated(ConvNet(), ("normalization", {"kind": "group"}))
    assert [type(m).__name__ for m in net.modules()].count("GroupNorm") == 2
    assert net(rows(3, 1, 6, 6)).shape == (3, 3)


def test_functions_are_swapped_and_modes_and_arguments_survive() -> None:
    net = Functional()
    twin = copy.deepcopy(net)
    treated(net, ("activation_swap", {"to": "gelu"}))
    x, mask = rows(4, 6), rows(4, 8)

    def expected(mask: Tensor | None) -> Tensor:
        h = F.gelu(twin.first(x))
        h = h if mask is None else h * mask
        return twin.third(F.dropout(F.gelu(twin.second(h)), 0.6, training=net.training))

    for training in (True, False):
        net.train(training)
        for given in (None, mask):
            torch.manual_seed(1)
            wanted = expected(given)
            torch.manual_seed(1)
            assert torch.allclose(net(x, given), wanted)
            torch.manual_seed(1)
            assert torch.allclose(net(x=x, mask=given), wanted)


def test_dropout_goes_in_modules_and_functions() -> None:
    net = treated(Functional(), ("dropout", {"p": 0.0}))
    assert torch.equal(net(rows(4, 6)), net.eval()(rows(4, 6)))
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True)
    treated(layer, ("dropout", {"p": 0.0}))
    assert torch.allclose(layer(rows(2, 3, 8)), layer.eval()(rows(2, 3, 8)), atol=1e-6)


def test_a_layer_that_is_called_twice_has_one_norm() -> None:
    net = treated(Shared(), ("normalization", {"kind": "layer"}))
    assert [type(m).__name__ for m in net.modules()].count("LayerNorm") == 2
    x = rows(4, 6)
    h = torch.tanh(net.first.norm(net.first(x)))
    for _ in range(2):
        h = torch.tanh(net.middle.norm(net.middle(h)))
    # The submodule called "norm" of a Linear is not called by the Linear itself.
    assert torch.allclose(net(x), net.head(h), atol=1e-6)


def test_the_output_activation_goes_and_the_hidden_ones_stay() -> None:
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), nn.ReLU())
    x = rows(4, 6)
    expected = net[2](net[1](net[0](x)))
    assert torch.equal(treated(net, ("remove_output_activation", {}))(x), expected)
