"""Sound networks in loops that are not: decay, epsilon, momentum, clipping, schedule, reduction, frozen layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradclinic.task import Task

from ..loop import ADAM, Loop
from ..row import Row
from . import autoencoder, convolution, dense, recurrent, regression, transformer

STUDIES = "Humbatova et al. 2020, arXiv:1910.11015; Cao et al. 2022 (DeepFD), arXiv:2205.01938"


def frozen(build: Callable[..., Task], parts: tuple[str, ...], **options: Any) -> Task:
    """With the parameters whose names begin with one of ``parts`` left as they were drawn."""
    task = build(**options)
    for name, parameter in task.model.named_parameters():
        if name.startswith(parts):
            parameter.requires_grad_(False)
    return task


def _row(name: str, steps: int, build: Callable[..., Task], loop: Loop = ADAM, **options: object) -> Row:
    return Row(f"training-{name}", "training", STUDIES, steps, build, options | {"loop": loop}, ({"loop": ADAM},))


_MLP = {"source": "digits", "depth": 3, "width": 64}
_FREEZE = {"build": dense.build, "parts": ("0.", "2.", "4.")}

ROWS = (
    _row("decay-sgd", 2000, dense.build, Loop("sgd", 0.05, {"weight_decay": 0.3}), **_MLP),
    _row("decay-adam", 2000, dense.build, Loop("adam", 1e-3, {"weight_decay": 1.0}), **_MLP),
    _row("decay-adamw", 2000, convolution.build, Loop("adamw", 1e-2, {"weight_decay": 10.0}), depth=3),
    _row("decay-rows", 2000, recurrent.build, Loop("adam", 3e-3, {"weight_decay": 0.3}), source="digit_rows"),
    _row("epsilon", 2000, dense.build, Loop("adam", 1e-4, {"eps": 10.0}), **_MLP),
    _row("epsilon-rmsprop", 2000, convolution.build, Loop("rmsprop", 1e-3, {"eps": 10.0}), depth=3),
    _row("momentum", 1500, dense.build, Loop("sgd", 0.05, {"momentum": 0.9995}), **_MLP),
    _row("betas", 1500, convolution.build, Loop("adam", 0.03, {"betas": (0.999, 0.9)}), depth=3),
    _row("clipped", 2000, dense.build, Loop("sgd", 0.05, clip=1e-4), **_MLP),
    _row("clipped-text", 1500, transformer.build, Loop("sgd", 0.1, clip=1e-3), source="letters 12 each", layers=1),
    _row("faded", 2000, dense.build, Loop("sgd", 0.05, fade=0.95), **_MLP),
    _row("faded-images", 1500, convolution.build, Loop("adam", 1e-4, fade=0.98), depth=3),
    _row("summed", 2000, dense.build, Loop("sgd", 0.1, reduction="sum"), **_MLP),
    _row("summed-rows", 1500, recurrent.build, Loop("sgd", 0.5, reduction="sum"), source="digit_rows", cell="gru"),
    _row("summed-table", 2500, regression.build, Loop("sgd", 0.01, reduction="sum"), source="friedman 1"),
    _row("ascent", 1500, dense.build, Loop("sgd", 0.01, {"maximize": True}), **_MLP),
    _row("adagrad-slow", 2000, dense.build, Loop("adagrad", 1e-5), **_MLP),
    _row("decay-autoencoder", 1500, autoencoder.build, Loop("adam", 1e-3, {"weight_decay": 0.1}), depth=2, act="relu"),
    Row(
        "training-frozen", "training", STUDIES, 2000, frozen,
        _MLP | _FREEZE | {"init": "large", "act": "tanh", "width": 16, "loop": ADAM},
        ({"parts": ("none",), "init": "default"},),
    ),
    Row(
        "training-frozen-images", "training", STUDIES, 1500, frozen,
        {"build": convolution.build, "parts": ("0.", "2.", "4.", "6."), "depth": 4, "act": "tanh", "loop": ADAM,
         "channels": 4},
        ({"parts": ("none",)},),
    ),
)  # fmt: skip
