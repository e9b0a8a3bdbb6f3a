"""Activations and initialisations by name, good ones and bad ones."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn


class Exp(nn.Module):
    """AutoTrainer's models have it: no bound, and a slope that grows with it."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x.exp()


class Square(nn.Module):
    """As in polynomial networks."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * x


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU, "softplus": nn.Softplus, "softsign": nn.Softsign, "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid, "softmax": lambda: nn.Softmax(-1), "exp": Exp, "square": Square,
}  # fmt: skip
#: name -> what it does to a weight; "default" leaves torch's own.
INITS: dict[str, Callable[[Tensor], object]] = {
    "kaiming": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "kaiming_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "xavier": nn.init.xavier_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "tiny": lambda weight: nn.init.normal_(weight, std=0.01),
    "minute": lambda weight: nn.init.normal_(weight, std=1e-4),
    "unit": nn.init.normal_,
    "large": lambda weight: nn.init.normal_(weight, std=4 / sqrt(weight[0].numel())),
    "zero": nn.init.zeros_,
    "constant": lambda weight: nn.init.constant_(weight, 0.1),
}


def initialise(model: nn.Module, name: str, bias: float | None = None) -> None:
    """Draws all weights of two or more dimensions anew, embeddings left out; ``bias`` goes into the hidden biases."""
    hidden = [module for module in model.modules() if isinstance(module, (nn.Linear, nn.Conv2d))][:-1]
    with torch.no_grad():
        if name != "default":
            for module in model.modules():
                for parameter in module.parameters(recurse=False):
                    if parameter.dim() > 1 and not isinstance(module, nn.Embedding):
                        INITS[name](parameter)
        for layer in hidden:
            if bias is not None and layer.bias is not None:
                layer.bias.fill_(bias)
