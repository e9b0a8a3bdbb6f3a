"""Wrong backwards of many kinds are found and named; deliberate ones are called that; what is cut off is a fact."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradclinic.measure.slope import check_slope

from . import functions
from .networks import LOSSES, Applied, Product, around, cross_entropy, data, normal

ELEMENTWISE = [functions.MissingTerm, functions.WrongSign, functions.WrongFactor, functions.NoGradient]
PRODUCTS = [functions.Transposed, functions.TransposedWeight, functions.MeanForSum, functions.LastSampleOnly]


def made(function: type[torch.autograd.Function], width: int = 16) -> nn.Module:
    return Product(function, width) if issubclass(function, functions.GoodMatmul) else Applied(function)


@pytest.mark.parametrize("function", [functions.GoodTanh, functions.GoodMatmul])
def test_right_backwards(function: type[torch.autograd.Function]) -> None:
    assert check_slope(around(made(function)), cross_entropy, data()).state == "right"


@pytest.mark.parametrize("function", ELEMENTWISE + PRODUCTS)
def test_wrong_backwards(function: type[torch.autograd.Function]) -> None:
    result = check_slope(around(made(function)), cross_entropy, data())
    (item,) = result.disagreements
    assert result.state == "wrong"
    assert (item.kind, item.part, item.module, item.function) == ("wrong", "model", "2", function.__name__)
    assert item.file.endswith("functions.py")
    assert item.line > 0
    assert result.hidden > 0.02


@pytest.mark.parametrize("seed", range(24))
def test_wrong_backwards_in_random_networks(seed: int) -> None:
    r = random.Random(seed)
    torch.manual_seed(seed)
    width, function = r.choice((4, 16, 64)), (ELEMENTWISE + PRODUCTS)[seed % 8]
    layers: list[nn.Module] = [nn.Linear(8, width)]
    depth = r.choice((1, 3, 6))
    place = r.randrange(depth)
    for layer in range(depth):
        layers += [r.choice((nn.Tanh, nn.LeakyReLU, nn.GELU))(), nn.Linear(width, width)]
        if layer == place:
            layers.insert(-1, made(function, width))
    model = nn.Sequential(*layers, nn.Tanh(), nn.Linear(width, 3))
    result = check_slope(model, r.choice(LOSSES[:3]), data(seed=seed))
    assert [(item.kind, item.function) for item in result.disagreements] == [("wrong", function.__name__)]
    assert isinstance(model[int(result.disagreements[0].module)], (Applied, Product))


@pytest.mark.parametrize("function", ELEMENTWISE + PRODUCTS)
def test_wrong_backwards_in_own_precision(
    function: type[torch.autograd.Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradclinic.measure.slope.start.room", lambda model: -1)
    result = check_slope(around(made(function)), cross_entropy, data())
    assert result.precision == "float32"
    assert [item.function for item in result.disagreements] == [function.__name__]
    assert result.state == "wrong"


def test_a_wrong_backward_that_does_not_matter_here() -> None:
    """Behind a layer of zeros: no share of the slope, at these weights."""
    model = around(Applied(functions.WrongSign))
    nn.init.zeros_(model[3].weight)
    nn.init.constant_(model[3].bias, -1.0)  # and a dead ReLU, which a small step does not wake
    result = check_slope(model, cross_entropy, data())
    assert result.hidden == 0.0
    assert [(item.module, item.function) for item in result.disagreements] == [("2", "WrongSign")]


def test_a_wrong_backward_with_a_small_share() -> None:
    """In front of four saturating layers: less than a thousandth of the slope."""
    deep = [layer for _ in range(4) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
    model = nn.Sequential(nn.Linear(8, 16), Applied(functions.WrongFactor), *deep, nn.Linear(16, 3))
    result = check_slope(model, cross_entropy, data())
    assert result.hidden < 1e-3
    assert [(item.module, item.function) for item in result.disagreements] == [("1", "WrongFactor")]


class Weight(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.w


def line() -> tuple[Tensor, Tensor]:
    x = normal(32)
    return x, 2 * x + 1


def test_the_missions_squared_error_by_weight() -> None:
    right = check_slope(Weight(), lambda m, b: functions.GoodSquaredError.apply(m.w, *b), line())
    wrong = check_slope(Weight(), lambda m, b: functions.MissionSquaredError.apply(m.w, *b), line())
    assert right.state == "right"
    assert wrong.state == "wrong"
    (item,) = wrong.disagreements
    assert (item.part, item.function, item.towards) == ("loss", "MissionSquaredError", ("w",))
    x, y = (part.double() for part in line())
    guess = 0.5 * x  # the check was made with a weight moved by 1%
    given, true = float(((y - guess) * (x - guess)).mean()), float(-2 * ((y - guess) * x).mean())
    assert item.error == pytest.approx(abs(given - true) / max(abs(given), abs(true)), rel=1e-2)


def test_the_missions_squared_error_by_output() -> None:
    result = check_slope(Weight(), lambda m, b: functions.MissionLoss.apply(m(b[0]), *b), line())
    (item,) = result.disagreements
    assert (item.kind, item.part, item.function) == ("wrong", "loss", "MissionLoss")


class MissionModule(nn.Module):
    def forward(self, guess: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return functions.MissionLoss.apply(guess, x, y)


class WithLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.criterion = Weight(), MissionModule()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.criterion(self.body(x), x, y)


def test_the_missions_squared_error_inside_the_model() -> None:
    (item,) = check_slope(WithLoss(), lambda m, b: m(*b), line()).disagreements
    assert (item.part, item.module, item.function) == ("model", "criterion", "MissionLoss")


DELIBERATE = [functions.StraightThrough, functions.Spike, functions.Reversal, functions.ClippedBackward]


@pytest.mark.parametrize("function", DELIBERATE)
def test_deliberate_backwards(function: type[torch.autograd.Function]) -> None:
    result = check_slope(around(Applied(function)), cross_entropy, data())
    assert result.state == "deliberate"
    assert [(item.module, item.function) for item in result.disagreements] == [("2", function.__name__)]


def test_a_wrong_backward_beside_a_deliberate_one() -> None:
    both = nn.Sequential(Applied(functions.Reversal), Applied(functions.MissingTerm))
    result = check_slope(around(both), cross_entropy, data())
    assert result.state == "wrong"
    assert {(item.kind, item.module) for item in result.disagreements} == {("deliberate", "2.0"), ("wrong", "2.1")}


class Quantised(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + (torch.round(4 * x) / 4 - x).detach()


def test_straight_through_by_detach() -> None:
    result = check_slope(around(Quantised()), cross_entropy, data())
    assert result.state == "deliberate"
    assert result.disagreements[0].module == "2"


class Hooked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x = x * 1.0
        if x.requires_grad:
            x.register_hook(lambda grad: 2 * grad)
        return torch.sin(x)


def test_a_gradient_hook_that_doubles() -> None:
    (item,) = check_slope(around(Hooked()), cross_entropy, data()).disagreements
    assert (item.kind, item.module, item.function) == ("wrong", "2", None)
    assert item.scale == pytest.approx(2.0)
    assert any("register_hook() at" in hint and "test_wrong.py" in hint for hint in item.hints)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x).detach())


def test_a_detached_output() -> None:
    result = check_slope(Encoder(), cross_entropy, data())
    assert result.state == "detached"
    assert result.starved == ("encoder.weight", "encoder.bias")
    assert result.unused == ()
    assert 0.3 < result.hidden < 1.5  # a ratio of two sums over eight directions
    (item,) = result.disagreements
    assert (item.kind, item.module, item.cut) == ("detached", "", ("encoder",))
    assert any("detach() at" in hint and "test_wrong.py" in hint for hint in item.hints)


class Held(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            size = x.norm()
        return x / size * x.data.shape[0]


def test_a_part_under_no_grad() -> None:
    (item,) = check_slope(around(Held()), cross_entropy, data()).disagreements
    assert (item.kind, item.module, item.towards) == ("detached", "2", ("input 0",))
    assert [hint.split(" at ")[0] for hint in item.hints] == ["no_grad", ".data"]


def test_a_detached_part_without_a_starved_parameter() -> None:
    """Two views with a stop-gradient: the encoder still learns by the other view."""

    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.predictor = nn.Linear(8, 16), nn.Linear(16, 16)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            z = self.encoder(x)
            return z, self.predictor(torch.tanh(z))

    def loss(model: nn.Module, batch: Any) -> Tensor:
        (z, p), (z2, p2) = model(batch[0]), model(batch[0] + 0.1 * torch.randn_like(batch[0]))
        return -(F.cosine_similarity(p, z2.detach()) + F.cosine_similarity(p2, z.detach())).mean() / 2

    result = check_slope(Siamese(), loss, data())
    assert result.state == "detached"
    assert result.starved == ()
    assert result.hidden > 0.1
    (item,) = result.disagreements
    assert item.part == "loss"
    assert any("detach() at" in hint for hint in item.hints)


def test_a_frozen_target_network_is_no_disagreement() -> None:
    class Targeted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.online, self.target = nn.Linear(8, 4), nn.Linear(8, 4)
            self.target.requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                aim = self.target(x)
            return F.mse_loss(self.online(x), aim)

    assert check_slope(Targeted(), lambda m, b: m(b[0]), data()).state == "right"


def test_a_loss_taken_out_of_the_graph() -> None:
    result = check_slope(around(nn.Tanh()), lambda m, b: cross_entropy(m, b).detach() + 0 * m[0].bias.sum(), data())
    assert result.state == "detached"
    assert result.hidden == pytest.approx(1.0, abs=1e-3)


def test_the_hidden_share_of_half_a_sum() -> None:
    """Two equal parameters, one of them detached: the hidden share is that of its own slope."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.ones(2000)), nn.Parameter(torch.ones(2000))

        def forward(self, x: Tensor) -> Tensor:
            return (self.a * x).sum() + (self.b.detach() * x).sum()

    result = check_slope(Half(), lambda m, b: m(b), normal(2000))
    assert result.starved == ("b",)
    assert 0.3 < result.hidden < 1.5  # 1/√2 on average, over eight directions


def test_as_json() -> None:
    result = check_slope(around(Applied(functions.WrongSign)), cross_entropy, data())
    read = json.loads(json.dumps(result.to_dict()))
    assert read["state"] == "wrong"
    assert read["disagreements"][0]["module"] == "2"
    assert read["along"][0]["error"] == result.along[0].error


class ByModule(torch.autograd.Function):
    """Takes a module as an argument, so it cannot be judged by itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, own: nn.Module) -> Tensor:
        ctx.save_for_backward(x)
        return own(x).detach()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return g * x.sin(), None


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sin()


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own = Sine()

    def forward(self, x: Tensor) -> Tensor:
        return ByModule.apply(x, self.own)


def test_a_function_that_cannot_be_judged_by_itself() -> None:
    (item,) = check_slope(around(Outer()), cross_entropy, data()).disagreements
    assert (item.kind, item.module, item.function) == ("wrong", "2", "ByModule")
