"""Weights of variance 2·gain²/(fan_in + fan_out), between what the signal and what its gradient want."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import KAIMING, redraw, weighted_layers


class XavierInit(Remedy):
    """Glorot's initialisation."""

    id = "xavier_init"
    family = "initialization"
    title = "Xavier initialisation"
    size = 1
    effect = "signal and gradient keep their size through layers that are nearly linear around 0"
    source = "Glorot and Bengio 2010; torch.nn.init.xavier_normal_"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [name for name in patient.hidden_activations if name in KAIMING]
        if weighted_layers(patient.model):
            yield {"nonlinearity": max(set(used), key=used.count) if used else "linear"}

    def apply(self, journal: Journal, options: Options) -> None:
        gain = KAIMING.get(options.get("nonlinearity", "linear"), 1.0)
        draw = lambda empty, own, generator: nn.init.xavier_normal_(empty, own, generator=generator)  # noqa: E731
        if not redraw(journal, draw, gain):
            raise CannotApply("the model has no dense or convolutional layer to initialise")

    def says(self, options: Options) -> str:
        return f"Xavier initialisation for {options.get('nonlinearity', 'linear')}"

    def code(self, options: Options) -> str:
        gain = KAIMING.get(options.get("nonlinearity", "linear"), 1.0)
        return (
            "for layer in model.modules():\n"
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            f"        nn.init.xavier_normal_(layer.weight, gain={gain:.4g})  # the last layer: gain=1\n"
            "        if layer.bias is not None:\n"
            "            nn.init.zeros_(layer.bias)"
        )
