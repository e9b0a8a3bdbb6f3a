"""Small models of every build that a remedy may meet, each as a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from gradclinic.task import Task

Build = Callable[[], Task]


def classifier(model: nn.Module, x: Tensor, classes: int = 3, optimizer: type = torch.optim.SGD) -> Task:
    """Labels that depend on nothing: what is learned does not matter here."""
    y = torch.arange(len(x)) % classes

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        yield x, y
        yield x.flip(0), y.flip(0)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch[0]).float(), batch[1])

    return Task(model, batches, loss, lambda parameters: optimizer(parameters, lr=0.05), steps=200)


def regressor(model: nn.Module, x: Tensor, y: Tensor, reduction: str = "mean") -> Task:
    return Task(
        model,
        lambda: iter([(x, y)]),
        lambda model, batch: F.mse_loss(model(batch[0]), batch[1], reduction=reduction),
        lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        steps=100,
    )


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def mlp(depth: int = 5, width: int = 8, act: type[nn.Module] = nn.Sigmoid) -> nn.Sequential:
    hidden = [part for _ in range(depth) for part in (nn.Linear(width, width), act())]
    return nn.Sequential(nn.Linear(6, width), act(), *hidden, nn.Linear(width, 3))


class Functional(nn.Module):
    """Activations, dropout and the mode as functions; an argument that is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = F.relu(self.first(x))
        if mask is not None:
            x = x * mask
        x = F.dropout(torch.tanh(self.second(x)), 0.6, training=self.training)
        return self.third(x)


class ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x)))


class Residual(nn.Module):
    def __init__(self, depth: int = 4, width: int = 8) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(6, width), nn.Linear(width, 3)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class PostNorm(nn.Module):
    """The user's own post-norm blocks."""

    def __init__(self, depth: int = 3, width: int = 8) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(6, width), nn.Linear(width, 3)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(x + torch.relu(layer(x)))
        return self.head(x)


class Recurrent(nn.Module):
    """One of torch's recurrent layers, a cell of the same kind, and a head."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(4, 5, num_layers=2, batch_first=True)
        self.cell = getattr(nn, f"{kind}Cell")(5, 5)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)[0][:, -1]
        state = self.cell(x)
        return self.head(state[0] if isinstance(state, tuple) else state)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.embed = nn.Linear(4, 8)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x)).mean(1))


class Embedded(nn.Module):
    """Tokens in, and the embedding tied to the head."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.hidden, self.head = nn.Embedding(11, 8), nn.Linear(8, 8), nn.Linear(8, 11, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(torch.tanh(self.hidden(self.embed(tokens).mean(1))))


class DataDependent(nn.Module):
    """fx cannot trace it as a whole, but its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.net(x)
        return x if float(x.detach().sum()) > 0 else 2 * x


class Untraceable(nn.Module):
    """Nor any part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return self.second(x if float(x.detach().sum()) > 0 else 2 * x)


class Shared(nn.Module):
    """One layer called twice, and notes kept as it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.middle, self.head = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.first(x))
        x = torch.tanh(self.middle(x))
        return self.head(torch.tanh(self.middle(x)))


def parametrized() -> nn.Module:
    net = mlp(3, act=nn.Tanh)
    parametrizations.weight_norm(net[2])
    parametrizations.spectral_norm(net[4])
    return net


def frozen() -> nn.Module:
    net = mlp(3)
    net[0].requires_grad_(False)
    return net


def half(dtype: torch.dtype) -> Task:
    return classifier(mlp(3, act=nn.Tanh).to(dtype), rows(12, 6).to(dtype))


class Wrong(torch.optim.Adam):
    """Everything wrong that an optimizer can be."""

    def __init__(self, parameters: object, lr: float) -> None:
        super().__init__(parameters, lr, eps=1e-2, weight_decay=0.5, maximize=True)  # type: ignore[arg-type]


def pretrained() -> Task:
    """Weights of the same network, its head apart, in a file."""
    state = {name: rows(*value.shape) for name, value in mlp(3).state_dict().items() if not name.startswith("8.")}
    path = Path(gettempdir()) / f"gradclinic-zoo-{os.getpid()}.pt"
    torch.save(state, path)
    return replace(classifier(mlp(3), rows(12, 6)), pretrained=path)


ZOO: dict[str, Build] = {
    "mlp": lambda: classifier(mlp(), rows(12, 6)),
    "functional": lambda: classifier(Functional(), rows(12, 6)),
    "conv": lambda: classifier(ConvNet(), rows(12, 1, 6, 6)),
    "residual": lambda: classifier(Residual(), rows(12, 6)),
    "post_norm": lambda: classifier(PostNorm(), rows(12, 6)),
    "lstm": lambda: classifier(Recurrent("LSTM"), rows(12, 20, 4)),
    "gru": lambda: classifier(Recurrent("GRU"), rows(12, 20, 4)),
    "rnn": lambda: classifier(Recurrent("RNN"), rows(12, 20, 4)),
    "encoder": lambda: classifier(Encoder(), rows(12, 5, 4)),
    "embedded": lambda: classifier(Embedded(), torch.arange(48).reshape(12, 4) % 11, classes=11),
    "float16": lambda: half(torch.float16),
    "bfloat16": lambda: half(torch.bfloat16),
    "data_dependent": lambda: classifier(DataDependent(), rows(12, 6)),
    "untraceable": lambda: classifier(Untraceable(), rows(12, 6)),
    "shared": lambda: classifier(Shared(), rows(12, 6)),
    "parametrized": lambda: classifier(parametrized(), rows(12, 6)),
    "wrapped": lambda: classifier(nn.DataParallel(mlp(3)), rows(12, 6)),
    "pretrained": pretrained,
    "frozen": lambda: classifier(frozen(), rows(12, 6)),
    "wrong_optimizer": lambda: classifier(mlp(3), rows(12, 6), optimizer=Wrong),
    "regression": lambda: regressor(
        nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)), 50 * rows(12, 6) + 7, 1e3 * rows(12, 1) + 4e3
    ),
}
