"""Shortcuts around the layers of a plain stack, as ResNet has them."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import fx, nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Gate, Journal, Part, Untraceable, edit_graphs, parts
from ..surgery.nodes import CONVOLUTIONS, DROPOUTS, activation_of, chain, is_norm, leads_to_weights, module_of

#: Blocks from which a stack is deep enough that a way around its layers can matter.
DEEP = 3


class Shortcuts(Remedy):
    """y = x + f(x)/√L around each layer with its activation whose output has its input's shape."""

    id = "shortcuts"
    family = "shortcuts"
    title = "shortcuts around the layers"
    size = 4
    effect = "signal and gradient reach every layer without passing through all others"
    source = "He et al. 2016; Hayou et al. 2021 (1/√L keeps the sum of L branches bounded); Bachlechner et al. 2021"

    def propose(self, patient: Patient) -> Iterable[Options]:
        blocks = sum(len(_blocks(graph, owner)) for owner, graph in patient.graphs)
        if blocks >= DEEP:
            yield {"kind": "scaled"}
            yield {"kind": "rezero"}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "scaled")
        if kind not in ("scaled", "rezero", "plain"):
            raise CannotApply(f"no such shortcut: {kind!r}; there are scaled, rezero and plain")
        try:
            count = sum(len(_blocks(next(iter(graphs.values())), owner)) for owner, graphs in parts(journal.model))
            done = edit_graphs(journal, lambda part: _add(part, kind, count))
        except Untraceable as error:
            raise CannotApply(str(error)) from error
        if not done:
            raise CannotApply("no layer with an activation keeps the shape of its input")

    def says(self, options: Options) -> str:
        return {"rezero": "ReZero shortcuts", "plain": "shortcuts"}.get(options.get("kind", ""), "scaled shortcuts")

    def code(self, options: Options) -> str:
        branch = {"scaled": "block(x) / len(blocks) ** 0.5", "rezero": "gate * block(x)"}.get(
            options.get("kind", "scaled"), "block(x)"
        )
        gate = "  # gate = nn.Parameter(torch.zeros(()))" if options.get("kind") == "rezero" else ""
        return f"# in the model, for each block that keeps the shape: x = x + {branch}{gate}"


def _blocks(graph: fx.Graph, owner: nn.Module) -> list[tuple[fx.Node, fx.Node, fx.Node]]:
    """(input, layer, end) of each: a layer, perhaps a normalisation, its activation and dropout."""
    found = []
    for node in graph.nodes:
        layer = module_of(node, owner)
        if layer is None or not _keeps_shape(layer) or not isinstance(node.args[0], fx.Node):
            continue
        end, active = node, False
        for after in chain(node):
            if activation_of(after, owner) and not active:
                end, active = after, True
            elif isinstance(module_of(after, owner), DROPOUTS) or is_norm(after, owner):
                end = after
            else:
                break
        into_sum = any(user.target in (operator.add, torch.add, operator.iadd) for user in end.users)
        if active and leads_to_weights(end, owner) and not into_sum:
            found.append((node.args[0], node, end))
    return found


def _keeps_shape(layer: nn.Module) -> bool:
    if isinstance(layer, nn.Linear):
        return layer.in_features == layer.out_features
    if not isinstance(layer, CONVOLUTIONS) or layer.in_channels != layer.out_channels:
        return False
    if layer.padding == "same":
        return True
    rows: Any = zip(layer.kernel_size, layer.padding, layer.dilation, layer.stride, strict=True)
    return layer.padding != "valid" and all(s == 1 and 2 * p == d * (k - 1) for k, p, d, s in rows)


def _add(part: Part, kind: str, count: int) -> bool:
    blocks = _blocks(part.graph, part.owner)
    for _, node, end in blocks:
        start = node.args[0]  # the sum before it, once the block before it has its shortcut
        with part.graph.inserting_after(end):
            if kind == "rezero":
                branch = part.graph.call_module(part.beside(node, "gate", Gate), (end,))
            elif kind == "scaled":
                branch = part.graph.call_function(operator.mul, (end, count**-0.5))
            else:
                branch = end
        with part.graph.inserting_after(branch):
            total = part.graph.call_function(operator.add, (start, branch))
        for user in list(end.users):
            if user not in (branch, total):
                user.replace_input_with(end, total)
    return bool(blocks)
