"""Torch's recurrent layers and cells: their gates, recurrent weights and biases."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

LAYERS = (nn.RNNBase, nn.RNNCellBase)
#: Rows of weights and biases are one block per gate: LSTM input, forget, cell, output; GRU reset, update, new.
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
#: The block of the gate that keeps the state: the LSTM's forget gate, the GRU's update gate (h' = (1-z)·n + z·h).
KEEPS = {"LSTM": 1, "GRU": 1}


def kind_of(layer: nn.Module) -> str:
    """LSTM, GRU or RNN."""
    return next(kind for kind in GATES if _is(layer, kind))


def recurrent_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Each once, in order of registration."""
    return [(name, m) for name, m in model.named_modules() if isinstance(m, LAYERS) and _known(m)]


def recurrent_weights(layer: nn.Module) -> Iterator[str]:
    """Names of the weights (gates·hidden, hidden) from state to state."""
    yield from (name for name, _ in layer.named_parameters(recurse=False) if name.startswith("weight_hh"))


def bias_pairs(layer: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of the two bias vectors (gates·hidden,) of each layer and direction, which torch adds."""
    for name, _ in layer.named_parameters(recurse=False):
        if name.startswith("bias_ih"):
            yield name, name.replace("bias_ih", "bias_hh")


def _is(layer: nn.Module, kind: str) -> bool:
    return isinstance(layer, (getattr(nn, kind), getattr(nn, f"{kind}Cell")))


def _known(layer: nn.Module) -> bool:
    return any(_is(layer, kind) for kind in GATES)
