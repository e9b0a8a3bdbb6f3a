"""Plain networks, ResNet and DenseNet by depth, and how alike the gradients of neighbouring inputs are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from typing import Any

import torch
from torch import nn

from ..data import digits
from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, pick
from ..figures import lines
from ..training import accuracy, train_classifier
from ..zoo import DenseNet, ResNet, mlp, plain_conv, residual_mlp


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for network in ("plain", "resnet", "densenet"):
        for depth in settings["depths"]:
            yield {"network": network, "depth": depth, "channels": settings["channels"], "steps": settings["steps"]}
    for network in ("plain mlp", "residual mlp"):
        for depth in settings["mlp_depths"]:
            yield {"network": network, "depth": depth, "channels": 0, "steps": settings["mlp_steps"]}


def measure(network: str, depth: int, channels: int, steps: int, seed: int) -> Mapping[str, Any]:
    x, y, test_x, test_y = digits()
    if network.endswith("mlp"):
        residual = network.startswith("residual")
        # A fully connected block has two layers; without the 1/√blocks the signal would double in each.
        model = residual_mlp(64, 100, depth // 2, 10, sqrt(2 / depth)) if residual else mlp(64, 100, depth, 10)
        _kaiming(model)
        train_classifier(model, torch.optim.SGD(model.parameters(), 0.01), x, y, steps)
        return {"accuracy": accuracy(model, test_x, test_y), "alike": _alike(depth, residual)}
    images, test_images = x.reshape(-1, 1, 8, 8), test_x.reshape(-1, 1, 8, 8)
    build: Mapping[str, Callable[[], nn.Module]] = {
        "plain": lambda: plain_conv(1, channels, depth, 10),
        "resnet": lambda: ResNet(1, channels, depth // 2, 10),
        "densenet": lambda: DenseNet(1, max(2, channels // 4), depth, 10),
    }
    made = build[network]()
    train_classifier(made, torch.optim.Adam(made.parameters(), 3e-3), images, y, steps)
    return {"accuracy": accuracy(made, test_images, test_y), "alike": float("nan")}


def _kaiming(model: nn.Module) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def _alike(depth: int, residual: bool) -> float:
    """Correlation of ∂out/∂x at neighbours on a line of 256 inputs in [-2, 2], as in the paper's figure 1.

    The plain network has batch normalisation, which keeps units open for half of the inputs, as the theory has it.
    """
    x = torch.linspace(-2, 2, 256)[:, None].requires_grad_()
    residual_net, plain = (
        residual_mlp(1, 200, depth // 2, 1, sqrt(2 / depth)),
        mlp(1, 200, depth, 1, nn.ReLU, nn.BatchNorm1d),
    )
    model = residual_net if residual else plain
    _kaiming(model)
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and layer.in_features == 1:
            nn.init.normal_(layer.bias)  # kinks all along the line, not only at 0
    (slope,) = torch.autograd.grad(model(x).sum(), x)
    slope = slope.reshape(-1) - slope.mean()
    return float((slope[1:] * slope[:-1]).mean() / slope.square().mean())


def judge(rows: Sequence[Row]) -> list[Claim]:
    def right(network: str, depth: int) -> float:
        return mean(pick(rows, network=network, depth=depth), "accuracy")

    deep = max(row["depth"] for row in rows if not row["network"].endswith("mlp"))
    deep_mlp = max(row["depth"] for row in rows if row["network"].endswith("mlp"))
    alike = {name: mean(pick(rows, network=f"{name} mlp", depth=deep_mlp), "alike") for name in ("plain", "residual")}
    return [
        at_least(f"accuracy, ResNet, {deep} layers", 0.7, right("resnet", deep)),
        at_least(f"accuracy, DenseNet, {deep} layers", 0.7, right("densenet", deep)),
        at_least(
            f"accuracy, ResNet less plain, {deep} layers (He 2016)", 0.1, right("resnet", deep) - right("plain", deep)
        ),
        at_least(
            f"accuracy, residual less plain MLP, {deep_mlp} layers",
            0.1,
            right("residual mlp", deep_mlp) - right("plain mlp", deep_mlp),
        ),
        at_most(
            f"neighbours' gradients, plain, {deep_mlp} layers: shattered (Balduzzi 2017), correlation",
            0.3,
            alike["plain"],
        ),
        at_least(f"the same with shortcuts, {deep_mlp} layers: not, correlation", 0.8, alike["residual"]),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    def curve(network: str, value: str) -> tuple[list[float], list[float]]:
        depths = sorted({row["depth"] for row in rows if row["network"] == network})
        return depths, [mean(pick(rows, network=network, depth=depth), value) for depth in depths]

    names = list(dict.fromkeys(row["network"] for row in rows))
    alike = {name: curve(name, "alike") for name in names if name.endswith("mlp")}
    return [
        lines(
            "Accuracy by depth",
            "On digits that were not trained on, after the same number of steps.",
            {name: curve(name, "accuracy") for name in names},
            ("layers", "accuracy"),
        ),
        lines(
            "Shattered gradients",
            "Correlation of the output's slope at neighbouring inputs, at the start.",
            alike,
            ("layers", "correlation"),
        ),
    ]


EXPERIMENT = Experiment(
    name="shortcuts",
    title="Shortcuts let depth be trained, and keep the gradients of neighbouring inputs alike",
    paper="He 2016: Deep residual learning; Huang 2017: DenseNet; Balduzzi 2017: The shattered gradients problem",
    quick={"depths": (6, 30), "channels": 8, "steps": 150, "mlp_depths": (10, 50), "mlp_steps": 300},
    full={"depths": (8, 20, 40, 80), "channels": 16, "steps": 1000, "mlp_depths": (10, 30, 50, 100), "mlp_steps": 1000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
