"""The networks of the set-ups, as one would write them, with everything that decides trainability as an argument."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU, "selu": nn.SELU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1), "softplus": nn.Softplus,
}  # fmt: skip
Make = Callable[[], nn.Module | None]
#: name -> what it does to a weight of fan-in n; "default" leaves torch's own.
INITS: dict[str, Callable[[Tensor], object]] = {
    "default": lambda weight: weight,
    "kaiming": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "xavier": nn.init.xavier_normal_,
    "orthogonal": nn.init.orthogonal_,
    "tiny": lambda weight: nn.init.normal_(weight, std=0.01),
    "double": lambda weight: nn.init.kaiming_normal_(weight, a=sqrt(5)).mul_(2 * sqrt(3)),
    "large": lambda weight: nn.init.normal_(weight, std=3 / sqrt(weight[0].numel())),
}


def initialise(model: nn.Module, name: str) -> None:
    """Draws all weights of two or more dimensions anew, embeddings left out; biases stay."""
    if name == "default":
        return
    with torch.no_grad():
        for module in model.modules():
            for parameter in module.parameters(recurse=False):
                if parameter.dim() > 1 and not isinstance(module, nn.Embedding):
                    INITS[name](parameter)


class Block(nn.Module):
    """What is repeated: a layer, a normalisation, an activation, and a shortcut around them."""

    def __init__(self, layer: nn.Module, norm: nn.Module | None, act: nn.Module, shortcut: bool) -> None:
        super().__init__()
        self.layer, self.norm, self.act, self.shortcut = layer, norm or nn.Identity(), act, shortcut

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.norm(self.layer(x)))
        return x + out if self.shortcut else out


def mlp(inputs: int, outputs: int, depth: int, width: int, act: str, norm: str, shortcut: bool) -> nn.Module:
    """``depth`` hidden layers; ``norm``: "", "batch" or "layer"."""
    made: dict[str, Make] = {"batch": lambda: nn.BatchNorm1d(width), "layer": lambda: nn.LayerNorm(width)}
    make = made.get(norm, lambda: None)
    first = Block(nn.Linear(inputs, width), make(), ACTIVATIONS[act](), shortcut=False)
    rest = [Block(nn.Linear(width, width), make(), ACTIVATIONS[act](), shortcut) for _ in range(depth - 1)]
    return nn.Sequential(first, *rest, nn.Linear(width, outputs))


def autoencoder(inputs: int, depth: int, width: int, code: int, act: str) -> nn.Module:
    """An hourglass: ``depth`` layers down to ``code`` units, and as many up."""
    down = [inputs, *[width] * (depth - 1), code]
    sizes = [*down, *down[-2::-1]]
    layers: list[nn.Module] = []
    for left, right in pairwise(sizes):
        layers += [nn.Linear(left, right), ACTIVATIONS[act]()]
    return nn.Sequential(*layers[:-1])


def convolution(outputs: int, depth: int, channels: int, act: str, norm: str, shortcut: bool) -> nn.Module:
    """``depth`` layers of 3 x 3 on images of 8 x 8; ``norm``: "", "batch" or "group"."""
    made: dict[str, Make] = {"batch": lambda: nn.BatchNorm2d(channels), "group": lambda: nn.GroupNorm(4, channels)}
    make = made.get(norm, lambda: None)
    first = Block(nn.Conv2d(1, channels, 3, padding=1), make(), ACTIVATIONS[act](), shortcut=False)
    rest = [
        Block(nn.Conv2d(channels, channels, 3, padding=1), make(), ACTIVATIONS[act](), shortcut)
        for _ in range(depth - 1)
    ]
    return nn.Sequential(first, *rest, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, outputs))


class Recurrent(nn.Module):
    """RNN, LSTM or GRU over a sequence; the last state answers."""

    def __init__(self, kind: str, inputs: int, outputs: int, width: int, layers: int) -> None:
        super().__init__()
        cell = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind]
        self.cell = cell(inputs, width, layers, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.cell(x)[0][:, -1])
        return out


class Transformer(nn.Module):
    """A stack of encoder layers over letters or vectors; causal where each place answers."""

    def __init__(
        self, inputs: int, outputs: int, width: int, layers: int, heads: int, pre_norm: bool, letters: bool
    ) -> None:
        super().__init__()
        self.letters = letters
        self.embed = nn.Embedding(inputs, width) if letters else nn.Linear(inputs, width)
        self.place = nn.Parameter(0.02 * torch.randn(64, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=pre_norm)
            for _ in range(layers)
        )
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        h = self.embed(x) + self.place[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length) if self.letters else None
        for layer in self.layers:
            h = layer(h, src_mask=mask, is_causal=self.letters)
        out: Tensor = self.head(h if self.letters else h.mean(1))
        return out


class Mixer(nn.Module):
    """Layers over the places of a sequence and over the features, by turns (Tolstikhin 2021)."""

    def __init__(
        self, places: int, inputs: int, outputs: int, width: int, layers: int, act: str, norm: bool, shortcut: bool
    ) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.embed = nn.Linear(inputs, width)
        self.across = nn.ModuleList(nn.Linear(places, places) for _ in range(layers))
        self.within = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) if norm else nn.Identity() for _ in range(2 * layers))
        self.act = ACTIVATIONS[act]()
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        for place, (across, within) in enumerate(zip(self.across, self.within, strict=True)):
            mixed = self.act(across(self.norms[2 * place](h).transpose(1, 2)).transpose(1, 2))
            h = h + mixed if self.shortcut else mixed
            changed = self.act(within(self.norms[2 * place + 1](h)))
            h = h + changed if self.shortcut else changed
        out: Tensor = self.head(h.mean(1))
        return out


class Bag(nn.Module):
    """Embeddings averaged, evenly or by learned weights, and layers on top."""

    def __init__(self, letters: int, outputs: int, width: int, depth: int, act: str, weighted: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(letters, width)
        self.score = nn.Linear(width, 1) if weighted else None
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.act = ACTIVATIONS[act]()
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        each = self.embed(x)
        h = each.mean(1) if self.score is None else (self.score(each).softmax(1) * each).sum(1)
        for layer in self.layers:
            h = self.act(layer(h))
        out: Tensor = self.head(h)
        return out
