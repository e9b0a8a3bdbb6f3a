"""The account along the spine against theory.md and against gradients retained by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from .chains import account_of, chain, entry_of, total_norm

LN10 = math.log(10)


def classify(model: nn.Module, samples: int = 128) -> torch.Tensor:
    return F.cross_entropy(model(torch.randn(samples, 64)), torch.randint(0, 10, (samples,)))


@pytest.mark.parametrize(
    ("activation", "gain", "total", "by_activation", "by_weight"),
    [  # theory.md, "The ledger", in natural logarithms; one seed at width 256
        (nn.Sigmoid, 1.0, -43.46, -43.38, -0.08),
        (nn.Tanh, 5.0, 15.84, -32.35, 48.20),
        (nn.ReLU, 1.0, -10.51, -10.48, -0.03),
    ],
)
def test_chain_cases_of_theory(activation, gain, total, by_activation, by_weight):
    torch.manual_seed(0)
    model = chain(activation, gain)
    ledger = account_of(model, lambda: classify(model))
    kinds = ledger.by_kind()
    # Hanin: ln of the squared norm has variance 5 * 30/256 = .6 for ReLU, so .4 on the norm is one deviation.
    assert ledger.total * LN10 == pytest.approx(total, abs=1.0)
    assert kinds["activation"] * LN10 == pytest.approx(by_activation, abs=0.8)
    assert kinds["weight"] * LN10 == pytest.approx(by_weight, abs=0.6)
    assert set(kinds) == {"loss", "activation", "weight"}
    assert ledger.residue <= 1e-6


def test_one_small_layer_is_the_lowest_line():
    torch.manual_seed(0)
    model = chain(nn.ReLU, math.sqrt(2))
    model[34].weight.data.mul_(0.05)  # layer 17
    ledger = account_of(model, lambda: classify(model))
    lowest = min(ledger.lines, key=lambda line: line.decades)
    assert (lowest.module, lowest.kind, lowest.op) == ("34", "weight", "Addmm")
    assert lowest.decades == pytest.approx(math.log10(0.05 * math.sqrt(2)), abs=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh, nn.ReLU])
def test_lines_telescope_to_gradients_retained_by_hand(activation, dtype):
    torch.manual_seed(1)
    model = chain(activation, 1.5, depth=12, width=64).to(dtype)
    x, y = torch.randn(32, 64, dtype=dtype), torch.randint(0, 10, (32,))
    kept = []

    def loss():
        h = x
        for layer in model:
            h = layer(h)
            h.retain_grad()
            kept.append(h)
        return F.cross_entropy(h, y)

    ledger = account_of(model, loss)
    first, head = total_norm(kept[0].grad), total_norm(kept[-1].grad)
    assert ledger.total == pytest.approx(math.log10(first / head), abs=1e-6)
    after_loss = [line.decades for line in ledger.lines if line.kind != "loss"]
    assert sum(after_loss) == pytest.approx(math.log10(first / head), abs=1e-6)
    outputs = [entry for entry in ledger.entries if entry.kind != "loss"]
    for entry, tensor in zip(outputs, kept, strict=True):
        assert entry.grad_out == pytest.approx(total_norm(tensor.grad), rel=1e-5)


@pytest.mark.parametrize(("activation", "factor"), [(nn.ReLU, 0.4082), (nn.Tanh, 0.5774), (nn.Sigmoid, 0.1414)])
def test_default_initialisation_shrinks_by_the_known_factor(activation, factor):
    """σ_w² = 1/3; theory.md gives the factor per layer.  Ten layers of width 256."""
    torch.manual_seed(0)
    layers = [nn.Linear(256, 256) if i % 2 == 0 else activation() for i in range(20)]
    model = nn.Sequential(*layers, nn.Linear(256, 10))
    ledger = account_of(model, lambda: F.cross_entropy(model(torch.randn(64, 256)), torch.randint(0, 10, (64,))))
    inner = [line for line in ledger.lines if line.module.isdigit() and 4 <= int(line.module) <= 17]
    assert len(inner) == 14
    per_layer = 10 ** (sum(line.decades for line in inner) / 7)
    # Biases are U(±1/16): they shift the fixed point of tanh a little.
    assert per_layer == pytest.approx(factor, rel=0.05)


class Residual(nn.Module):
    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(64, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)) for _ in range(depth)
        )
        for block in self.blocks:
            nn.init.normal_(block[0].weight, 0, math.sqrt(2 / width))
            nn.init.normal_(block[2].weight, 0, math.sqrt(1 / width))
        self.head = nn.Linear(width, 10)
        self.scale = 1 / math.sqrt(depth)

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = h + self.scale * block(h)
        return self.head(h)


def test_residual_gradient_grows_as_theory_says():
    """‖grad‖² grows by (1 + 1/L) per block with a 1/√L branch: (1 + 1/L)^L in all; theory.md: 2.76 against 2.69."""
    torch.manual_seed(0)
    depth = 40
    model = Residual(depth, 256)
    ledger = account_of(model, lambda: classify(model, 64))
    below_head = [line for line in ledger.lines if line.kind == "shortcut"]
    squared = 10 ** (2 * sum(line.decades for line in below_head))
    assert squared == pytest.approx((1 + 1 / depth) ** depth, rel=0.2)
    joins = [line for line in below_head if line.join is not None]
    assert len(joins) == depth
    assert ledger.residue <= 1e-6


def test_join_is_the_explicit_sum_of_branches():
    """h + f(h): ‖δ‖², 2⟨δ, Jᵀδ⟩ and ‖Jᵀδ‖² computed by hand."""
    torch.manual_seed(2)
    first, branch = nn.Linear(6, 5), nn.Linear(5, 5)
    model = nn.ModuleList([first, branch])
    x = torch.randn(7, 6)
    direction = torch.randn(7, 5)

    def loss():
        h = first(x)
        return ((h + 0.3 * torch.tanh(branch(h))) * direction).sum()

    ledger = account_of(model, loss)
    (line,) = [line for line in ledger.lines if line.op == "join"]
    h = first(x).detach().requires_grad_()
    (pulled,) = torch.autograd.grad(0.3 * torch.tanh(branch(h)), h, direction)
    expected = (
        float((direction**2).sum()), float(2 * (direction * pulled).sum()), float((pulled**2).sum())
    )  # fmt: skip
    assert line.join == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert line.decades == pytest.approx(math.log10(total_norm(direction + pulled) / total_norm(direction)), abs=1e-6)


@pytest.mark.parametrize("branches", [3, 5])
def test_join_of_many_branches(branches):
    torch.manual_seed(3)
    first = nn.Linear(6, 8)
    x, directions = torch.randn(20, 6), [torch.randn(20, 8) * (i + 1) for i in range(branches)]
    model = nn.ModuleList([first])

    def loss():
        h = first(x)
        return sum((torch.tanh(h) * d).sum() for d in directions)

    ledger = account_of(model, loss)
    (line,) = [line for line in ledger.lines if line.op == "join"]
    slope = 1 - torch.tanh(first(x).detach()) ** 2
    along, rest = slope * directions[-1], slope * sum(directions[:-1])
    expected = (float((along**2).sum()), float(2 * (along * rest).sum()), float((rest**2).sum()))
    assert line.join == pytest.approx(expected, rel=1e-4)


def test_a_hook_of_the_users_shows_as_a_line():
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))

    def loss():
        h = model[0](torch.randn(5, 4))
        h.register_hook(lambda gradient: gradient * 10)
        return model[2](model[1](h)).sum()

    ledger = account_of(model, loss)
    (line,) = [line for line in ledger.lines if line.op == "hook"]
    assert line.decades == pytest.approx(1.0, abs=1e-6)
    assert ledger.residue <= 1e-6


def test_first_layer_entry_holds_weight_and_data():
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.randn(9, 6)
    ledger = account_of(model, lambda: model(x).sum())
    entry = entry_of(ledger, "Addmm", "0")
    assert entry.fan_in == 6
    assert entry.weight_rms == pytest.approx(float(model[0].weight.detach().square().mean().sqrt()), rel=1e-5)
    assert entry.forward_in == pytest.approx(float(x.square().mean().sqrt()), rel=1e-5)
    assert entry.forward_out == pytest.approx(float(model[0](x).detach().square().mean().sqrt()), rel=1e-5)
    assert entry.parameters == ("0.bias", "0.weight")
