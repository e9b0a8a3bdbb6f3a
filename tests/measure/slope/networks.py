"""Networks and losses that the tests of the slope share, and what a user's state is, bit for bit."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

KINKED = (nn.ReLU, nn.LeakyReLU, nn.Hardtanh, nn.ReLU6, nn.Hardswish)
SMOOTH = (nn.Tanh, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Softplus)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def data(count: int = 16, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Samples (count, 8) of three classes."""
    return normal(count, 8, seed=seed), torch.arange(count) % 3


def cross_entropy(model: nn.Module, batch: Any) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def hinge(model: nn.Module, batch: Any) -> Tensor:
    return F.multi_margin_loss(model(batch[0]), batch[1])


def absolute(model: nn.Module, batch: Any) -> Tensor:
    return (model(batch[0]) - F.one_hot(batch[1], 3)).abs().mean()


def largest(model: nn.Module, batch: Any) -> Tensor:
    return (model(batch[0]) - F.one_hot(batch[1], 3)).abs().amax()


LOSSES = (cross_entropy, hinge, absolute, largest)


class Applied(nn.Module):
    """A hand-written function of one input as a module."""

    def __init__(self, function: type[torch.autograd.Function]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(x)


class Product(nn.Module):
    """A hand-written matrix product with a square weight."""

    def __init__(self, function: type[torch.autograd.Function], width: int = 16) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(normal(width, width, seed=3) / width**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(x, self.weight)


def around(middle: nn.Module, width: int = 16) -> nn.Sequential:
    """``middle`` is module "2"."""
    ends = nn.Linear(8, width), nn.Tanh()
    return nn.Sequential(*ends, middle, nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))


def drawn(seed: int) -> tuple[nn.Module, Callable[[nn.Module, Any], Tensor], tuple[Tensor, Tensor]]:
    """A random healthy network of one of several kinds, with a random initialisation, loss and batch."""
    r = random.Random(seed)
    torch.manual_seed(seed)
    model = r.choice((_dense, _dense, _convolutional, _Recurrent, _Attention, _Residual))(r)
    _initialised(model, r.choice(("default", "default", "he", "small", "zero", "constant")))
    count = r.choice((4, 32))
    x, y = data(count, seed)
    return model, r.choice(LOSSES), ((x > 0).float() if r.random() < 0.3 else x, y)


def _dense(r: random.Random) -> nn.Module:
    width = r.choice((4, 16, 64))
    layers: list[nn.Module] = [nn.Linear(8, width)]
    for _ in range(r.choice((1, 2, 4, 8))):
        layers.append(r.choice(KINKED + SMOOTH)())
        if r.random() < 0.3:
            layers.append(r.choice((nn.BatchNorm1d, nn.LayerNorm))(width))
        if r.random() < 0.3:
            layers.append(nn.Dropout(0.3))
        layers.append(nn.Linear(width, width))
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(width, 3))


def _convolutional(r: random.Random) -> nn.Module:
    width, act = r.choice((4, 16)), r.choice(KINKED + SMOOTH)
    first = nn.Unflatten(1, (1, 4, 2)), nn.Conv2d(1, width, 3, padding=1), act(), nn.MaxPool2d(2)
    last = nn.Conv2d(width, width, 3, padding=1), act(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(width, 3)
    return nn.Sequential(*first, nn.BatchNorm2d(width), *last)


class _Recurrent(nn.Module):
    def __init__(self, r: random.Random) -> None:
        super().__init__()
        self.cell = r.choice((nn.RNN, nn.LSTM, nn.GRU))(2, 12, r.choice((1, 2)), batch_first=True)
        self.head = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x.reshape(len(x), 4, 2))[0][:, -1])


class _Attention(nn.Module):
    def __init__(self, r: random.Random) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(2, 16), nn.Linear(16, 3)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=r.random() < 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.embed(x.reshape(len(x), 4, 2))).amax(1))


class _Residual(nn.Module):
    """Half of them with branches that begin at zero."""

    def __init__(self, r: random.Random) -> None:
        super().__init__()
        blocks = [nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(r.choice((2, 6)))]
        self.first, self.blocks, self.last = nn.Linear(8, 32), nn.ModuleList(blocks), nn.Linear(32, 3)
        if r.random() < 0.5:
            for block in blocks:
                nn.init.zeros_(block[2].weight)
                nn.init.zeros_(block[2].bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


def _initialised(model: nn.Module, kind: str) -> None:
    for parameter in model.parameters():
        if parameter.dim() > 1:
            if kind == "he":
                nn.init.kaiming_normal_(parameter)
            elif kind == "small":
                nn.init.normal_(parameter, 0, 0.01)
            elif kind != "default":
                nn.init.constant_(parameter, 0.0 if kind == "zero" else 0.1)


def state(model: nn.Module, batch: Any) -> dict[str, Any]:
    """Everything of the user's that a check could change, as copies that compare equal bit for bit."""
    return copy.deepcopy(
        {
            "parameters": {name: _bits(own) for name, own in model.named_parameters()},
            "identity": [id(own) for own in model.parameters()],
            "grad": {name: None if own.grad is None else _bits(own.grad) for name, own in model.named_parameters()},
            "buffers": {name: _bits(own) for name, own in model.named_buffers()},
            "training": [module.training for module in model.modules()],
            "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
            "batch": [_bits(item) for item in batch],
            "python": random.getstate(),
            "numpy": [str(part) for part in np.random.get_state()],
            "torch": _bits(torch.get_rng_state()),
            "dtype": torch.get_default_dtype(),
            "grad mode": torch.is_grad_enabled(),
        }
    )


def _bits(tensor: Tensor) -> tuple[str, bytes]:
    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    return str(tensor.dtype), bytes(dense.contiguous().reshape(-1).view(torch.uint8).numpy())
