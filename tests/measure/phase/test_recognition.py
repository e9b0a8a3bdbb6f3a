"""Which layers are seen as a stack, and what is said of the others."""

from __future__ import annotations

import contextlib
from math import sqrt

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from gradclinic.measure.phase import phases
from tests.measure.phase.networks import Residual, WrittenOut, found, only, plain


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class Calls(nn.Module):
    """Layers with a function between them."""

    def __init__(self, function, depth=4, width=32):
        super().__init__()
        self.function = function
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.function(layer(x))
        return self.layers[-1](x)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (torch.relu, "relu"),
        (F.relu, "relu"),
        (torch.Tensor.relu, "relu"),
        (lambda x: F.relu(x, inplace=True), "relu"),
        (lambda x: x.clamp(min=0), "relu"),
        (lambda x: torch.maximum(x, torch.zeros(())), "relu"),
        (lambda x: x * (x > 0), "relu"),
        (torch.tanh, "tanh"),
        (lambda x: x.tanh(), "tanh"),
        (lambda x: 2 * torch.sigmoid(2 * x) - 1, "tanh"),
        (lambda x: x * torch.sigmoid(x), "silu"),
        (lambda x: 0.5 * x * (1 + torch.erf(x / sqrt(2))), "gelu"),
        (lambda x: F.gelu(x, approximate="tanh"), "gelu_tanh"),
        (F.logsigmoid, "logsigmoid"),
        (torch.special.expit, "sigmoid"),
        (lambda x: F.leaky_relu(x, 0.3), "leaky_relu"),
        (lambda x: F.elu(x, 0.5), "elu"),
        (F.selu, "selu"),
        (F.relu6, "relu6"),
        (lambda x: x / (1 + x.abs()), "softsign"),
        (torch.square, "square"),
        (lambda x: x**2, "square"),
        (torch.sin, "sin"),
        (lambda x: x, "identity"),
        (nn.PReLU(), "leaky_relu"),
        (nn.Softplus(), "softplus"),
        (nn.Mish(), "mish"),
        (nn.Hardswish(), "hardswish"),
    ],
)
def test_activations_by_name_and_by_what_they_do(function, name):
    stack = only(Calls(function), torch.randn(16, 32))
    assert stack.activation == name
    assert stack.depth == 4
    assert stack.theory is not None
    assert [layer.where for layer in stack.layers] == [f"layers.{i}" for i in range(4)]


def test_settings_of_an_activation_count():
    model = Calls(lambda x: F.leaky_relu(x, 0.9))
    steep = only(model, torch.randn(16, 32)).theory
    model.function = lambda x: F.leaky_relu(x, 0.1)
    flat = only(model, torch.randn(16, 32)).theory
    assert steep is not None
    assert flat is not None
    assert steep.chi / flat.chi == pytest.approx((1 + 0.81) / (1 + 0.01), rel=1e-6)


def test_an_activation_unknown_to_the_theory_is_named():
    report = found(Calls(lambda x: x.sort(-1).values), torch.randn(16, 32))
    assert not report.stacks
    assert any("sort" in one.reason for one in report.unrecognized)


def test_an_activation_that_is_not_elementwise_is_not_taken_for_one():
    report = found(Calls(lambda x: x.softmax(-1)), torch.randn(16, 32))
    assert not report.stacks
    assert {one.where for one in report.unrecognized} == {f"layers.{i}" for i in range(4)}
    assert "softmax" in report.unrecognized[-1].reason


def test_a_change_of_activation_begins_a_new_stack():
    model = nn.Sequential(*plain(4, 16, nn.ReLU), nn.Tanh(), *plain(3, 16, nn.Tanh))
    first, second = found(model, torch.randn(4, 16)).stacks
    assert (first.activation, first.depth, second.activation, second.depth) == ("relu", 4, "tanh", 4)
    assert first.layers[-1].where == second.layers[0].where == "6"


def test_convolutions_with_zeros_around_images():
    """The mean square of a deep one falls by the border: 3 x 3 on 8 x 8, the profile followed."""
    layers = [nn.Conv2d(64, 64, 3, padding=1, bias=False) for _ in range(8)]
    for layer in layers:
        nn.init.normal_(layer.weight, 0, sqrt(2 / (64 * 9)))
    model = nn.Sequential(*(m for layer in layers for m in (layer, nn.ReLU(inplace=True))))
    stack = only(model, torch.randn(16, 64, 8, 8))
    assert stack.layers[0].sigma_w == pytest.approx(sqrt(2) * 22 / 24, rel=0.02)
    assert stack.layers[-1].sigma_w == pytest.approx(sqrt(2) * 0.9598, rel=0.02)
    assert "zeros around" in stack.notes[0]


def test_fan_in_of_groups_and_of_one_and_three_dimensions():
    for conv, shape in (
        (lambda: nn.Conv1d(32, 32, 5, groups=4), (4, 32, 40)),
        (lambda: nn.Conv3d(8, 8, 3), (2, 8, 9, 9, 9)),
        (lambda: nn.Conv2d(32, 32, (1, 3), stride=(1, 2), padding="valid", dilation=2), (4, 32, 5, 40)),
    ):
        stack = only(nn.Sequential(conv(), nn.Tanh(), conv()), torch.randn(*shape))
        assert all(layer.sigma_w == pytest.approx(sqrt(1 / 3), rel=0.05) for layer in stack.layers)


def test_dropout_is_counted_as_larger_weights_in_training_only():
    model = nn.Sequential(*(m for _ in range(4) for m in (nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.5))))
    trained, still = only(model, torch.randn(32, 256)), only(model.eval(), torch.randn(32, 256))
    assert trained.layers[1].sigma_w / still.layers[1].sigma_w == pytest.approx(sqrt(2))
    assert trained.layers[2].q == pytest.approx(trained.layers[2].q_theory, rel=0.2)


def test_a_factor_on_the_way_is_counted():
    model = Calls(lambda x: 2 * F.relu(x / 4))
    plainly = only(Calls(F.relu), torch.randn(16, 32)).theory
    scaled = only(model, torch.randn(16, 32)).theory
    assert plainly is not None
    assert scaled is not None
    assert scaled.chi / plainly.chi == pytest.approx(1 / 4, rel=0.1)


def test_pooling_and_flattening_stay_in_the_stack_and_a_head_behind_global_pooling_does_not():
    body = [nn.Conv2d(3, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 256, 3), nn.ReLU()]
    stack = only(nn.Sequential(*body, nn.Flatten(), nn.Linear(256 * 25, 10)), torch.randn(8, 3, 16, 16))
    assert [layer.where for layer in stack.layers] == ["0", "3", "6"]
    assert stack.layers[0].growth_theory is None  # pooling passes a part of the gradient only
    assert stack.layers[1].q == pytest.approx(stack.layers[1].q_theory, rel=0.3)
    model = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))
    report = found(model, torch.randn(8, 3, 16, 16))
    assert report.stacks[0].depth == 2
    assert ("7", True) in [(one.where, "pooled over all places" in one.reason) for one in report.unrecognized]


def test_tied_heads_and_bare_parameters_are_named_for_where_they_are_used():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.inner, self.head = nn.Embedding(20, 8), nn.Linear(8, 8), nn.Linear(8, 20)
            self.head.weight = self.words.weight

        def forward(self, x):
            return self.head(torch.tanh(self.inner(self.words(x))))

    report = found(Tied(), torch.randint(20, (4, 3)))
    assert [layer.where for layer in report.stacks[0].layers] == ["inner", "head"]
    assert [one.where for one in report.unrecognized] == ["words"]


def test_shortcuts_are_named_and_measured():
    model = nn.Sequential(nn.Linear(16, 16), *(Residual() for _ in range(3)), nn.Linear(16, 4))
    report = found(model, torch.randn(8, 16), backward=True)
    assert [stack.theory for stack in report.stacks] == [None] * 3
    assert all("inside a shortcut" in stack.words for stack in report.stacks)
    assert [stack.layers[0].where for stack in report.stacks] == ["1.first", "2.first", "3.first"]
    assert [one.where for one in report.shortcuts] == ["1", "2", "3"]
    assert {one.where for one in report.unrecognized} == {"0", "4"}
    assert "shortcut's sum" in report.unrecognized[1].reason


def test_a_shortcuts_branch_is_measured_against_its_stream():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(64, 64, bias=False)

        def forward(self, x):
            return self.layer(x) + x

    model = Half()
    nn.init.orthogonal_(model.layer.weight, 0.5)
    x = torch.randn(256, 64)
    (shortcut,) = found(model, x).shortcuts
    assert shortcut.branch == pytest.approx(0.25, rel=1e-4)
    assert shortcut.q_stream == pytest.approx(float(model(x).detach().square().mean()), rel=1e-5)


def test_a_transformer_is_taken_apart_in_training_and_in_evaluation():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    for model in (layer, layer.eval()):
        model.requires_grad_(model.training)  # torch's fused layer is for what needs no gradient
        report = found(model, torch.randn(4, 6, 16))
        (stack,) = report.stacks
        assert stack.where == "linear1 to linear2"
        assert len(report.shortcuts) == 2
        assert [(one.where, one.reason) for one in report.unrecognized] == [
            ("self_attn", "attention: not described by this theory")
        ]


def test_a_padded_batch_of_a_fused_transformer():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2).eval()
    padding = torch.zeros(4, 6, dtype=torch.bool)
    padding[0, 4:] = True
    x = torch.randn(4, 6, 16)
    stacks = phases(model.requires_grad_(False), lambda: model(x, src_key_padding_mask=padding)).stacks
    assert [stack.where for stack in stacks] == [f"layers.{i}.linear1 to layers.{i}.linear2" for i in range(2)]


def test_a_module_that_fails_and_is_caught_is_over():
    class Fallback(Residual):
        def __init__(self):
            super().__init__()
            self.bad = nn.Linear(3, 3)

        def forward(self, x):
            with contextlib.suppress(RuntimeError):
                self.bad(x)
            return super().forward(x)

    assert [one.where for one in found(Fallback(), torch.randn(8, 16)).shortcuts] == [""]


def test_weights_made_of_other_parameters():
    model = plain(3, 16, nn.ReLU)
    parametrizations.weight_norm(model[0])
    parametrizations.spectral_norm(model[2])
    stack = only(model, torch.randn(4, 16), backward=True)
    assert [layer.where for layer in stack.layers] == ["0", "2", "4"]
    assert stack.layers[0].sigma_w == pytest.approx(
        float((16 * model[0].weight.detach().square().mean()).sqrt()), rel=1e-5
    )


def test_parameters_without_modules_and_products_by_hand():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(64, 64) / 8), nn.Parameter(torch.randn(64, 32) / 8)
            self.c = nn.Parameter(torch.full((64,), 0.5))

        def forward(self, x):
            return torch.tanh(x @ self.a + self.c) @ self.b

    stack = only(Bare(), torch.randn(32, 64))
    assert [layer.where for layer in stack.layers] == ["a", "b"]
    assert stack.layers[0].sigma_w == pytest.approx(1, rel=0.05)
    assert stack.layers[0].sigma_b == pytest.approx(0.5)
    assert stack.layers[0].q == pytest.approx(stack.layers[0].q_theory, rel=0.1)


def test_tied_layers_and_recurrences_written_out():
    layer = nn.Linear(32, 32)
    tied = only(nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), layer), torch.randn(4, 32))
    assert (tied.kind, tied.depth) == ("recurrence", 3)
    report = found(WrittenOut(8, 64), torch.randn(16, 10, 8), backward=True)
    (stack,) = report.stacks
    assert (stack.kind, stack.depth, stack.activation) == ("recurrence", 9, "tanh")
    # σ_w² = 1/3 of 8 inputs of mean square 1, over 64 in place of 8, and both biases.
    assert stack.layers[0].sigma_b == pytest.approx(sqrt(1 / 3 * (1 + 1 / 64) + 1 / 24), rel=0.2)
    assert report.unrecognized[0].reason.startswith("feeds a recurrence")


def test_two_heads_share_their_trunk():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = plain(4, 16, nn.ReLU)
            self.left, self.right = nn.Linear(16, 2), nn.Linear(16, 3)

        def forward(self, x):
            x = F.relu(self.trunk(x))
            return torch.cat([self.left(x), self.right(x)], 1)

    stacks = found(Heads(), torch.randn(4, 16)).stacks
    assert [stack.depth for stack in stacks] == [5, 2]
    assert [stack.layers[-1].where for stack in stacks] == ["left", "right"]


def test_a_stack_goes_on_along_the_longer_way():
    class Auxiliary(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.short, self.rest = plain(3, 16, nn.ReLU), nn.Linear(16, 2), plain(4, 16, nn.ReLU)

        def forward(self, x):
            x = F.relu(self.body(x))
            return torch.cat([self.short(x), self.rest(x)], 1)

    stacks = found(Auxiliary(), torch.randn(4, 16)).stacks
    assert sorted(stack.depth for stack in stacks) == [2, 7]
    assert {stack.layers[-1].where for stack in stacks} == {"short", "rest.6"}


def test_checkpointed_and_compiled_parts_are_seen():
    class Checkpointed(nn.Module):
        def __init__(self, reentrant):
            super().__init__()
            self.reentrant, self.body = reentrant, plain(4, 16, nn.ReLU)

        def forward(self, x):
            return checkpoint(self.body, x, use_reentrant=self.reentrant)

    for reentrant in (False, True):
        stack = only(Checkpointed(reentrant), torch.randn(4, 16, requires_grad=True), backward=True)
        assert stack.depth == 4
        assert stack.layers[0].growth == pytest.approx(stack.layers[0].growth_theory, rel=0.5)
    compiled = torch.compile(plain(3, 16, nn.ReLU), backend="eager")
    assert only(compiled, torch.randn(4, 16)).depth == 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    stack = only(plain(4, 64, nn.Tanh).to(dtype), torch.randn(8, 64, dtype=dtype), backward=True)
    assert stack.theory is not None
    assert stack.layers[0].sigma_w == pytest.approx(sqrt(1 / 3), rel=0.05)


def test_what_has_no_layers_and_what_has_one():
    assert found(nn.ReLU(), torch.randn(4, 4)).to_dict() == {"stacks": [], "shortcuts": [], "unrecognized": []}
    (lone,) = found(nn.Linear(4, 4), torch.randn(4, 4)).unrecognized
    assert lone.where == "the model itself"
    model = nn.Sequential(nn.Linear(4, 4), nn.Bilinear(2, 2, 2))
    model[1].forward = lambda x: x
    reasons = {one.where: one.reason for one in found(model, torch.randn(4, 4)).unrecognized}
    assert "Bilinear" in reasons["1"]
    model = WrittenOut(4, 4)
    model.spare = nn.Linear(4, 4)
    assert found(model, torch.randn(4, 2, 4)).unrecognized[-1].reason == "was not called in this pass"
