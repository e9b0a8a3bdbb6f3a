"""Where two identical runs of a loss begin to differ."""

from __future__ import annotations

from typing import Any

from torch import nn

from gradclinic.measure.jacobian.tree import floating

from .twin import Twin


def first_difference(twin: Twin) -> str:
    """The path of the innermost module whose output differs first; "loss" where none does."""
    one, two = _outputs(twin), _outputs(twin)
    for (path, before), (other, after) in zip(one, two, strict=False):
        if path != other or before != after:
            return path
    return "loss"


def _outputs(twin: Twin) -> list[tuple[str, list[float]]]:
    """Path and fingerprint of every call's output, inner calls first."""
    found: list[tuple[str, list[float]]] = []
    names = {module: name for name, module in twin.model.named_modules()}

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        tensors = [
            tensor.detach().to_dense() if tensor.is_sparse else tensor.detach() for tensor in floating(output)[0]
        ]
        found.append((names[module], [float(tensor.abs().sum()) for tensor in tensors if tensor.isfinite().all()]))

    handles = [module.register_forward_hook(leave) for module in twin.model.modules()]
    try:
        twin.value()
    finally:
        for handle in handles:
            handle.remove()
    return found
