"""The initialisations against their formulas."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from gradclinic.cure.patient import Patient
from gradclinic.cure.recipe import Change, Recipe
from gradclinic.cure.remedies import find_remedy
from gradclinic.task import seed_all
from tests.cure.zoo import Embedded, classifier, mlp, rows


def treated(model: nn.Module, remedy: str, **options: object) -> nn.Module:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Recipe.of(Change(remedy, options)).apply(model, optimizer)[0]


def wide(act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    return nn.Sequential(nn.Linear(400, 300), act(), nn.Linear(300, 500), act(), nn.Linear(500, 200))


def std(tensor: Tensor) -> float:
    return float(tensor.detach().std())


#: Of σ from n draws the standard error is σ/√(2n): with 1e5 draws four of them are 0.9 %.
CLOSE = 0.01


def test_kaiming_draws_have_variance_two_over_fan_in() -> None:
    net = treated(wide(), "kaiming_init", nonlinearity="relu")
    assert std(net[0].weight) == pytest.approx(sqrt(2 / 400), rel=CLOSE)
    assert std(net[2].weight) == pytest.approx(sqrt(2 / 300), rel=CLOSE)
    assert std(net[4].weight) == pytest.approx(sqrt(1 / 500), rel=CLOSE)  # no activation follows
    assert not any(bool(layer.bias.any()) for layer in net[::2])


def test_xavier_draws_have_variance_two_over_both_fans() -> None:
    net = treated(wide(nn.Tanh), "xavier_init", nonlinearity="tanh")
    assert std(net[2].weight) == pytest.approx(5 / 3 * sqrt(2 / 800), rel=CLOSE)
    assert std(net[4].weight) == pytest.approx(sqrt(2 / 700), rel=CLOSE)


def test_transposed_convolutions_count_their_inputs() -> None:
    net = nn.Sequential(nn.ConvTranspose2d(40, 90, 5), nn.ReLU(), nn.Conv2d(90, 30, 5))
    treated(net, "kaiming_init", nonlinearity="relu")
    assert std(net[0].weight) == pytest.approx(sqrt(2 / (40 * 25)), rel=0.015)
    assert std(net[2].weight) == pytest.approx(sqrt(1 / (90 * 25)), rel=0.015)


@settings(max_examples=15)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 5))
def test_orthogonal_weights_have_one_singular_value(rows: int, columns: int, seed: int) -> None:
    torch.manual_seed(seed)
    net = treated(nn.Sequential(nn.Linear(columns, rows), nn.ReLU(), nn.Linear(rows, 2)), "orthogonal_init",
                  nonlinearity="relu")  # fmt: skip
    values = torch.linalg.svdvals(net[0].weight.detach())
    assert torch.allclose(values, torch.full_like(values, sqrt(2)), atol=1e-5)


def test_critical_draws_follow_the_theory() -> None:
    seed_all(0)
    task = classifier(mlp(3, act=nn.Tanh), rows(12, 6))
    (options,) = find_remedy("critical_init").propose(Patient(task, task.new_optimizer(), (next(task.batches()),)))
    assert options == {"nonlinearity": "tanh", "sigma_w": 1.0, "sigma_b": 0.0}  # Schoenholz et al. 2017, figure 1
    net = treated(wide(nn.Tanh), "critical_init", nonlinearity="tanh", sigma_w=1.3, sigma_b=0.3)
    assert std(net[2].weight) == pytest.approx(1.3 / sqrt(300), rel=CLOSE)
    assert std(net[2].bias) == pytest.approx(0.3, rel=0.15)
    assert std(net[4].weight) == pytest.approx(1 / sqrt(500), rel=CLOSE)
    assert not bool(net[4].bias.any())


def _stds(net: nn.Sequential, x: Tensor) -> list[float]:
    found = []
    for part in net:
        x = part(x)
        if isinstance(part, nn.Linear):
            found.append(std(x))
    return found


@pytest.mark.parametrize("act", [nn.Sigmoid, nn.ReLU, nn.Tanh])
def test_lsuv_gives_every_layer_deviation_one(act: type[nn.Module]) -> None:
    seed_all(3)
    x = 20 * rows(64, 6)
    task = classifier(mlp(4, width=64, act=act), x)
    patient = Patient(task, task.new_optimizer(), ((x, torch.arange(64) % 3),))
    (options,) = find_remedy("lsuv_init").propose(patient)
    seed_all(3)  # the draw that it was measured on
    torch.manual_seed(torch.initial_seed())
    assert _stds(treated(task.model, "lsuv_init", **options), x) == pytest.approx([1.0] * 6, rel=0.02)
    torch.manual_seed(99)  # another one: as far as 64 units are alike
    other = _stds(treated(task.model, "lsuv_init", **options), x)
    assert other[:-1] == pytest.approx([1.0] * 5, rel=0.4)  # the last layer has three units only


def test_rescaled_weights_keep_their_directions() -> None:
    seed_all(0)
    x = rows(32, 6)
    task = classifier(mlp(3, width=16, act=nn.Tanh), x)
    with torch.no_grad():
        for parameter in task.model.parameters():
            parameter.mul_(1e-3)
    before = [layer.weight.detach().clone() for layer in task.model[::2]]
    patient = Patient(task, task.new_optimizer(), ((x, torch.arange(32) % 3),))
    (options,) = find_remedy("weight_rescale").propose(patient)
    net = treated(task.model, "weight_rescale", **options)
    assert _stds(net, x) == pytest.approx([1.0] * 5, rel=0.02)
    for layer, old in zip(net[::2], before, strict=True):
        assert float(torch.cosine_similarity(layer.weight.detach().flatten(), old.flatten(), 0)) == pytest.approx(
            1, abs=1e-5
        )


def test_a_tied_weight_is_drawn_once_and_stays_tied() -> None:
    net = Embedded()
    treated(net, "kaiming_init")
    assert net.head.weight is net.embed.weight


def test_draws_reach_the_tensors_behind_a_parametrization() -> None:
    plain, normed = wide(), wide()
    parametrizations.weight_norm(normed[2])
    torch.manual_seed(1)
    treated(plain, "kaiming_init", nonlinearity="relu")
    treated(normed, "kaiming_init", nonlinearity="relu")
    assert torch.allclose(plain[2].weight, normed[2].weight, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_and_behind_the_older_hooks() -> None:
    plain, normed = wide(), wide()
    nn.utils.weight_norm(normed[2])
    torch.manual_seed(1)
    treated(plain, "kaiming_init", nonlinearity="relu")
    treated(normed, "kaiming_init", nonlinearity="relu")
    x = torch.ones(2, 400)
    assert torch.allclose(plain(x), normed(x), atol=1e-5)


def test_forget_bias_is_the_sum_of_both_vectors_of_the_second_block() -> None:
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    kept = lstm.bias_ih_l0.detach().clone()
    treated(lstm, "forget_bias", bias=1.0)
    for name in ("l0", "l1", "l0_reverse", "l1_reverse"):
        both = getattr(lstm, f"bias_ih_{name}") + getattr(lstm, f"bias_hh_{name}")
        assert bool((both[4:8] == 1).all())
    assert torch.equal(lstm.bias_ih_l0[:4], kept[:4])
    assert torch.equal(lstm.bias_ih_l0[8:], kept[8:])


def test_the_gate_that_is_opened_is_the_one_that_keeps_the_state() -> None:
    # With an open gate and no other weights the state survives: h' = z·h for a GRU, c' = f·c for an LSTM.
    for cell, state in (
        (nn.GRUCell(1, 3), torch.ones(1, 3)),
        (nn.LSTMCell(1, 3), (torch.zeros(1, 3), torch.ones(1, 3))),
    ):
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.zero_()
        treated(cell, "forget_bias", bias=2.0)
        new = cell(torch.zeros(1, 1), state)
        kept = new[1] if isinstance(new, tuple) else new
        assert torch.allclose(kept, torch.full((1, 3), 1 / (1 + torch.tensor(-2.0).exp().item())))


def test_chrono_biases_are_logarithms_of_times() -> None:
    lstm = nn.LSTM(3, 2000)
    treated(lstm, "forget_bias", chrono=100)
    both = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach()
    forget = both[2000:4000]
    assert float(forget.min()) >= 0
    assert float(forget.max()) <= log(99)
    assert float(forget.exp().mean()) == pytest.approx(50, rel=0.05)  # of U[1, 99]
    assert torch.equal(both[:2000], -forget)


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_every_gate_gets_an_orthogonal_block(kind: str, gates: int) -> None:
    layer = getattr(nn, kind)(3, 6, num_layers=2)
    treated(layer, "orthogonal_recurrence", kind="orthogonal")
    for weight in (layer.weight_hh_l0, layer.weight_hh_l1):
        assert weight.shape == (gates * 6, 6)
        for block in weight.detach().split(6):
            assert torch.allclose(block @ block.T, torch.eye(6), atol=1e-5)


def test_identity_recurrence_copies_the_state() -> None:
    layer = nn.RNN(3, 6, nonlinearity="relu")
    treated(layer, "orthogonal_recurrence", kind="identity")
    assert torch.equal(layer.weight_hh_l0.detach(), torch.eye(6))
