"""Weights of variance gain²/fan_in, which keep the signal of rectifiers."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import KAIMING, redraw, weighted_layers


class KaimingInit(Remedy):
    """He's initialisation."""

    id = "kaiming_init"
    family = "initialization"
    title = "Kaiming initialisation"
    size = 1
    effect = "the forward signal keeps its size through layers with rectifiers"
    source = "He et al. 2015, arXiv:1502.01852; torch.nn.init.kaiming_normal_"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [name for name in patient.hidden_activations if name in KAIMING]
        if weighted_layers(patient.model):
            yield {"nonlinearity": max(set(used), key=used.count) if used else "relu"}

    def apply(self, journal: Journal, options: Options) -> None:
        gain = KAIMING.get(options.get("nonlinearity", "relu"), 1.0)
        done = redraw(
            journal,
            lambda empty, own, generator: nn.init.kaiming_normal_(empty, generator=generator).mul_(own / 2**0.5),
            gain,
        )
        if not done:
            raise CannotApply("the model has no dense or convolutional layer to initialise")

    def says(self, options: Options) -> str:
        return f"Kaiming initialisation for {options.get('nonlinearity', 'relu')}"

    def code(self, options: Options) -> str:
        return (
            "for layer in model.modules():\n"
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            "        nn.init.kaiming_normal_(layer.weight)  # the last layer: divided by √2\n"
            "        if layer.bias is not None:\n"
            "            nn.init.zeros_(layer.bias)"
        )
