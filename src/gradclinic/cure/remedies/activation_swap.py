"""Another activation between the layers, as modules and as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch.nn.functional as F
from torch import fx

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, Part, Untraceable, edit_graphs
from ..surgery.nodes import ACTIVATIONS, activation_of, leads_to_weights

#: What is put in: the function of torch.nn.functional, by name.
OFFERED: dict[str, Callable[..., Any]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "elu": F.elu,
    "selu": F.selu,
    "tanh": F.tanh,
}
#: Bounded or one-sided without limit: they lose the signal, or blow it up, whatever the weights are.
HARMFUL = ("sigmoid", "hardsigmoid", "log_sigmoid", "softmax", "log_softmax", "exp", "square", "tanh", "hardtanh",
           "softsign", "softplus")  # fmt: skip


class ActivationSwap(Remedy):
    """Replaces all activations that are not the output's."""

    id = "activation_swap"
    family = "activation"
    title = "another activation"
    size = 3
    effect = "the gradient passes where units are active, or lets no unit die"
    source = "Glorot, Bordes and Bengio 2011; Maas et al. 2013; Clevert et al. 2016; Hendrycks and Gimpel 2016"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = set(patient.hidden_activations)
        if used & set(HARMFUL):
            yield {"to": "relu"}
            if "tanh" not in used:
                yield {"to": "tanh"}
        if used & {"relu", "relu6"}:
            yield {"to": "leaky_relu"}
        if used and not used <= {"gelu", "silu"}:
            yield {"to": "gelu"}

    def apply(self, journal: Journal, options: Options) -> None:
        to = options["to"]
        if to not in OFFERED:
            raise CannotApply(f"no such activation: {to!r}; there are {', '.join(OFFERED)}")
        try:
            done = edit_graphs(journal, lambda part: _swap(part, to))
        except Untraceable as error:
            raise CannotApply(str(error)) from error
        if not done:
            raise CannotApply("the model has no activation between two layers")

    def says(self, options: Options) -> str:
        return f"{options['to']} as activation"

    def code(self, options: Options) -> str:
        name = ACTIVATIONS[options["to"]][0].__name__
        return f"# in the model, between its layers: nn.{name}() in place of the other activations"


def _swap(part: Part, to: str) -> bool:
    nodes = [n for n in part.graph.nodes if activation_of(n, part.owner) and leads_to_weights(n, part.owner)]
    for node in nodes:
        _exchange(part.graph, node, to)
    return bool(nodes)


def _exchange(graph: fx.Graph, node: fx.Node, to: str) -> None:
    with graph.inserting_after(node):
        new = graph.call_function(OFFERED[to], (node.args[0],))
    node.replace_all_uses_with(new)
    graph.erase_node(node)
