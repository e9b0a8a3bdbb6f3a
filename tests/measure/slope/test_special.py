"""Models of every awkward kind: they work, or what stands in the way is named; nothing of the user's changes."""

from __future__ import annotations

import copy
import os
import random
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gradclinic.measure.slope import check_slope
from gradclinic.schema.slope import SlopeCheck

from . import functions
from .networks import Applied, around, cross_entropy, data, drawn, normal, state


def right(result: SlopeCheck, precision: str = "float64") -> bool:
    assert result.precision == precision, result.narrow
    return result.state == "right"


@pytest.mark.parametrize("seed", range(6))
def test_nothing_of_the_users_changes(seed: int) -> None:
    model, loss, batch = drawn(seed)
    loss(model, batch).backward()
    next(model.children()).eval()  # a mixture of flags
    before = state(model, batch)
    check_slope(model, loss, batch)
    assert state(model, batch) == before


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("function", [functions.MissingTerm, functions.Spike])
def test_nothing_of_the_users_changes_when_it_searches(
    function: type[torch.autograd.Function], own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own:
        monkeypatch.setattr("gradclinic.measure.slope.start.room", lambda model: -1)
    model, batch = around(nn.Sequential(nn.BatchNorm1d(16), nn.Dropout(), Applied(function))), data()
    before = state(model, batch)
    check_slope(model, cross_entropy, batch)
    assert state(model, batch) == before


def test_what_raises_changes_nothing_either() -> None:
    calls = []

    def loss(model: nn.Module, batch: Any) -> Tensor:
        calls.append(torch.rand(1))
        if len(calls) > 4:
            raise ValueError("enough")
        return cross_entropy(model, batch)

    model, batch = around(nn.BatchNorm1d(16)), data()
    before = state(model, batch)
    result = check_slope(model, loss, batch)
    assert "enough" in str(result.abstained)
    assert state(model, batch) == before


def test_a_leaf_outside_the_model_keeps_its_gradient() -> None:
    scale = torch.tensor(2.0, requires_grad=True)
    scale.grad = torch.tensor(5.0)
    assert right(check_slope(around(nn.Tanh()), lambda m, b: scale * cross_entropy(m, b), data()))
    assert float(scale.grad) == 5.0


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool, middle: nn.Module) -> None:
        super().__init__()
        self.first, self.middle, self.last, self.reentrant = nn.Linear(8, 16), middle, nn.Linear(16, 3), reentrant

    def forward(self, x: Tensor) -> Tensor:
        return self.last(checkpoint(self.middle, self.first(x), use_reentrant=self.reentrant))


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    middle = nn.Sequential(nn.Dropout(), nn.Linear(16, 16), nn.BatchNorm1d(16), nn.ReLU())
    assert right(check_slope(Checkpointed(reentrant, middle), cross_entropy, data()))


def test_a_leaf_outside_keeps_its_gradient_where_a_checkpoint_wants_a_plain_backward() -> None:
    scale = torch.tensor(2.0, requires_grad=True)
    scale.grad = torch.tensor(5.0)
    model = Checkpointed(True, nn.Linear(16, 16))
    assert right(check_slope(model, lambda m, b: scale * cross_entropy(m, b), data()))
    assert float(scale.grad) == 5.0


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_wrong_backward_inside_a_checkpoint(reentrant: bool) -> None:
    middle = nn.Sequential(nn.Linear(16, 16), Applied(functions.MissingTerm))
    model = Checkpointed(reentrant, middle)
    before = state(model, data())
    result = check_slope(model, cross_entropy, data())
    assert [(item.kind, item.function) for item in result.disagreements] == [("wrong", "MissingTerm")]
    assert state(model, data()) == before


def test_a_reentrant_checkpoint_of_the_raw_input_trains_nothing() -> None:
    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(checkpoint(self.first, x, use_reentrant=True))

    result = check_slope(First(), cross_entropy, data())
    assert result.state == "detached"
    assert result.starved == ("first.weight", "first.bias")


def test_compiled() -> None:
    model = around(nn.Tanh())
    assert right(check_slope(torch.compile(model, backend="eager"), cross_entropy, data()))
    model[3].compile(backend="eager")
    assert right(check_slope(model, cross_entropy, data()))


def test_integers_in() -> None:
    class Words(nn.Module):
        def __init__(self, sparse: bool) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(10, 8, padding_idx=0, sparse=sparse), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.tanh(self.words(x).sum(1)))

    batch = torch.arange(48).reshape(16, 3) % 7 + 1, torch.arange(16) % 3
    for sparse in (False, True):
        model = Words(sparse)
        before = state(model, batch)
        assert right(check_slope(model, cross_entropy, batch))
        assert state(model, batch) == before


@dataclass
class Outputs:
    logits: Tensor
    hidden: tuple[Tensor, int]


def test_several_inputs_and_a_dataclass_out() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(8, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor, *, other: Tensor) -> Outputs:
            hidden = self.a(x)
            return Outputs(hidden + torch.tanh(self.b(other)), (hidden, 1))

    def loss(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        found = model(batch["x"], other=batch["more"][0])
        return F.cross_entropy(found.logits, batch["y"]) + found.hidden[0].square().mean()

    x, y = data()
    assert right(check_slope(Two(), loss, {"x": x, "y": y, "more": [normal(16, 4), "a name"]}))


def test_tied_weights_and_unused_parameters() -> None:
    model = around(nn.Linear(16, 16))
    model[3].weight = model[2].weight
    model.register_parameter("spare", nn.Parameter(torch.ones(3)))
    result = check_slope(model, cross_entropy, data())
    assert right(result)
    assert result.unused == ("spare",)
    assert result.starved == ()


def test_complex_parameters() -> None:
    class Waves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.complex(normal(8, 3), normal(8, 3, seed=1)))

        def forward(self, x: Tensor) -> Tensor:
            return (x.to(self.w.dtype) @ self.w).abs()

    assert right(check_slope(Waves(), cross_entropy, data()))


def test_a_wrong_backward_beside_complex_parameters() -> None:
    class Waves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.complex(normal(8, 3), normal(8, 3, seed=1)))
            self.act = Applied(functions.WrongSign)

        def forward(self, x: Tensor) -> Tensor:
            return self.act((x.to(self.w.dtype) @ self.w).abs())

    (item,) = check_slope(Waves(), cross_entropy, data()).disagreements
    assert (item.module, item.function) == ("act", "WrongSign")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models_run_in_double(dtype: torch.dtype) -> None:
    x, y = data()
    assert right(check_slope(around(nn.Tanh()).to(dtype), cross_entropy, (x.to(dtype), y)))


def test_autocast_inside() -> None:
    def loss(model: nn.Module, batch: Any) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return cross_entropy(model, batch)

    assert right(check_slope(around(nn.Tanh()), loss, data()))


class Single(nn.Module):
    """Asks for float32 in every usual way."""

    def __init__(self) -> None:
        super().__init__()
        self.body = around(nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        start = torch.zeros(len(x), 8) + torch.zeros(8, dtype=torch.float32)
        x = (x.float() + start).to(torch.float32).type(torch.float32)
        return F.log_softmax(self.body(x), -1, dtype=torch.float32)


def test_a_model_that_asks_for_float32_runs_in_float64() -> None:
    weights = torch.tensor([1.0, 2.0, 3.0])  # captured, and float32

    def loss(model: nn.Module, batch: Any) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], weight=weights)

    assert right(check_slope(Single(), loss, data()))


class Collects(nn.Module):
    """Writes into a tensor of the default dtype."""

    def forward(self, x: Tensor) -> Tensor:
        found = torch.zeros(x.shape)
        found[:, ::2] = x[:, ::2].sin()
        return found


def test_a_model_that_writes_into_new_tensors_runs_in_float64() -> None:
    assert right(check_slope(around(Collects()), cross_entropy, data()))
    assert torch.get_default_dtype() == torch.float32


def test_a_teacher_outside_the_model() -> None:
    teacher = around(nn.Tanh())

    def loss(model: nn.Module, batch: Any) -> Tensor:
        with torch.no_grad():
            aim = teacher(batch[0])
        return F.mse_loss(model(batch[0]), aim)

    assert right(check_slope(around(nn.ReLU()), loss, data()))
    assert all(parameter.dtype == torch.float32 for parameter in teacher.parameters())


class NotInDouble(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.float64:
            raise RuntimeError("this kernel has no float64")
        return torch.sin(x)


def test_own_precision_where_float64_is_refused() -> None:
    result = check_slope(around(NotInDouble()), cross_entropy, data())
    assert right(result, "float32")
    assert "no float64" in str(result.narrow)


def test_half_precision_without_float64_is_not_judged() -> None:
    x, y = data()
    result = check_slope(around(NotInDouble()).to(torch.bfloat16), cross_entropy, (x.to(torch.bfloat16), y))
    assert result.state == "abstained"
    assert "bfloat16" in str(result.abstained)


class ThroughNumpy(torch.autograd.Function):
    """Computes in float32 whatever it is given, out of torch's sight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.detach().numpy().astype(np.float32))).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g * x.cos()


def test_float32_out_of_sight_is_no_alarm() -> None:
    assert check_slope(around(Applied(ThroughNumpy)), cross_entropy, data()).state in ("right", "abstained")


def test_memory_decides_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    model = around(nn.Tanh())
    size = 16 * sum(parameter.numel() for parameter in model.parameters())
    for free, precision in ((4 * size - 400, "float32"), (4 * size + 400, "float32"), (4 * size + 2**20, "float64")):
        monkeypatch.setattr("gradclinic.measure.slope.memory.free", lambda device, free=free: free)
        assert right(check_slope(model, cross_entropy, data()), precision)


class Unsteady(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + int.from_bytes(os.urandom(4), "big") / 2**32


def test_what_differs_between_two_runs_is_named() -> None:
    result = check_slope(around(Unsteady()), cross_entropy, data())
    assert result.state == "abstained"
    assert "differ" in str(result.abstained)
    assert result.unsteady == "2"
    noise = check_slope(around(nn.Tanh()), lambda m, b: cross_entropy(m, b) + Unsteady()(torch.zeros(())), data())
    assert noise.unsteady == "loss"


@pytest.mark.parametrize("source", ["torch", "numpy", "python"])
def test_generators_that_a_module_keeps(source: str) -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.torch, self.numpy, self.python = torch.Generator(), np.random.default_rng(0), random.Random(0)

        def forward(self, x: Tensor) -> Tensor:
            if source == "torch":
                return x + torch.randn(x.shape, generator=self.torch)
            return x + (self.numpy.random() if source == "numpy" else self.python.random())

    model = around(Noisy())
    before = model[2].torch.get_state(), model[2].numpy.random(), model[2].python.getstate()
    assert right(check_slope(model, cross_entropy, data()))
    assert torch.equal(model[2].torch.get_state(), before[0])
    assert model[2].python.getstate() == before[2]


def test_state_in_attributes_and_buffers() -> None:
    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count, self.last = 0, torch.zeros(1)
            self.register_buffer("grown", torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            self.count += 1
            self.grown.mul_(1.5)
            self.last = x.mean() * 1.0
            return x * self.count * self.grown

    model = around(Remembers())
    cross_entropy(model, data())  # leaves a tensor with a graph behind, which deepcopy refuses
    assert right(check_slope(model, cross_entropy, data()))
    assert model[2].count == 1
    assert float(model[2].grown) == 1.5


def test_writes_to_its_batch() -> None:
    def loss(model: nn.Module, batch: Any) -> Tensor:
        batch[0].mul_(2)
        return cross_entropy(model, batch)

    batch = data()
    before = copy.deepcopy(batch)
    assert right(check_slope(around(nn.Tanh()), loss, batch))
    assert torch.equal(batch[0], before[0])


class Draws:
    """Uses the generators when it is copied."""

    def __deepcopy__(self, memo: Any) -> Draws:
        torch.rand(1), random.random()
        return self


def test_a_batch_that_draws_when_it_is_copied() -> None:
    model = around(nn.Tanh())
    before = torch.get_rng_state(), random.getstate()
    assert right(check_slope(model, cross_entropy, (*data(), Draws())))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_a_gradient_of_the_input_inside_the_loss() -> None:
    def loss(model: nn.Module, batch: Any) -> Tensor:
        x = batch[0].requires_grad_()
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        return slope.square().mean() + cross_entropy(model, batch)

    assert right(check_slope(around(nn.Tanh()), loss, data()))


@pytest.mark.parametrize(
    ("model", "loss", "said"),
    [
        (nn.Sequential(nn.Linear(8, 3)).requires_grad_(False), cross_entropy, "no parameter is trainable"),
        (nn.Linear(8, 3), lambda m, b: m(b[0]), "no scalar"),
        (nn.Linear(8, 3), lambda m, b: cross_entropy(m, b) / 0, "not finite"),
        (nn.Linear(8, 3), lambda m, b: torch.tensor(1.0), "does not depend"),
        (nn.Linear(8, 3), lambda m, b: m(b[1]), "raised"),
        (nn.LazyLinear(3), cross_entropy, "lazy"),
    ],
)
def test_what_cannot_be_judged_is_said(model: nn.Module, loss: Any, said: str) -> None:
    result = check_slope(model, loss, data())
    assert result.state == "abstained"
    assert said in str(result.abstained)


def test_a_closure_that_uses_another_model() -> None:
    model = around(nn.Tanh())
    result = check_slope(model, lambda m, b: cross_entropy(model, b), data())
    assert "does not depend on any trainable parameter of the model that it is given" in str(result.abstained)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_that_cannot_be_copied() -> None:
    model = around(nn.Tanh())
    model.lock = threading.Lock()
    assert "cannot be copied" in str(check_slope(model, cross_entropy, data()).abstained)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted() -> None:
    assert "TorchScript" in str(check_slope(torch.jit.script(around(nn.Tanh())), cross_entropy, data()).abstained)
