"""Weights whose singular values are all the same, so that no direction of the signal is lost in depth."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import KAIMING, redraw, weighted_layers

#: Layers from which the spread of singular values tells: with fewer, orthogonal and Gaussian weights train alike.
DEEP = 6


class OrthogonalInit(Remedy):
    """Saxe's initialisation."""

    id = "orthogonal_init"
    family = "initialization"
    title = "orthogonal initialisation"
    size = 1
    effect = "dynamical isometry: all directions of signal and gradient keep their size in deep narrow stacks"
    source = "Saxe et al. 2014, arXiv:1312.6120; Pennington et al. 2017; torch.nn.init.orthogonal_"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [name for name in patient.hidden_activations if name in KAIMING]
        if len(weighted_layers(patient.model)) >= DEEP:
            yield {"nonlinearity": max(set(used), key=used.count) if used else "linear"}

    def apply(self, journal: Journal, options: Options) -> None:
        gain = KAIMING.get(options.get("nonlinearity", "linear"), 1.0)
        draw = lambda empty, own, generator: nn.init.orthogonal_(empty, own, generator=generator)  # noqa: E731
        if not redraw(journal, draw, gain):
            raise CannotApply("the model has no dense or convolutional layer to initialise")

    def says(self, options: Options) -> str:
        return f"orthogonal initialisation for {options.get('nonlinearity', 'linear')}"

    def code(self, options: Options) -> str:
        gain = KAIMING.get(options.get("nonlinearity", "linear"), 1.0)
        return (
            "for layer in model.modules():\n"
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            f"        nn.init.orthogonal_(layer.weight, gain={gain:.4g})  # the last layer: gain=1\n"
            "        if layer.bias is not None:\n"
            "            nn.init.zeros_(layer.bias)"
        )
