"""A parameter that acts on the loss and gets no gradient is found, with the call that cuts it off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Cut, Tape, find_cuts

X = torch.randn(6, 4)


class Parts(nn.Module):
    """A first part, the way on, and a last part beside a skip that always learns."""

    def __init__(self, way: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.skip, self.last = nn.Linear(4, 5), nn.Linear(4, 5), nn.Linear(5, 1)
        self.table = nn.Embedding(6, 5)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        on = self.way(self.first(x))
        on = on if on.is_floating_point() else self.table(on)
        out: Tensor = self.last(self.skip(x) + on)
        return out.pow(2).mean()


def cuts_of(model: nn.Module) -> tuple[list[Cut], dict[int, str], Tensor]:
    tape = Tape(lambda: "here")
    tape.begin([X])
    loss = model(X)
    tape.close([loss])
    assert tape.leave()
    assert tape.trouble is None
    return find_cuts(tape.recording), {id(p): name for name, p in model.named_parameters()}, loss


def without_gradients(h: Tensor) -> Tensor:
    with torch.no_grad():
        return h * 2


@pytest.mark.parametrize(
    ("op", "enabled", "way"),
    [
        ("detach", True, lambda h: h.detach().relu()),
        ("data", True, lambda h: h.data),
        ("argmax", True, lambda h: h.argmax(1)),
        ("__gt__", True, lambda h: (h > 0).float()),
        ("long", True, lambda h: h.sum(1).abs().long().clamp(0, 5)),
        ("mul", False, without_gradients),
    ],
)
def test_the_call_is_named(op: str, enabled: bool, way: Callable[[Tensor], Tensor]) -> None:
    model = Parts(way)
    (cut,), names, loss = cuts_of(model)
    loss.backward()
    assert {names[id(p)] for p in cut.parameters} == {"first.weight", "first.bias"}
    assert model.first.weight.grad is None
    assert cut.op.strip("_") == op.strip("_")
    assert (cut.enabled, cut.module) == (enabled, "here")


@pytest.mark.parametrize(
    "way",
    [
        torch.relu,
        lambda h: h + (h.round() - h).detach(),  # a straight-through estimator
        lambda h: h * h.detach(),  # a gradient comes back by the other way
        lambda h: F.dropout(h, 0.5) * (h.argmax(1, keepdim=True) > 2),
        lambda h: h.detach().mean() * 0 + h,
    ],
)
def test_where_a_gradient_comes_back_there_is_no_cut(way: Callable[[Tensor], Tensor]) -> None:
    model = Parts(way)
    cuts, _, loss = cuts_of(model)
    loss.backward()
    assert model.first.weight.grad is not None
    assert cuts == []


def test_what_does_not_act_on_the_loss_is_not_cut() -> None:
    def watched(h: Tensor) -> Tensor:
        seen.append(h.detach().abs().mean().item())
        return torch.zeros(6, 5)

    seen: list[float] = []
    model = Parts(watched)
    assert cuts_of(model)[0] == []
    assert seen


def test_two_cuts_are_two() -> None:
    class Two(Parts):
        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.last(self.skip(x).detach() + self.first(x).argmax(1, keepdim=True))
            return out.sum()

    cuts, names, _ = cuts_of(Two(torch.relu))
    assert [(cut.op, {names[id(p)].split(".")[0] for p in cut.parameters}) for cut in cuts] == [
        ("detach", {"skip"}),
        ("argmax", {"first"}),
    ]
