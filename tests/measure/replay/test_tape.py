"""A recorded step, run again on copies, gives the same loss and the same gradients to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Replay, Tape


def record(step: Callable[[], Tensor], *inputs: Tensor) -> tuple[Tape, Tensor]:
    tape = Tape(lambda: "")
    tape.begin(inputs)
    loss = step()
    tape.close([loss])
    assert tape.leave()
    return tape, loss


def mlp() -> tuple[nn.Module, Tensor, Callable[[Any], Tensor]]:
    y = torch.arange(6) % 3
    return (
        nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)),
        torch.randn(6, 4),
        lambda z: F.cross_entropy(z, y),
    )


def convolution() -> tuple[nn.Module, Tensor, Callable[[Any], Tensor]]:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 2))
    return net, torch.randn(5, 1, 8, 8), lambda z: z.pow(2).mean()


def recurrence() -> tuple[nn.Module, Tensor, Callable[[Any], Tensor]]:
    return nn.LSTM(3, 4, batch_first=True), torch.randn(2, 7, 3), lambda z: z[0][:, -1].sum()


def attention() -> tuple[nn.Module, Tensor, Callable[[Any], Tensor]]:
    return nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), torch.randn(2, 5, 8), lambda z: z.std()


class ByHand(nn.Module):
    """In-place writes into a buffer, a hand-written matrix product, a detached part, a no_grad part."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 3))

    def forward(self, x: Tensor) -> Tensor:
        out = torch.zeros(4, 3, 3)
        h = x
        for t in range(3):
            h = torch.sigmoid(h @ self.w.T) + x.detach()
            out[:, t] = h
        with torch.no_grad():
            mean = h.mean()
        h = out.view(4, -1).clone()
        h += 1
        h.mul_(2)
        return h - mean


def by_hand() -> tuple[nn.Module, Tensor, Callable[[Any], Tensor]]:
    return ByHand(), torch.randn(4, 3), lambda z: (z**2).sum()


@pytest.mark.parametrize("make", [mlp, convolution, recurrence, attention, by_hand])
def test_same_loss_and_gradients(make: Callable[[], tuple[nn.Module, Tensor, Callable[[Any], Tensor]]]) -> None:
    torch.manual_seed(1)
    net, x, criterion = make()
    tape, loss = record(lambda: criterion(net(x)), x)
    assert tape.trouble is None
    wanted = dict(
        zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters()), allow_unused=True), strict=True)
    )
    replay = Replay(tape.recording)
    again, gradients = replay.gradients(replay.copies())
    assert torch.equal(again, loss.detach())
    seen = 0
    for place, gradient in zip(replay.parameters, gradients, strict=True):
        expected = wanted[tape.recording.leaves[place]]  # type: ignore[index]
        assert (gradient is None) == (expected is None)
        if gradient is not None and expected is not None:
            assert torch.equal(gradient, expected)
            seen += 1
    assert seen >= 1


def test_autocast_and_a_scaled_loss_come_back() -> None:
    torch.manual_seed(1)
    net, x, criterion = mlp()
    with torch.autocast("cpu", torch.bfloat16):
        tape, loss = record(lambda: criterion(net(x)) * 1024.0, x)
    replay = Replay(tape.recording, scale=1024.0)
    again, _ = replay.gradients(replay.copies())
    assert torch.equal(again * 1024.0, loss.detach())
    exact, _ = replay.gradients(replay.copies(), precise=True)
    assert exact != again


def test_watching_does_not_change_a_bit() -> None:
    torch.manual_seed(1)
    net, x, criterion = attention()
    plain = criterion(net(x))
    _, seen = record(lambda: criterion(net(x)), x)
    assert torch.equal(plain, seen)


def test_the_user_may_have_a_mode_of_their_own() -> None:
    net, x, criterion = mlp()
    with torch.device("meta"):
        tape, _ = record(lambda: criterion(net(x)), x)
        assert torch.zeros(1).is_meta
    assert tape.trouble is None
    assert not torch.zeros(1).is_meta


def test_a_mode_entered_within_and_left_later_stays() -> None:
    net, x, criterion = mlp()
    tape = Tape(lambda: "")
    tape.begin([x])
    loss = criterion(net(x))
    with torch.device("meta"):
        tape.close([loss])
        assert not tape.leave()  # not on top: the user's mode would go
        assert torch.zeros(1).is_meta
    assert tape.leave()


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * grad * ctx.saved_tensors[0]


def test_a_hand_written_function_is_declined() -> None:
    net, x, _ = mlp()
    tape, _ = record(lambda: Square.apply(net(x)).sum(), x)  # type: ignore[no-untyped-call]
    assert tape.trouble is not None


def test_intermediate_tensors_are_not_kept_alive() -> None:
    import gc
    import weakref

    kept: list[weakref.ref[Tensor]] = []
    w = torch.randn(3, requires_grad=True)

    def step() -> Tensor:
        middle = w + 1
        kept.append(weakref.ref(middle))
        return (middle * 0 + w).sum()

    record(step)
    gc.collect()
    assert kept[0]() is None


def test_the_model_modules_are_named() -> None:
    path = ["a"]
    tape = Tape(lambda: path[0])
    net, x, criterion = mlp()
    tape.begin([x])
    tape.close([criterion(net(x))])
    tape.leave()
    assert {call.module for call in tape.recording.calls} == {"a"}
    assert [call.name for call in tape.recording.calls] == ["linear", "tanh", "linear", "cross_entropy"]


def test_a_loss_says_what_made_its_prediction():
    net, x = nn.Linear(4, 1), torch.randn(6, 4)
    tape, _ = record(lambda: F.poisson_nll_loss(F.softplus(net(x)).squeeze(1), torch.ones(6)), x)
    (called,) = tape.recording.loss_calls
    assert called["prediction"]["by"] == "softplus"
    assert called["prediction"]["tracked"]
    assert "tracked" not in called["target"]
