"""Initialisations that draw every layer's weights anew, with the gain of the activation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import KAIMING, redraw, weighted_layers


class DrawnInit(Remedy):
    """The option ``nonlinearity`` names the activation; without it there is the one of :attr:`usual`."""

    family = "initialization"
    size = 1
    usual: ClassVar[str]  #: activation where the model has none that is known
    fewest: ClassVar[int] = 1  #: layers from which it is worth trying

    @abstractmethod
    def draw(self, empty: Tensor, gain: float, generator: torch.Generator) -> Tensor:
        """Fills ``empty``, a weight in float32 with its inputs in the second dimension, in place."""

    @abstractmethod
    def call(self, gain: float) -> str:
        """The line that does the same to ``layer.weight``, with what to do for the last layer."""

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [name for name in patient.hidden_activations if name in KAIMING]
        if len(weighted_layers(patient.model)) >= self.fewest:
            yield {"nonlinearity": max(set(used), key=used.count) if used else self.usual}

    def apply(self, journal: Journal, options: Options) -> None:
        if not redraw(journal, self.draw, self._gain(options)):
            raise CannotApply("the model has no dense or convolutional layer to initialise")

    def says(self, options: Options) -> str:
        return f"{self.title} for {options.get('nonlinearity', self.usual)}"

    def code(self, options: Options) -> str:
        return (
            "for layer in model.modules():\n"
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            f"        {self.call(self._gain(options))}\n"
            "        if layer.bias is not None:\n"
            "            nn.init.zeros_(layer.bias)"
        )

    def _gain(self, options: Options) -> float:
        return KAIMING.get(options.get("nonlinearity", self.usual), 1.0)
