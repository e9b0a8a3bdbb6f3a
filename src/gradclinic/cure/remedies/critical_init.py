"""Weights and biases at the border of order and chaos."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gradclinic.measure.meanfield import ACTIVATIONS, critical_sigma_w

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import redraw

#: For these Kaiming's is the same.
RECTIFIERS = ("relu", "leaky_relu")
#: Biases that are tried: none, and what moves the fixed point far enough from 0 for saturating units to bend.
BIASES = (0.0, 0.05, 0.3)


class CriticalInit(Remedy):
    """σ_w and σ_b at which the gradient of a deep stack neither shrinks nor grows, by mean-field theory."""

    id = "critical_init"
    family = "initialization"
    title = "critical initialisation"
    size = 1
    effect = "the squared gradient keeps its size from layer to layer, for the model's own activation"
    source = "Schoenholz et al. 2017, arXiv:1611.01232; Hayou et al. 2019, arXiv:1902.06853"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [name.replace("log_sigmoid", "logsigmoid") for name in patient.hidden_activations]
        used = [name for name in used if name in ACTIVATIONS]
        name = max(sorted(set(used)), key=used.count) if used else "relu"
        if name in RECTIFIERS:
            return
        for sigma_b in BIASES:
            found = critical_sigma_w(ACTIVATIONS[name], sigma_b)
            if found.sigma_w is not None:
                yield {"nonlinearity": name, "sigma_w": float(f"{found.sigma_w:.4g}"), "sigma_b": sigma_b}
                return

    def apply(self, journal: Journal, options: Options) -> None:
        sigma_w, sigma_b = float(options["sigma_w"]), float(options["sigma_b"])

        def draw(empty: Tensor, gain: float, generator: torch.Generator) -> Tensor:
            return empty.normal_(0.0, gain / empty[0].numel() ** 0.5, generator=generator)

        def bias(empty: Tensor, generator: torch.Generator) -> Tensor:
            return empty.normal_(0.0, sigma_b, generator=generator)

        if not redraw(journal, draw, sigma_w, bias=bias if sigma_b else None):
            raise CannotApply("the model has no dense or convolutional layer to initialise")

    def says(self, options: Options) -> str:
        return f"critical initialisation for {options['nonlinearity']}, σ_w {float(options['sigma_w']):.3g}"

    def code(self, options: Options) -> str:
        sigma_w, sigma_b = float(options["sigma_w"]), float(options["sigma_b"])
        return (
            "for layer in model.modules():\n"
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            f"        nn.init.normal_(layer.weight, std={sigma_w!r} / layer.weight[0].numel() ** 0.5)  # the last: 1\n"
            "        if layer.bias is not None:\n"
            f"            nn.init.normal_(layer.bias, std={sigma_b!r})  # the last: 0"
        )
