"""Partial loading of a state dict: what has the same name and shape, and a report of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.errors import UserError

#: What wrappers put before every name: data parallel, and torch.compile.
WRAPPERS = ("module.", "_orig_mod.")
#: Under what checkpoints keep the weights.
PLACES = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True, slots=True)
class Match:
    """Names as the model has them, in its order."""

    loaded: tuple[str, ...]
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  #: (name, the model's shape, the other one's)
    missing: tuple[str, ...]  #: in the model only
    unused: tuple[str, ...]  #: in the state only

    def __str__(self) -> str:
        """A line for each kind, with the first few names."""
        shapes = tuple(f"{name} {list(own)} for {list(other)}" for name, own, other in self.reshaped)
        kinds = (
            ("loaded", self.loaded),
            ("of another shape", shapes),
            ("in the model only", self.missing),
            ("in the state only", self.unused),
        )
        return "\n".join(
            f"{len(names):>5,} {what}{': ' + ', '.join(names[:3]) if names else ''}{', …' * (len(names) > 3)}"
            for what, names in kinds
        )


def pair(model: nn.Module, state: Mapping[str, Any]) -> tuple[Match, list[tuple[Tensor, Tensor]]]:
    """What fits of ``state``: the report, and the model's tensors each with the values for it.

    A checkpoint that keeps its weights under "state_dict" or "model" will do, and names with a wrapper's prefix.

    Raises:
        UserError: nothing fits.
    """
    given = {_bare(name): value for name, value in _weights(state).items() if isinstance(value, Tensor)}
    own = {_bare(name): value for name, value in model.state_dict(keep_vars=True).items() if isinstance(value, Tensor)}
    fitting = [name for name, tensor in own.items() if name in given and tensor.shape == given[name].shape]
    if not fitting:
        theirs, ours = ", ".join(list(given)[:2]) or "none", ", ".join(list(own)[:2])
        raise UserError(f"no weight has the name and shape of one in the model: there are {theirs}, here {ours}")
    reshaped = tuple(
        (name, tuple(tensor.shape), tuple(given[name].shape))
        for name, tensor in own.items()
        if name in given and name not in fitting
    )
    missing, unused = (tuple(name for name in one if name not in other) for one, other in ((own, given), (given, own)))
    return Match(tuple(fitting), reshaped, missing, unused), [(own[name], given[name]) for name in fitting]


@torch.no_grad()
def load_matching(model: nn.Module, state: Mapping[str, Any]) -> Match:
    """Copies into ``model`` all parameters and buffers of ``state`` that have the same name and shape there.

    Raises:
        UserError: nothing fits; see :func:`pair`.
    """
    match, pairs = pair(model, state)
    for tensor, values in pairs:
        tensor.copy_(values)
    return match


def _weights(state: Mapping[str, Any]) -> Mapping[str, Any]:
    for place in PLACES:
        inside = state.get(place)
        if isinstance(inside, Mapping) and any(isinstance(value, Tensor) for value in inside.values()):
            return inside
    return state


def _bare(name: str) -> str:
    while (prefix := next((each for each in WRAPPERS if name.startswith(each)), None)) is not None:
        name = name[len(prefix) :]
    return name
