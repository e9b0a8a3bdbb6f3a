"""Branches that exist already start small, so that their sum does not grow with depth."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Gate, Journal, Part, Untraceable, edit_graphs, parts
from ..surgery.post_norm import post_norms
from ..surgery.residuals import Residual, residuals

#: Branches from which their sum is large: of fewer it is within a factor of √2.
MANY = 3


class ResidualScaling(Remedy):
    """y = x + f(x)/√L for each of L branches, or y = x + g·f(x) with a trained g that starts at 0."""

    id = "residual_scaling"
    family = "shortcuts"
    title = "scaled branches"
    size = 3
    effect = "the signal at the start does not double with every block, and the gradient neither"
    source = "Hayou et al. 2021, arXiv:2010.12859; Bachlechner et al. 2021, arXiv:2003.04887; Zhang et al. 2019 (Fixup)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        count = sum(len(residuals(graph, owner)) for owner, graph in patient.graphs)
        # What is normalised after each sum does not grow.
        if count >= MANY and not any(post_norms(graph, owner) for owner, graph in patient.graphs):
            yield {"kind": "scaled"}
            yield {"kind": "rezero"}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "scaled")
        if kind not in ("scaled", "rezero"):
            raise CannotApply(f"no such scaling: {kind!r}; there are scaled and rezero")
        try:
            count = sum(len(residuals(next(iter(graphs.values())), owner)) for owner, graphs in parts(journal.model))
            done = edit_graphs(journal, lambda part: _scale(part, kind, count))
        except Untraceable as error:
            raise CannotApply(str(error)) from error
        if not done:
            raise CannotApply("no sum of a shortcut and its branch was found")

    def says(self, options: Options) -> str:
        return "ReZero branches" if options.get("kind") == "rezero" else "branches over √L"

    def code(self, options: Options) -> str:
        if options.get("kind") == "rezero":
            return "# in the model, for each block: x = x + gate * f(x)  # gate = nn.Parameter(torch.zeros(()))"
        return "# in the model, for each block: x = x + f(x) / len(blocks) ** 0.5"


def _scale(part: Part, kind: str, count: int) -> bool:
    found = residuals(part.graph, part.owner)
    for each in found:
        _one(part, each, kind, count)
    return bool(found)


def _one(part: Part, block: Residual, kind: str, count: int) -> None:
    layer = next((n for n in reversed(list(part.graph.nodes)) if n in block.inside and n.op == "call_module"), None)
    with part.graph.inserting_before(block.total):
        if kind == "rezero" and layer is not None:
            scaled = part.graph.call_module(part.beside(layer, "gate", Gate), (block.branch,))
        else:
            scaled = part.graph.call_function(operator.mul, (block.branch, count**-0.5))
    block.total.replace_input_with(block.branch, scaled)
