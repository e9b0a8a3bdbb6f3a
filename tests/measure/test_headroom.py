"""The extremes of a pass in half precision: against values that are known, and with nothing changed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradclinic.measure.headroom import Room, headroom


class Chain(nn.Module):
    """x → 16x in `big` → 2⁻²⁰ of it in `small`."""

    def __init__(self) -> None:
        super().__init__()
        self.big, self.small = Scale(16.0), Scale(2.0**-20)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.small(self.big(x))
        return out


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor, self.weight = factor, nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * self.factor


def total(model: nn.Module, batch: Tensor) -> Tensor:
    return model(batch).float().sum()


def by_module(rooms: tuple[Room, ...]) -> dict[str, Room]:
    return {room.module: room for room in rooms}


def test_values_and_gradients_of_each_module() -> None:
    batch = torch.linspace(-1000, 1000, 64).half()
    rooms = by_module(headroom(Chain().half(), total, batch))
    assert rooms["big"].largest == 16_000
    assert rooms["small"].largest == 16_000  # before it is scaled down
    assert rooms["small"].gradient_largest == 1  # ∂(sum)/∂(output)
    assert rooms["small"].gradient_typical == pytest.approx(2.0**-20)  # of weight * x
    assert rooms["big"].gradient_typical == pytest.approx(2.0**-20)  # 16 times that before the factor, smallest counts
    assert {room.dtype for room in rooms.values()} == {"float16"}


def test_a_model_in_float32_has_nothing_to_tell_and_is_not_differentiated() -> None:
    passes = []
    model = Chain()
    model.big.register_full_backward_hook(lambda *_: passes.append(1))
    assert headroom(model, total, torch.ones(8)) == ()
    assert passes == []


def test_what_a_mask_sets_to_the_end_of_the_format_is_left_out() -> None:
    def masked(model: nn.Module, batch: Tensor) -> Tensor:
        scores = model(batch).masked_fill(batch > 2, torch.finfo(torch.float16).min)
        return scores.float().softmax(0)[0]

    rooms = by_module(headroom(Scale(2.0).half(), masked, torch.arange(8.0).half()))
    assert rooms[""].largest == 14


def test_under_autocast_only_what_runs_in_half_is_seen() -> None:
    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return nn.functional.mse_loss(model(batch).float(), torch.zeros(4, 3))

    rooms = by_module(headroom(nn.Sequential(nn.Linear(5, 3), nn.Softmax(1)), loss, torch.randn(4, 5)))
    assert {(name, room.dtype) for name, room in rooms.items()} == {("0", "bfloat16"), ("1", "bfloat16")}


def test_nothing_is_changed() -> None:
    model, batch = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).half(), torch.randn(4, 5).half()
    before: list[Any] = [t.clone() for t in (*model.parameters(), *model.buffers(), batch, torch.get_rng_state())]
    headroom(model, lambda m, b: m(b.mul_(2)).float().sum(), batch)
    after = [*model.parameters(), *model.buffers(), batch, torch.get_rng_state()]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
