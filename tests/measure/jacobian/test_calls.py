"""The calls of a model's modules, kept without a trace."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.calls import block_names, first_calls


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(5))
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor, *, scale: Tensor, name: str = "") -> Tensor:
        for layer in self.layers:
            x = layer(x).relu()
        out: Tensor = self.norm(self.layers[0](x)) * scale
        return out


def test_the_first_call_of_each_module_in_order() -> None:
    model, x, scale = Twice(), torch.randn(6, 4), torch.randn(6, 1)
    before = [t.clone() for t in (*model.parameters(), *model.buffers())]
    calls = first_calls(model, lambda: model(x, scale=scale, name="a"), ["layers.0", "", "layers.2"])
    assert [call.name for call in calls] == ["", "layers.0", "layers.2"]
    assert torch.equal(calls[1].args[0], x)  # and not what the second call was given
    assert torch.equal(calls[0].kwargs["scale"], scale)
    assert calls[0].kwargs["name"] == "a"
    assert calls[1].module is model.layers[0]
    assert all(torch.equal(old, new) for old, new in zip(before, (*model.parameters(), *model.buffers()), strict=True))
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_call_is_cut_along_its_batch() -> None:
    model, x, weight = Twice(), torch.randn(6, 4), torch.randn(4, 4)
    (call,) = first_calls(model, lambda: model(x, scale=x[:, :1]), [""])
    assert [tuple(t.shape) for t in (*call.cut(2).args, *call.cut(2).kwargs.values())] == [(2, 4), (2, 1)]
    lone = type(call)("", model, (x, weight, 3), {})
    assert [getattr(arg, "shape", arg) for arg in lone.cut(2).args] == [(2, 4), (4, 4), 3]
    assert type(call)("", model, (), {}).cut(2).args == ()


def test_blocks_are_the_items_of_the_longest_container() -> None:
    assert block_names(Twice(), 12) == [f"layers.{place}" for place in range(5)]
    assert block_names(Twice(), 3) == ["layers.0", "layers.2", "layers.4"]
    assert block_names(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)), 12) == ["0", "1", "2"]
    assert block_names(nn.Linear(2, 2), 12) == []
