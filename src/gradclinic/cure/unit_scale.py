"""The factors that give every layer's outputs the standard deviation 1, measured on a batch of a patient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.still import Still
from gradclinic.measure.jacobian.tree import cloned

from .patient import Patient
from .surgery import Journal, read_weight, write_weight
from .surgery.layers import weighted_layers


def unit_factors(patient: Patient, draw: Callable[[Journal], Any] | None = None) -> dict[str, float]:
    """Layer → factor of its weights and biases, the layers before it having theirs; four digits of each.

    ``draw`` gives a copy of the model other weights first.  One forward pass; layers that are not called as modules,
    or whose outputs are all the same, have no factor.  Empty where the model cannot be copied or run.
    """
    factors: dict[str, float] = {}

    def scale(name: str) -> Callable[..., Tensor]:
        def hook(layer: nn.Module, args: Any, output: Tensor) -> Tensor:
            if name not in factors:
                deviation = float(output.detach().double().std(unbiased=False))
                if not (deviation > 0 and isfinite(deviation)):
                    return output
                factors[name] = float(f"{1 / deviation:.4g}")
            return output * factors[name]

        return hook

    try:
        model = copy.deepcopy(patient.model)
        if draw is not None:
            draw(Journal(model, reversible=False))
        for name, layer in weighted_layers(model):
            layer.register_forward_hook(scale(name))

        def run() -> None:
            with torch.no_grad():
                patient.task.loss(model, cloned(patient.batches[0]))

        Still(model).run(run)
    except Exception:  # whatever a user's model does when it is copied: then there is nothing to propose
        return {}
    return factors


def scale_layers(journal: Journal, factors: Mapping[str, float]) -> None:
    """Multiplies weights and biases.

    Raises:
        ValueError: the model has no layer of one of the names.
    """
    layers = dict(weighted_layers(journal.model))
    missing = [name for name in factors if name not in layers]
    if missing:
        raise ValueError(f"the model has no dense or convolutional layer {missing[0]!r}")
    for name, factor in factors.items():
        layer = layers[name]
        weight, bias = read_weight(layer), layer.bias
        if weight is not None:
            write_weight(journal, layer, weight * factor)
        if isinstance(bias, Tensor):
            journal.write(bias, bias.detach() * factor)
