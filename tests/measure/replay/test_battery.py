"""One thing changed on copies: what it does, what it costs, and that the user's training does not notice."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Battery, Examined, Replay, Tape
from gradclinic.measure.replay.battery import BUDGET, STEPS


def battery(
    net: nn.Module, x: Tensor, criterion: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer | None = None
) -> Battery:
    tape = Tape(lambda: "")
    tape.begin([x])
    loss = criterion(net(x))
    tape.close([loss])
    tape.leave()
    assert tape.trouble is None
    return Battery(Replay(tape.recording), optimizer, float(loss.detach()))


def run(*args: object) -> dict[str, Examined]:
    return {tested.change.id if tested.change else "": tested for tested in battery(*args).run()}  # type: ignore[arg-type]


def deep(activation: type[nn.Module], depth: int = 12, width: int = 20) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


Y = torch.arange(16) % 3


def cross_entropy(z: Tensor) -> Tensor:
    return F.cross_entropy(z, Y)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(3)


def test_replacing_the_sigmoids_brings_the_gradient_back() -> None:
    net = deep(nn.Sigmoid)
    tested = run(net, torch.randn(16, 20), cross_entropy, torch.optim.SGD(net.parameters(), 0.1))
    before, after = tested[""].outcome, tested["saturating_activation"].outcome
    assert before.decades is not None
    assert after.decades is not None
    assert before.decades < -5
    assert after.decades > before.decades + 3


def test_too_large_a_step_rises_and_a_tenth_does_not() -> None:
    """mean((xw)²): gradient descent is stable for lr < 1 / mean(x²)."""
    net = nn.Linear(1, 1, bias=False)
    x = torch.ones(8, 1)
    rate = 3.0  # the limit is 1
    tested = run(net, x, lambda z: (z**2).mean(), torch.optim.SGD(net.parameters(), rate))
    plain, slower = tested[""].trial, tested["learning_rate_high"].trial
    assert plain is not None
    assert slower is not None
    assert plain.losses[-1] == pytest.approx(plain.losses[0] * (1 - 2 * rate) ** (2 * STEPS), rel=1e-4)
    assert slower.losses[-1] == pytest.approx(plain.losses[0] * (1 - 0.2 * rate) ** (2 * STEPS), rel=1e-4)


def test_a_sum_becomes_a_mean() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    x, y = torch.randn(16, 4), torch.randn(16, 1)
    tested = run(net, x, lambda z: F.mse_loss(z, y, reduction="sum"))
    assert tested["loss_reduction"].outcome.gradient == pytest.approx(tested[""].outcome.gradient / 16, rel=1e-5)


def test_inputs_and_targets_are_standardised() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    x, y = 50 + 100 * torch.randn(64, 4), 1000 * torch.randn(64, 1)
    tested = run(net, x, lambda z: F.mse_loss(z, y))
    assert tested["target_scale"].outcome.loss < 1e-2 * tested[""].outcome.loss
    assert tested["input_scale"].outcome.first is not None
    assert tested[""].outcome.first is not None
    assert tested["input_scale"].outcome.first < 0.1 * tested[""].outcome.first


def test_softmax_on_the_output_is_left_out() -> None:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(1))
    x = torch.randn(16, 20)
    tested = run(net, x, cross_entropy)
    assert tested["output_activation"].outcome.loss == pytest.approx(
        float(cross_entropy(net[:3](x)).detach()), rel=1e-6
    )


def test_weights_are_rescaled_layer_by_layer() -> None:
    net = deep(nn.ReLU)
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.Linear):
                layer.weight.mul_(0.1)
                layer.bias.zero_()
    tested = run(net, torch.randn(16, 20), cross_entropy)
    assert tested["weight_scale"].outcome.first is not None
    assert tested[""].outcome.first is not None
    assert tested["weight_scale"].outcome.first > 1e6 * tested[""].outcome.first


def test_half_precision_is_raised() -> None:
    net = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 3)).half()
    tested = run(net, (1e3 * torch.randn(16, 20)).half(), lambda z: F.cross_entropy((z * 1e4).float(), Y))
    assert not isfinite(tested[""].outcome.loss)
    assert isfinite(tested["precision"].outcome.loss)


def test_epsilon_and_weight_decay() -> None:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(net.parameters(), 0.01, eps=10.0, weight_decay=1.0)
    tested = run(net, torch.randn(16, 20), cross_entropy, optimizer)
    trials = {name: tested[name].trial for name in ("", "optimizer_epsilon", "weight_decay_high")}
    fell = {name: t.losses[0] - t.losses[-1] for name, t in trials.items() if t is not None}
    assert fell["optimizer_epsilon"] > 5 * abs(fell[""])
    assert fell["weight_decay_high"] != fell[""]


def test_shares_add_up_to_what_all_do_together() -> None:
    net = deep(nn.Sigmoid)
    tests = battery(net, torch.randn(16, 20), cross_entropy)
    from gradclinic.measure.replay import changes_for

    factors = [c for c in changes_for(tests.replay, None) if c.id in ("saturating_activation", "weight_scale")]
    shares = tests.shares(factors)
    assert shares is not None
    together = tests._measured(factors).decades
    alone = tests._measured([]).decades
    assert together is not None
    assert alone is not None
    assert sum(shares.values()) == pytest.approx(together - alone)


def test_nothing_of_the_users_is_touched() -> None:
    net = nn.Sequential(nn.Linear(20, 20), nn.BatchNorm1d(20), nn.Dropout(0.5), nn.Tanh(), nn.Linear(20, 3))
    x = torch.randn(16, 20)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    cross_entropy(net(x)).backward()
    optimizer.step()
    tests = battery(net, x, cross_entropy, optimizer)
    state = [tensor.clone() for tensor in (*net.parameters(), *net.buffers(), x)]
    gradients = [parameter.grad.clone() for parameter in net.parameters() if parameter.grad is not None]
    moments = [value.clone() for held in optimizer.state.values() for value in held.values()]
    generator = torch.get_rng_state()
    assert len(tests.run()) > 4
    assert torch.equal(generator, torch.get_rng_state())
    for before, after in zip(state, (*net.parameters(), *net.buffers(), x), strict=True):
        assert torch.equal(before, after)
    for before, parameter in zip(gradients, net.parameters(), strict=True):
        assert parameter.grad is not None
        assert torch.equal(before, parameter.grad)
    after = [value for held in optimizer.state.values() for value in held.values()]
    assert all(torch.equal(old, new) for old, new in zip(moments, after, strict=True))


def test_the_budget_holds() -> None:
    net = deep(nn.Sigmoid)
    optimizer = torch.optim.Adam(net.parameters(), 0.01, eps=10.0, weight_decay=1.0)
    tests = battery(net, 100 * torch.randn(16, 20), cross_entropy, optimizer)
    tests.run()
    assert STEPS < tests.spent <= BUDGET


def test_a_step_that_does_not_come_out_the_same_is_declined() -> None:
    net = nn.Linear(20, 3)
    tests = battery(net, torch.randn(16, 20), cross_entropy)
    tests._seen = 7.0
    with pytest.raises(ValueError, match="run again"):
        tests.run()
