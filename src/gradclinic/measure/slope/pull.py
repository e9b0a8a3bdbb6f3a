"""The gradient of a loss by some leaves, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .nodes import nodes


def gradient_of(loss: Tensor, leaves: Sequence[Tensor]) -> list[Tensor | None]:
    """∂loss/∂leaves; None where autograd sends nothing.  Leaves of others keep their ``.grad``."""
    if not loss.requires_grad or not leaves:
        return [None] * len(leaves)
    try:
        return list(torch.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True))
    except RuntimeError as error:
        if "use_reentrant" not in str(error):
            raise
    # Reentrant checkpoints work with a plain backward only, which writes to every leaf of the graph.
    others = [node.variable for node in nodes([loss]) if hasattr(node, "variable")]
    everyone = {id(leaf): leaf for leaf in [*others, *leaves]}
    kept = [(leaf, leaf.grad) for leaf in everyone.values()]
    try:
        for leaf, _ in kept:
            leaf.grad = None
        torch.autograd.backward(loss)
        return [leaf.grad for leaf in leaves]
    finally:
        for leaf, before in kept:
            leaf.grad = before
