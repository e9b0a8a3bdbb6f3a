"""What the first recorded step shows: the loss's terms, the model's inputs, how far back a sequence is read."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Replay, Tape, input_reach, loss_terms, margin_call, read_inputs


def record(step: Callable[[], Tensor], *inputs: Tensor) -> tuple[Tape, Tensor]:
    tape = Tape(lambda: "")
    tape.begin(inputs)
    loss = step()
    tape.close([loss])
    tape.leave()
    return tape, loss


X = torch.randn(16, 5, generator=torch.Generator().manual_seed(0))
Y = torch.arange(16) % 2


def terms(loss_of):
    torch.manual_seed(1)
    net = nn.Linear(5, 2)
    tape, loss = record(lambda: loss_of(net, net(X)), X)
    return loss_terms(tape.recording), loss


def test_terms_add_up_to_the_loss_with_their_signs_and_factors():
    found, loss = terms(
        lambda net, z: F.cross_entropy(z, Y) - 0.5 * (1 + z).sum() / 4 + 2 * (1 - z.square().mean()) + -net.bias.sum()
    )
    assert sum(term.value for term in found) == pytest.approx(loss.item() - 2, rel=1e-5)  # a plain number is no term
    assert [(term.factor, term.reduction) for term in found] == [
        (1.0, "mean"), (-0.125, "sum"), (-2.0, "mean"), (-1.0, "sum"),
    ]  # fmt: skip
    assert [term.of_inputs for term in found] == [True, True, True, False]


def test_a_penalty_on_the_weights_is_told_from_a_prior_on_them():
    found, _ = terms(
        lambda net, z: F.cross_entropy(z, Y, reduction="sum") + net.weight.pow(2).sum() + F.softplus(net.weight).sum()
    )
    assert [(term.reduction, term.penalty) for term in found] == [("sum", False), ("sum", True), ("sum", False)]


def test_values_are_those_of_when_they_were_added():
    def loss_of(net, z):
        total = z.mean()
        total += F.cross_entropy(z, Y)
        return total

    found, loss = terms(loss_of)
    assert len(found) == 2
    assert sum(term.value for term in found) == pytest.approx(loss.item())


def test_a_single_term_is_no_list():
    assert terms(lambda net, z: F.cross_entropy(z, Y))[0] == []


def given(*inputs, model):
    return read_inputs(record(lambda: model(inputs[0]).sum(), *inputs)[0].recording)


def test_inputs_are_described_as_numpy_describes_them():
    x = X * torch.tensor([1.0, 100.0, 1.0, 1.0, 0.0]) + torch.tensor([0.0, 0.0, 50.0, 0.0, 3.0])
    (facts,) = given(x, model=nn.Linear(5, 1))
    table = x.double().numpy()
    spreads = sorted(table.std(0)[:4])
    assert facts["rms"] == pytest.approx(math.sqrt((table**2).mean()))
    assert facts["spreads"] == pytest.approx([spreads[0], spreads[1], spreads[3]])  # a constant column has none
    assert facts["offset"] == pytest.approx((abs(table.mean(0)[:4]) / table.std(0)[:4]).max())
    assert (facts["given"], facts["dtype"], facts["whole"]) == (True, "float32", False)


def test_a_constant_in_a_coarse_format_is_described_and_one_in_float32_is_not():
    hours, weights = torch.arange(600).bfloat16(), torch.arange(600.0)
    net = nn.Linear(1, 1)
    tape, _ = record(lambda: (net(X[:1, :1]) * hours + net.weight * weights).mean() * 2, X[:1, :1])
    (facts,) = [facts for facts in read_inputs(tape.recording) if not facts["given"]]
    assert (facts["dtype"], facts["whole"], facts["largest"]) == ("bfloat16", True, 600.0)


@pytest.mark.parametrize("turned", [False, True])
def test_a_leaky_sum_forgets_by_its_leak_to_the_power_of_the_distance(turned):
    leak = nn.Parameter(torch.tensor(0.5))
    x = torch.randn(4, 30, 3)

    def step():
        state = torch.zeros(4, 3)
        for t in range(30):
            state = leak * state + (x[:, t] if not turned else z[t])
        return state.sum()

    z = x.transpose(0, 1).contiguous()
    tape, _ = record(step, z if turned else x)
    norms = input_reach(Replay(tape.recording))
    assert norms is not None
    expected = [math.sqrt(12) * 0.5 ** (29 - t) for t in range(30)]
    assert norms == pytest.approx(expected, rel=1e-5)


def test_tokens_are_followed_through_their_embedding():
    embed, cell = nn.Embedding(7, 4), nn.GRU(4, 5, batch_first=True)
    tokens = torch.randint(7, (3, 12))
    tape, _ = record(lambda: 2 * cell(embed(tokens))[0][:, -1].sum(), tokens)
    norms = input_reach(Replay(tape.recording))
    assert norms is not None
    assert len(norms) == 12
    assert norms[0] < norms[-1]


def test_without_a_sequence_nothing_is_said():
    net = nn.Linear(5, 1)
    tape, _ = record(lambda: net(X[:6]).sum(), X[:6])
    assert input_reach(Replay(tape.recording)) is None


BITS = torch.arange(16).remainder(2).float().unsqueeze(1)


def hinge_labels(loss_of, labels):
    torch.manual_seed(1)
    net = nn.Linear(5, 1)
    tape, _ = record(lambda: loss_of(net(X), labels).mean(), X)
    found = margin_call(tape.recording)
    return found and (found["target"]["least"], found["target"]["largest"])


@pytest.mark.parametrize(
    "loss_of",
    [
        lambda z, y: (1 - y * z).clamp(min=0),
        lambda z, y: F.relu(1 - z * y),
        lambda z, y: F.softplus(-y * z),
        lambda z, y: -F.logsigmoid(y * z),
    ],
)
def test_labels_of_a_margin_written_out(loss_of):
    assert hinge_labels(loss_of, BITS) == (0.0, 1.0)
    assert hinge_labels(loss_of, 2 * BITS - 1) == (-1.0, 1.0)


def test_masks_are_no_labels():
    assert hinge_labels(lambda z, y: F.relu(y * z), BITS) is None
    assert hinge_labels(lambda z, y: F.relu(1 - z) * y, BITS) is None
    assert hinge_labels(lambda z, y: F.relu(1 - z), BITS) is None
