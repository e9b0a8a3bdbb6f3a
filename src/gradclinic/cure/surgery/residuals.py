"""Sums of a shortcut and its branch in a traced forward: x + f(x)."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import torch
from torch import fx, nn

from .nodes import has_weights

SUMS = (operator.add, operator.iadd, torch.add)


@dataclass(frozen=True, slots=True)
class Residual:
    """One sum, where the branch computes with weights and the shortcut does not, or with fewer."""

    shortcut: fx.Node
    branch: fx.Node
    total: fx.Node
    inside: frozenset[fx.Node]  #: what the branch computes from the shortcut; where that is no plain x, all of its own
    plain: bool  #: the branch begins at the shortcut


def residuals(graph: fx.Graph, owner: nn.Module) -> list[Residual]:
    """In order of the graph."""
    before: dict[fx.Node, frozenset[fx.Node]] = {}  # all that a node depends on
    found = []
    for node in graph.nodes:
        inputs = node.all_input_nodes
        before[node] = frozenset(inputs).union(*(before[each] for each in inputs))
        pair = _summands(node)
        if pair is None:
            continue
        for shortcut, branch in (pair, pair[::-1]):
            if shortcut in before[branch]:
                inside = frozenset(n for n in {branch, *before[branch]} if shortcut in before[n])
                if any(has_weights(each, owner) for each in inside):
                    found.append(Residual(shortcut, branch, node, inside, plain=True))
                break
        else:
            both = before[pair[0]] & before[pair[1]]
            own = [frozenset({each, *before[each]} - both) for each in pair]
            weights = [sum(has_weights(each, owner) for each in nodes) for nodes in own]
            if any(not each.op.startswith(("placeholder", "get_attr")) for each in both) and weights[0] != weights[1]:
                longer = int(weights[1] > weights[0])
                found.append(Residual(pair[1 - longer], pair[longer], node, own[longer], plain=False))
    return found


def _summands(node: fx.Node) -> tuple[fx.Node, fx.Node] | None:
    """The two of a plain sum of two tensors."""
    adds = node.op == "call_function" and node.target in SUMS
    adds = adds or (node.op == "call_method" and node.target in ("add", "add_"))
    if not adds or node.kwargs or len(node.args) != 2:
        return None
    first, second = node.args
    if not isinstance(first, fx.Node) or not isinstance(second, fx.Node) or first is second:
        return None
    return first, second
