from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradclinic.measure.jacobian import NoProduct, NoSplit, NotConnected, split
from tests.measure.jacobian.networks import Many, Tied, mlp, stateful, unchanged


def cross_entropy(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def batch_of(n=5, width=4, classes=3):
    return torch.randn(n, width), torch.randint(classes, (n,))


def chained(found):
    """The loss by way of the outputs."""
    return found.loss_of(found.outputs(found.parameters)).detach()


def test_outputs_and_loss_are_the_models():
    model, batch = mlp(4, 6, 3), batch_of()
    found = split(model, cross_entropy, batch)
    assert torch.allclose(found.outputs(found.parameters), model(batch[0]).double().reshape(-1))
    assert chained(found) == cross_entropy(model, batch) == found.loss_at(found.parameters)
    assert found.names == ("0.weight", "0.bias", "2.weight", "2.bias")
    assert (found.calls, found.missed, found.shapes) == (1, 0.0, ((5, 3),))


def test_the_loss_is_a_function_of_the_outputs():
    model, batch = mlp(4, 6, 3), batch_of()
    found = split(model, cross_entropy, batch)
    other = torch.randn(5, 3)
    assert found.loss_of(other.reshape(-1).double()) == pytest.approx(float(F.cross_entropy(other, batch[1])))


def test_outputs_are_a_function_of_the_parameters():
    model, batch = mlp(4, 6, 3), batch_of()
    found, other = split(model, cross_entropy, batch), mlp(4, 6, 3)
    flat = found.outputs([parameter.detach() for parameter in other.parameters()])
    assert torch.allclose(flat, other(batch[0]).double().reshape(-1))
    whole = found.loss_at([parameter.detach() for parameter in other.parameters()])
    assert float(whole) == pytest.approx(float(cross_entropy(other, batch).detach()))


def test_the_model_does_not_run_for_the_loss():
    model, ran = mlp(4, 3), []
    found = split(model, cross_entropy, batch_of())
    model[0].register_forward_hook(lambda *args: ran.append(1))
    found.loss_of(torch.zeros(15, dtype=torch.float64))
    assert not ran


def test_the_loss_does_not_run_for_the_outputs():
    ran = []

    def loss(model, batch):
        value = cross_entropy(model, batch)
        ran.append(1)
        return value

    found = split(mlp(4, 3), loss, batch_of())
    ran.clear()
    found.outputs(found.parameters)
    assert not ran


def test_every_container_and_an_integer_output():
    def loss(model, x):
        output = model(x)
        assert isinstance(output["record"].label, torch.Tensor)
        assert output["record"].label.dtype == torch.int64
        assert output["name"] == "many"
        return output["pair"].first.sum() + (output["list"][0] ** 2).sum() + (output["record"].kept ** 3).sum()

    model, x = Many().double(), torch.randn(2, 4).double()
    found = split(model, loss, x)
    assert torch.equal(found.outputs(found.parameters), Many.flat(model(x)))
    assert chained(found) == loss(model, x)
    assert found.shapes == ((2, 3), (2, 3), (2, 2), (2, 2))


def test_several_calls_are_one_after_the_other():
    def loss(model, x):
        first = model(x)
        return (model(first) - first.detach()).square().sum() + first.sum()

    model, x = Tied().double(), torch.randn(3, 4).double()
    found = split(model, loss, x)
    assert found.calls == 2
    assert torch.allclose(found.outputs(found.parameters), torch.cat([model(x), model(model(x))]).reshape(-1))
    assert chained(found) == loss(model, x)


def test_a_teachers_call_counts_as_constant():
    def loss(model, x):
        with torch.no_grad():
            wanted = model(2 * x)
        return F.mse_loss(model(x), wanted)

    model, x = mlp(4, 3).double(), torch.randn(5, 4).double()
    found = split(model, loss, x)
    assert found.calls == 2
    assert len(found.outputs(found.parameters)) == 15
    assert chained(found) == loss(model, x)
    assert found.missed == 0


def test_noise_before_and_after_the_model_is_the_same_in_every_run():
    def loss(model, x):
        noise = torch.randn_like(x)
        output = model(x + noise)
        later = torch.randn_like(output) * random.random() * float(np.random.rand())
        return (output * later).square().sum() + (output - noise).square().sum()

    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).double()
    found = split(model, loss, torch.randn(5, 4).double())
    assert found.missed < 1e-12
    assert chained(found) == found.loss_at(found.parameters) == chained(found)


def test_hooks_of_the_users_have_run_once():
    model, x = nn.Linear(4, 3).double(), torch.randn(5, 4).double()
    model.register_forward_hook(lambda module, args, output: 2 * output)
    found = split(model, lambda model, x: model(x).square().sum(), x)
    assert torch.equal(found.outputs(found.parameters), model(x).reshape(-1))
    assert found.loss_of(torch.ones(15, dtype=torch.float64)) == 15
    assert found.missed == 0


def test_complex_outputs():
    weight = nn.Linear(4, 4).double()

    def loss(model, x):
        return model(x).abs().square().sum()

    model = nn.Sequential(weight)
    model.register_forward_hook(lambda module, args, output: torch.fft.rfft(output))
    found = split(model, loss, torch.randn(2, 4).double())
    assert len(found.outputs(found.parameters)) == 2 * 3 * 2
    assert found.shapes == ((2, 3, 2),)
    assert float(chained(found)) == pytest.approx(float(found.loss_at(found.parameters)))


# -- what does not go through the outputs --------------------------------------------------------------------


def test_a_weight_penalty_is_missed_and_measured():
    model, batch = mlp(4, 3).double(), (torch.randn(5, 4).double(), torch.randint(3, (5,)))

    def loss(model, batch):
        return cross_entropy(model, batch) + sum((p**2).sum() for p in model.parameters())

    found = split(model, loss, batch)
    gradient = torch.autograd.grad(loss(model, batch), list(model.parameters()))
    penalty = [2 * p.detach() for p in model.parameters()]
    wanted = torch.cat([p.reshape(-1) for p in penalty]).norm() / torch.cat([g.reshape(-1) for g in gradient]).norm()
    assert found.missed == pytest.approx(float(wanted))
    assert float(chained(found)) == pytest.approx(float(loss(model, batch).detach()))


def test_nothing_is_missed_where_the_gradient_is_zero():
    model = mlp(4, 3).double()
    found = split(model, lambda model, x: (model(x) * 0).square().sum(), torch.randn(5, 4).double())
    assert found.missed == 0


# -- what cannot be taken apart --------------------------------------------------------------------------------


class Whole(nn.Module):
    """Computes its own loss, as language models do."""

    def __init__(self, both):
        super().__init__()
        self.inner, self.both = nn.Linear(4, 3), both

    def forward(self, x):
        output = self.inner(x)
        return {"loss": output.square().mean(), "logits": output} if self.both else output.square().mean()


def sometimes_twice():
    runs = []

    def loss(model, x):
        runs.append(1)
        return sum(model(x).square().sum() for _ in range(1 + len(runs) % 2))

    return loss


def gradient_penalty(model, x):
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    return slope.square().sum()


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (mlp(4, 3), lambda model, x: model[0](x).sum(), "never calls the model itself"),
        (mlp(4, 3), lambda model, x: model.forward(x).sum(), "never calls the model itself"),
        (mlp(4, 3), lambda model, x: model(x), "scalar tensor, not a tensor of shape"),
        (mlp(4, 3), lambda model, x: float(model(x).sum().detach()), "scalar tensor, not float"),
        (mlp(4, 3), lambda model, x: model(x).detach().sum(), "does not depend on any trainable parameter"),
        (
            mlp(4, 3),
            lambda model, x: model(x).detach().sum() * model[0].weight.sum(),
            "does not depend on the model's outputs",
        ),
        (Whole(True), lambda model, x: model(x)["loss"], "returns the loss itself"),
        (Whole(False), lambda model, x: model(x), "returns the loss itself"),
        (mlp(4, 3), sometimes_twice(), "called the model 1 times, and then 2 times|2 times, and then 1 times"),
        (mlp(4, 3, 1), gradient_penalty, "fails where the outputs are given: RuntimeError"),
    ],
)
def test_clear_words(model, loss, message):
    x = torch.randn(5, 4)
    with unchanged(model), pytest.raises(NoSplit, match=message):
        split(model, loss, x)


def test_another_number_of_calls_later():
    calls = []

    def loss(model, x):
        return sum(model(x).square().sum() for _ in range(2 if calls else 1))

    found = split(mlp(4, 3), loss, torch.randn(5, 4))
    calls.append(1)
    with pytest.raises(NoSplit, match="1 times, and then more often"):
        found.loss_of(torch.zeros(15, dtype=torch.float64))
    found = split(mlp(4, 3), loss, torch.randn(5, 4))
    calls.clear()
    with pytest.raises(NoSplit, match="2 times, and then 1 times"):
        found.outputs(found.parameters)
    with pytest.raises(NoSplit, match="2 times, and then 1 times"):
        found.loss_of(torch.zeros(30, dtype=torch.float64))


def test_torchscript_is_named():
    with pytest.warns(DeprecationWarning, match="trace"):
        scripted = torch.jit.trace(nn.Linear(4, 3), torch.ones(1, 4))
    with pytest.raises(NoProduct, match="TorchScript"):
        split(scripted, cross_entropy, batch_of())


def test_outputs_without_a_gradient():
    with pytest.raises(NotConnected, match="depends on a trainable parameter"):
        split(mlp(4, 3).requires_grad_(False), cross_entropy, batch_of())


def test_what_the_closure_raises_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        split(mlp(4, 3), lambda model, x: model(x).sum() / (1 // 0), torch.randn(5, 4))


def test_a_loss_that_is_not_finite_is_split():
    found = split(mlp(4, 3), lambda model, x: model(x).sum() * math.inf, torch.randn(5, 4))
    assert math.isnan(found.missed)


# -- state -------------------------------------------------------------------------------------------------


def test_nothing_of_the_users_changes():
    model, batch = stateful(), batch_of()
    kept = [tensor.clone() for tensor in batch]

    def loss(model, batch):
        batch[0].mul_(0.5)  # a closure may write to its batch
        return cross_entropy(model, batch)

    with unchanged(model), torch.no_grad():
        found = split(model, loss, batch)
        assert chained(found) == chained(found) == found.loss_at(found.parameters)
    assert all(torch.equal(before, after) for before, after in zip(kept, batch, strict=True))


def test_a_forward_of_the_instances_own_is_put_back():
    model = mlp(4, 3)
    own = model.forward
    model.forward = lambda x: 2 * own(x)
    with unchanged(model):
        found = split(model, lambda model, x: model(x).square().sum(), torch.ones(5, 4))
        found.loss_of(torch.ones(15, dtype=torch.float64))
