"""Where a gradient became non-finite, worked out after the fact from which parameters' gradients are."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

#: Operations whose derivative is not finite, or overflows, at an input where their value is finite or zero:
#: sqrt'(0), log'(0), (1/x)'(0), x**p at 0 for p < 1, the norm and the standard deviation of equal numbers,
#: arcsin' and arccos' at 1, atan2 at the origin.
STEEP = (
    "Sqrt", "Rsqrt", "Log", "Log2", "Log10", "Log1P", "Xlogy", "Div", "Reciprocal", "Pow", "Norm",
    "LinalgVectorNorm", "Std", "StdMean", "Var", "Acos", "Asin", "Atan2", "Acosh", "Atanh", "Cdist", "Exp", "Expm1",
    "Logdet", "LinalgSlogdet", "LinalgInvEx", "LinalgEigh", "LinalgSvd", "Angle", "CosineSimilarity",
)  # fmt: skip
#: On the way from an operation to the float32 parameter that it reads: nothing can overflow there.
PASSING = ("ToCopy", "T", "Transpose")


def bracket(
    graph: Sequence[Any], broken: Callable[[Tensor], bool], names: Callable[[Tensor], str | None]
) -> dict[str, Any] | None:
    """The data of a ``non_finite_origin`` event for a backward pass that is over.

    ``graph`` are the root nodes (their saved tensors may be gone); ``broken(leaf)`` says whether the gradient of
    a leaf holds non-finite elements; ``names`` names a leaf.

    A non-finite gradient spreads to everything upstream of the operation that made it, and leaves finite what
    branched off before.  So the operation lies below the last one that still fed a finite gradient.  Of those, the
    first in the order of the backward pass whose derivative can be infinite is named; else the first of all.
    Returns ``None`` where no leaf is broken.
    """
    order = _ordered(graph)
    clean: dict[Any, bool] = {}  # some leaf below has a finite gradient
    reached: dict[Any, list[str]] = {}  # the broken leaves below, by name
    for node in reversed(order):
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            clean[node] = not broken(leaf)
            reached[node] = [] if clean[node] else [names(leaf) or "a leaf"]
            continue
        below = [following for following, _ in node.next_functions if following is not None]
        clean[node] = any(clean.get(following, False) for following in below)
        # Only the nearest layer's names are needed, for saying where; a full set per node would be quadratic.
        reached[node] = next((reached[following] for following in below if reached.get(following)), [])
    suspects = [node for node in order if getattr(node, "variable", None) is None and reached[node] and not clean[node]]
    if not suspects:
        return None
    steep = [node for node in suspects if _steep(node)]
    origin = (steep or suspects)[0]
    parameter = reached[origin][0]
    return {
        "direction": "backward",
        "op": _op(_computing(origin, order)),
        "module": parameter.rpartition(".")[0],
        "inputs": [],
        "how": "bracket",
        "suspects": sorted({_op(node) for node in suspects[:64]}),
        "certain": len(steep) == 1 or len(suspects) == 1,
    }


def _computing(node: Any, order: Sequence[Any]) -> Any:
    """The operation whose result a cast or a transposition passes on to a leaf: those two make nothing infinite.

    Under autocast every parameter is read through a cast, so that the gradient of one may break where no other does.
    """
    while _op(node) in PASSING and all(
        following is None or _passed_on(following) for following, _ in node.next_functions
    ):
        feeders = [above for above in order if any(following is node for following, _ in above.next_functions)]
        if len(feeders) != 1:
            break
        node = feeders[0]
    return node


def _passed_on(node: Any) -> bool:
    leaf = getattr(node, "variable", None)
    return _op(node) in PASSING if leaf is None else leaf.dtype in (torch.float32, torch.float64)


def _steep(node: Any) -> bool:
    if _op(node) == "Pow":  # x**p is steep at 0 for p < 1 only; the exponent is a plain number, kept after backward
        exponent = getattr(node, "_saved_exponent", 0.0)
        return not isinstance(exponent, (int, float)) or exponent < 1
    return _op(node) in STEEP


def _op(node: Any) -> str:
    name: str = node.name().rpartition("::")[2]
    return name.split("Backward")[0]


def _ordered(roots: Sequence[Any]) -> list[Any]:
    """All nodes below the roots, each after everything that feeds it a gradient."""
    found: dict[Any, None] = dict.fromkeys(root for root in roots if root is not None)
    waiting = list(found)
    feeders: dict[Any, int] = dict.fromkeys(found, 0)
    while waiting:
        for following, _ in waiting.pop().next_functions:
            if following is None:
                continue
            feeders[following] = feeders.get(following, 0) + 1
            if following not in found:
                found[following] = None
                waiting.append(following)
    ready: list[tuple[int, int, Any]] = []
    for node in found:
        if feeders[node] == 0:
            heapq.heappush(ready, (_turn(node), id(node), node))
    order: list[Any] = []
    while ready:
        node = heapq.heappop(ready)[2]
        order.append(node)
        for following, _ in node.next_functions:
            if following is not None:
                feeders[following] -= 1
                if feeders[following] == 0:
                    heapq.heappush(ready, (_turn(following), id(following), following))
    return order


def _turn(node: Any) -> int:
    """Autograd runs the operation that ran last in the forward pass first; leaves take no part."""
    return 1 if getattr(node, "variable", None) is not None else -int(node._sequence_nr())
