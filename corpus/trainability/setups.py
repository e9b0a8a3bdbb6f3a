"""The set-ups: which network, on what, by which optimizer at which rate, drawn once from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.task import Task

from . import data, nets
from .data import Data

#: Of the draw; written down before any set-up had been trained.
SEED = 20261123
#: How many of each family.
COUNT = 50
FITTED = ("mlp", "convolution", "rnn")
HELD_BACK = ("table", "autoencoder", "transformer", "gated")
#: Written and drawn after the signs of the forecast had been chosen, which was done in sight of the seven others.
BLIND = ("mixer", "bag")
FAMILIES = FITTED + HELD_BACK + BLIND

#: Learning rates from far too small to far too large for each, so that each family has runs on either side.
RATES: dict[str, tuple[float, float]] = {
    "sgd": (1e-5, 1e1), "momentum": (1e-6, 1e0), "nesterov": (1e-6, 1e0), "adam": (1e-7, 1e-1),
    "adamw": (1e-7, 1e-1), "rmsprop": (1e-7, 1e-1), "adagrad": (1e-6, 1e0), "nadam": (1e-7, 1e-1),
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[[Any, float], torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9),
    "nesterov": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "nadam": torch.optim.NAdam,
}


@dataclass(frozen=True, slots=True)
class Setup:
    """One training; ``options`` are the network's."""

    family: str
    number: int
    source: str  #: the function of :mod:`.data`, with its argument: "digits", "adding 20"
    options: dict[str, Any]
    init: str
    optimizer: str
    lr: float
    batch: int
    steps: int

    @property
    def name(self) -> str:
        """Its family and number."""
        return f"{self.family}-{self.number:02d}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def data(self) -> Data:
        """The inputs and targets."""
        name, _, argument = self.source.partition(" ")
        made: Data = getattr(data, name)(*([int(argument)] if argument else []))
        return made

    def task(self) -> Task:
        """The training, ready to begin.  The caller has seeded torch."""
        own = self.data()
        model = _build(self, own)
        nets.initialise(model, self.init)
        order = torch.Generator().manual_seed(self.number)

        def batches() -> Iterator[tuple[Tensor, Tensor]]:
            for rows in torch.randperm(len(own.inputs), generator=order).split(self.batch):  # type: ignore[no-untyped-call]
                if len(rows) == self.batch or len(own.inputs) < self.batch:
                    yield own.inputs[rows], own.targets[rows]

        def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            return own.loss(network(batch[0]), batch[1])

        return Task(model, batches, loss, lambda p: OPTIMIZERS[self.optimizer](p, self.lr), self.steps)


def _build(setup: Setup, own: Data) -> nn.Module:
    options, width = setup.options, own.inputs.shape[-1]
    if setup.family in ("mlp", "table"):
        return nets.mlp(width, own.outputs, **options)
    if setup.family == "convolution":
        return nets.convolution(own.outputs, **options)
    if setup.family == "autoencoder":
        return nets.autoencoder(width, **options)
    if setup.family in ("rnn", "gated"):
        return nets.Recurrent(inputs=width, outputs=own.outputs, **options)
    if setup.family == "mixer":
        return nets.Mixer(own.inputs.shape[1], width, own.outputs, **options)
    if setup.family == "bag":
        return nets.Bag(own.letters, own.outputs, **options)
    letters = options["letters"]
    return nets.Transformer(own.outputs if letters else width, own.outputs, **options)


def all_setups(count: int = COUNT) -> list[Setup]:
    """``count`` of each family, always the same."""
    return [setup for family in FAMILIES for setup in _family(family, count)]


def _family(family: str, count: int) -> Iterator[Setup]:
    draw = random.Random(f"{SEED} {family}")
    for number in range(count):
        optimizer = draw.choice(list(OPTIMIZERS))
        low, high = RATES[optimizer]
        lr = float(f"{low * (high / low) ** draw.random():.3g}")
        source, options = _DRAWS[family](draw)
        init = draw.choice(list(nets.INITS))
        steps = draw.choice((100, 200, 400))
        yield Setup(family, number, source, options, init, optimizer, lr, draw.choice((32, 64, 128)), steps)


def _mlp(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return "digits", {
        "depth": draw.choice((2, 5, 10, 20, 40)),
        "width": draw.choice((32, 128)),
        "act": draw.choice(list(nets.ACTIVATIONS)),
        "norm": draw.choice(("", "", "batch", "layer")),
        "shortcut": draw.random() < 0.3,
    }


def _table(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return draw.choice(("wine", "cancer", "diabetes")), _mlp(draw)[1] | {"width": draw.choice((16, 64))}


def _convolution(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return "digit_images", {
        "depth": draw.choice((2, 4, 8, 16)),
        "channels": draw.choice((8, 16)),
        "act": draw.choice(list(nets.ACTIVATIONS)),
        "norm": draw.choice(("", "", "batch", "group")),
        "shortcut": draw.random() < 0.3,
    }


def _autoencoder(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return "same_digits", {
        "depth": draw.choice((2, 3, 5, 8)),
        "width": draw.choice((48, 128)),
        "code": draw.choice((8, 24)),
        "act": draw.choice(list(nets.ACTIVATIONS)),
    }


def _recurrent(kinds: tuple[str, ...]) -> Callable[[random.Random], tuple[str, dict[str, Any]]]:
    def draw_one(draw: random.Random) -> tuple[str, dict[str, Any]]:
        source = draw.choice(
            ("digit_rows", f"first_symbol {draw.choice((5, 15, 40))}", f"adding {draw.choice((8, 20))}")
        )
        return source, {"kind": draw.choice(kinds), "width": draw.choice((16, 48)), "layers": draw.choice((1, 2))}

    return draw_one


def _transformer(draw: random.Random) -> tuple[str, dict[str, Any]]:
    letters = draw.random() < 0.5
    return "next_letter 24" if letters else "digit_rows", {
        "width": draw.choice((32, 64)),
        "layers": draw.choice((1, 2, 6, 12)),
        "heads": 4,
        "pre_norm": draw.random() < 0.5,
        "letters": letters,
    }


def _mixer(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return "digit_rows", {
        "width": draw.choice((16, 48)),
        "layers": draw.choice((1, 3, 8, 16)),
        "act": draw.choice(list(nets.ACTIVATIONS)),
        "norm": draw.random() < 0.5,
        "shortcut": draw.random() < 0.6,
    }


def _bag(draw: random.Random) -> tuple[str, dict[str, Any]]:
    return f"letter_case {draw.choice((12, 40))}", {
        "width": draw.choice((16, 64)),
        "depth": draw.choice((1, 3, 8, 20)),
        "act": draw.choice(list(nets.ACTIVATIONS)),
        "weighted": draw.random() < 0.5,
    }


_DRAWS: dict[str, Callable[[random.Random], tuple[str, dict[str, Any]]]] = {
    "mlp": _mlp,
    "table": _table,
    "convolution": _convolution,
    "autoencoder": _autoencoder,
    "rnn": _recurrent(("rnn",)),
    "gated": _recurrent(("lstm", "gru")),
    "transformer": _transformer,
    "mixer": _mixer,
    "bag": _bag,
}
