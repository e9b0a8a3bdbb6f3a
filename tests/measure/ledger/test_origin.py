"""Programs that lose a number, each with the one operation that lost it."""

# ruff: noqa: PLW0108  (a program that is only called later is no needless lambda)
from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradclinic.measure.ledger import Scopes, backward_origin, first_non_finite, open_ledger
from gradclinic.schema.ledger import Entry

INF = math.inf


def hidden():
    """A layer's output of moderate numbers, (4, 3)."""
    torch.manual_seed(0)
    return nn.Linear(3, 3)(torch.randn(4, 3))


def masked(rows):
    mask = torch.zeros(4, 3, dtype=torch.bool)
    mask[0, 0] = True
    for row in rows:
        mask[row] = True
    return mask


def standardised(h):
    return (h - h.mean(1, keepdim=True)) / h.std(1, keepdim=True)


def overflowing_half():
    layer = nn.Linear(3, 3).half()
    nn.init.constant_(layer.weight, 3e4)
    return layer(torch.full((4, 3), 10.0).half()).float().mean()


FORWARD = {
    "log 0": (lambda: (hidden() * 0).log().mean(), "Log"),
    "log 0 after relu": (lambda: (hidden() - 50).relu().log().sum(), "Log"),
    "log of a softmax": (lambda: -(hidden() * 1000).softmax(1).log().mean(), "Log"),
    "0/0": (lambda: (hidden() * 0 / (hidden() * 0)).mean(), "Div"),
    "0 * inf": (lambda: (hidden() * 0 * (hidden() * 1e4).exp()).mean(), "Exp"),
    "masked softmax": (lambda: hidden().masked_fill(masked([1]), -INF).softmax(1).sum(), "Softmax"),
    "masked log softmax": (
        lambda: F.cross_entropy(hidden().masked_fill(masked([1]), -INF), torch.ones(4, dtype=torch.long)),
        "LogSoftmax",
    ),
    "additive mask": (
        lambda: (hidden() + torch.zeros(4, 3).masked_fill(masked([1]), -INF)).softmax(1).sum(),
        "Softmax",
    ),
    "exp": (lambda: (hidden() * 1000).exp().mean(), "Exp"),
    "cast to half": (lambda: (hidden() * 1e6).half().float().mean(), "ToCopy"),
    "product in half": (overflowing_half, "Addmm"),
    "zero std": (lambda: standardised(hidden() * 0).sum(), "Div"),
    "zero norm": (lambda: (hidden() * 0 / (hidden() * 0).norm(dim=1, keepdim=True)).sum(), "Div"),
    "root of a negative": (lambda: (-hidden().abs()).sqrt().sum(), "Sqrt"),
    "negative power of 0": (lambda: ((hidden() * 0) ** -1.0).sum(), "Pow"),
    "behind unknown constants": (lambda: ((hidden() * 0).exp().sub(1) / 0.0).mean(), "Div"),
    "rsqrt 0": (lambda: (hidden() * 0).rsqrt().sum(), "Rsqrt"),
}


@pytest.mark.parametrize("case", FORWARD)
def test_forward_origin(case):
    program, op = FORWARD[case]
    found = first_non_finite([program()])
    assert (found["direction"], found["op"]) == ("forward", op)
    assert found["inputs"]
    if case not in ("masked softmax", "masked log softmax"):
        assert all(operand["non_finite"] == 0 for operand in found["inputs"])


def test_a_mask_that_does_no_harm_is_not_blamed():
    """The scores hold -inf on purpose; the fault is a log further on."""
    scores = hidden().masked_fill(masked([]), -INF).softmax(1)
    found = first_non_finite([(scores * 0).log().sum()])
    assert found["op"] == "Log"


def test_through_an_operation_whose_value_is_unknown():
    """The subtraction's constant is kept nowhere, so what it gave is not known; the log below it is to blame."""
    found = first_non_finite([(hidden() * 0).log().sub(1.5).mean()])
    assert (found["op"], found["how"]) == ("Log", "graph")


def test_a_finite_loss_has_no_origin():
    assert first_non_finite([hidden().masked_fill(masked([]), -INF).softmax(1).sum()]) is None


def test_ranges_of_the_inputs():
    x = torch.tensor([-2.0, 0.0, 100.0], requires_grad=True)
    (operand,) = first_non_finite([(x * torch.ones(3)).exp().sum()])["inputs"]
    assert operand["low"] == -2.0
    assert operand["high"] == 100.0
    assert operand["rms"] == pytest.approx(math.sqrt((4 + 1e4) / 3))


def test_the_module_is_named():
    class Head(nn.Module):
        def forward(self, x):
            return (x * 0).log()

    model = nn.Sequential(nn.Linear(3, 3), Head(), nn.Linear(3, 1))
    scopes = Scopes({module: name for name, module in model.named_modules()}.get)
    scopes.attach()
    loss = model(torch.randn(2, 3)).sum()
    scopes.detach()
    found = first_non_finite([loss], scopes=scopes)
    assert (found["module"], found["op"]) == ("1", "Log")


def test_without_recorded_scopes_the_nearest_parameters_name_the_place():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    loss = model[2]((model[1](model[0](torch.randn(2, 3))) * 0).log()).sum()
    found = first_non_finite([loss], names=lambda tensor: names.get(id(tensor)))
    assert (found["module"], found["op"]) == ("after 0", "Log")


def test_an_earlier_account_says_in_which_module_an_operation_ran():
    def account(*ops: tuple[str, str]) -> list[Entry]:
        return [Entry(10 + k, op, "other", module, ()) for k, (op, module) in enumerate(ops)]

    def found(*ops: tuple[str, str]) -> dict:
        return first_non_finite([loss], earlier=account(*ops))

    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    loss = model[1]((model[0](torch.randn(2, 3)) * 0).log()).sum()
    same = [("Addmm", "0"), ("Mul", "pool"), ("Log", "pool"), ("Addmm", "1"), ("Sum", "")]
    assert found(*same)["module"] == "pool"
    # Another structure says nothing of this one.
    assert found(*same, ("Log", "head"))["module"] == ""


def test_a_parameter_that_was_already_bad():
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    with torch.no_grad():
        model[2].weight[0, 1] = math.nan
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    loss = model(torch.randn(5, 3)).sum()
    found = first_non_finite([loss], names=lambda tensor: names.get(id(tensor)))
    assert (found["direction"], found["op"]) == ("parameter", "Addmm")
    assert found["inputs"][0]["name"] == "2.weight"
    assert found["inputs"][0]["non_finite"] == 1


@pytest.mark.parametrize("value", [math.nan, INF])
def test_an_input_that_was_already_bad(value):
    x = torch.randn(5, 3)
    x[2, 1] = value
    found = first_non_finite([nn.Linear(3, 2)(x).square().sum()])
    assert (found["direction"], found["inputs"][0]["non_finite"]) == ("input", 1)


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.l1_loss, lambda p, y: ((p - y) ** 2).mean(), lambda p, y: (y - p).abs().mean()]
)
def test_a_target_that_was_already_bad(loss):
    y = torch.randn(4, 3)
    y[1, 1] = math.nan
    found = first_non_finite([loss(hidden(), y)])
    assert found["direction"] == "input"
    assert found["inputs"][0]["non_finite"] == 1
    assert found["inputs"][0]["low"] == pytest.approx(float(y[~y.isnan()].min()), rel=1e-4)


ZERO = torch.zeros(3)
BACKWARD = {
    "root of 0": (lambda: (hidden() * 0).abs().sqrt().sum(), "Sqrt"),
    "power of 0": (lambda: (hidden() * 0).abs().pow(0.5).sum(), "Pow"),
    "arc cosine at 1": (lambda: (hidden() * 0 + 1).acos().sum(), "Acos"),
    "a penalty on a parameter": (
        lambda: hidden().sum() + torch.zeros(3, requires_grad=True).square().sum().sqrt(),
        "Sqrt",
    ),
}


@pytest.mark.parametrize("case", BACKWARD)
def test_backward_origin(case):
    program, op = BACKWARD[case]
    loss = program()
    assert first_non_finite([loss]) is None
    ledger = open_ledger([loss])
    loss.backward()
    seen = ledger.close()
    for found in (ledger.origin, backward_origin(seen)):
        assert (found["direction"], found["op"]) == ("backward", op)
    assert ledger.origin["inputs"][0]["non_finite"] == 0


@pytest.mark.parametrize(
    ("op", "hide"),
    [
        ("Log", lambda h: torch.where(h > 100, (h * 0).log(), h)),
        ("Pow", lambda h: torch.where(h > 100, (-h.abs()) ** (1 / 2.4), h)),
        ("Sqrt", lambda h: torch.where(h > 100, (-1 - h.abs()).sqrt(), h)),
    ],
)
def test_a_value_that_where_hides_was_made_on_the_way_forward(op, hide):
    loss = hide(hidden()).sum()
    assert first_non_finite([loss]) is None
    ledger = open_ledger([loss])
    loss.backward()
    ledger.close()
    assert (ledger.origin["direction"], ledger.origin["op"]) == ("forward", op)


def test_backward_origin_by_a_parameters_gradient():
    """The gradient for the input is right and the one for the weight overflows: only the parameter shows it."""
    layer = nn.Linear(3, 2, bias=False)
    nn.init.constant_(layer.weight, 1e-30)
    loss = (layer(torch.full((4, 3), 1e30)) * 1e10).sum()
    ledger = open_ledger([loss], names=lambda tensor: "weight" if tensor is layer.weight else None)
    loss.backward()
    assert layer.weight.grad.isinf().all()
    seen = ledger.close()
    assert backward_origin(seen) is None
    assert backward_origin(seen, ["weight"])["op"] == "Mm"


def test_a_good_backward_pass_has_no_origin():
    loss = hidden().square().sum()
    ledger = open_ledger([loss])
    loss.backward()
    assert backward_origin(ledger.close()) is None
    assert ledger.origin is None
