"""Blocks that normalise after their sum, LN(x + f(x)), found and turned into x + f(LN(x)) in a traced forward."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import fx, nn

from .graph import Part
from .nodes import is_norm, module_of
from .residuals import Residual, residuals

#: Per sample: moved before a branch, one of a batch would see other statistics in training and in evaluation.
PER_SAMPLE = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)


def post_norms(graph: fx.Graph, owner: nn.Module) -> list[tuple[Residual, fx.Node]]:
    """Each sum and the normalisation that alone takes it, in order."""
    found = []
    for each in residuals(graph, owner):
        users = list(each.total.users)
        if each.plain and len(users) == 1 and isinstance(module_of(users[0], owner), PER_SAMPLE):
            found.append((each, users[0]))
    return found


def move_norms(part: Part, *, final: bool) -> bool:
    """Moves every such normalisation into its branch; ``final`` puts one after the last sum of each chain.

    Without it the sum of all branches would leave unnormalised (Xiong et al. 2020, section 3.1).
    """
    graph, blocks = part.graph, post_norms(part.graph, part.owner)
    moved: dict[fx.Node, fx.Node] = {}  # former normalisation → the sum before it, which stands for it now
    heads, sums = set(), []
    for block, norm in blocks:
        start = moved.get(block.shortcut, block.shortcut)
        with graph.inserting_after(_last(graph, start)):
            head = graph.call_module(str(norm.target), (start,))
        for user in block.inside:
            if user not in heads and user is not head:
                user.replace_input_with(start, head)
        norm.replace_all_uses_with(block.total)
        moved[norm] = block.total
        graph.erase_node(norm)
        heads.add(head)
        sums.append((block.total, head))
    for total, head in sums:
        ends = [user for user in total.users if user not in heads and user not in {each for each, _ in sums}]
        if final and ends and not all(is_norm(user, part.owner) for user in ends):
            make = _another(part.owner.get_submodule(str(head.target)))
            with graph.inserting_after(total):
                last = graph.call_module(part.beside(head, "final", make), (total,))
            for user in ends:
                user.replace_input_with(total, last)
    return bool(blocks)


def _last(graph: fx.Graph, node: fx.Node) -> fx.Node:
    """Where something may be put after ``node``: inputs stand before all else."""
    if node.op != "placeholder":
        return node
    places: list[fx.Node] = [each for each in graph.nodes if each.op == "placeholder"]
    return places[-1]


def _another(norm: nn.Module) -> Callable[[], nn.Module]:
    """A fresh one of the same kind and shape: scale 1, shift 0."""

    def make() -> nn.Module:
        new = copy.deepcopy(norm)
        new.reset_parameters()  # type: ignore[operator]
        return new

    return make
