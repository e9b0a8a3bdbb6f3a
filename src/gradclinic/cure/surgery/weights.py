"""Where the values of a weight are kept, and new ones for it: it may be computed from others, or be shared."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from .journal import Journal


def write_weight(journal: Journal, layer: nn.Module, values: Tensor, name: str = "weight") -> None:
    """New values, of the same shape, for a weight: for what it is computed from, where it is parametrized.

    A parametrization decides what comes of them: the spectral one divides by the largest singular value again.

    Raises:
        ValueError: a parametrization cannot be turned round.
    """
    if parametrize.is_parametrized(layer, name):
        _through(journal, layer, values, name)
        return
    older = {own: getattr(layer, f"{name}{own}", None) for own in ("_orig", "_v", "_g")}
    if isinstance(older["_v"], Tensor) and isinstance(older["_g"], Tensor):  # torch.nn.utils.weight_norm's hook
        axes = [axis for axis, length in enumerate(older["_g"].shape) if length == 1]
        journal.write(older["_v"], values.to(older["_v"].dtype))
        journal.write(older["_g"], torch.linalg.vector_norm(values, dim=axes or None, keepdim=True))
        return
    tensor = older["_orig"] if isinstance(older["_orig"], Tensor) else getattr(layer, name)
    journal.write(tensor, values.to(tensor.dtype))


def read_weight(layer: nn.Module, name: str = "weight") -> Tensor | None:
    """The weight as it is used, detached; None where there is none yet.

    Where it is parametrized it is computed as in evaluation: in training the spectral one moves on at each look.
    """
    if not parametrize.is_parametrized(layer, name):
        weight = getattr(layer, name, None)
        return weight.detach() if isinstance(weight, Tensor) and not is_lazy(weight) else None
    held = layer.get_submodule(f"parametrizations.{name}")
    modes = {each: each.training for each in held.modules()}
    held.eval()
    try:
        weight = getattr(layer, name)
    finally:
        for each, training in modes.items():
            each.training = training
    return weight.detach()  # type: ignore[no-any-return]


def once(layers: Iterable[tuple[str, nn.Module]]) -> list[tuple[str, nn.Module]]:
    """Those whose weight no earlier one shares."""
    seen: set[int] = set()
    found = []
    for path, layer in layers:
        held = [p for p in layer.parameters(recurse=True) if p.dim() > 1]
        if not any(id(p) in seen for p in held):
            found.append((path, layer))
        seen.update(id(p) for p in held)
    return found


@torch.no_grad()
def _through(journal: Journal, layer: nn.Module, values: Tensor, name: str) -> None:
    held = layer.get_submodule(f"parametrizations.{name}")
    for tensor in (*held.parameters(), *held.buffers()):
        journal.write(tensor, tensor.detach().clone())  # so that it can be taken back
    try:
        like = read_weight(layer, name)
        setattr(layer, name, values if like is None else values.to(like))
    except (NotImplementedError, RuntimeError) as error:
        said = " ".join(str(error).split())[:120]
        raise ValueError(f"the parametrization of {name} takes no new values: {said}") from error
