"""What a loss was given: the range and the form of predictions and targets, and shapes that spread by accident."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

#: Losses with a domain: function -> its arguments for prediction and target.
ARGUMENTS = {
    "cross_entropy": ("input", "target"),
    "nll_loss": ("input", "target"),
    "kl_div": ("input", "target"),
    "binary_cross_entropy": ("input", "target"),
    "binary_cross_entropy_with_logits": ("input", "target"),
    "soft_margin_loss": ("input", "target"),
    "hinge_embedding_loss": ("input", "target"),
    "margin_ranking_loss": ("input1", "target"),
    "cosine_embedding_loss": ("input1", "target"),
    "multilabel_margin_loss": ("input", "target"),
    "multilabel_soft_margin_loss": ("input", "target"),
    "poisson_nll_loss": ("input", "target"),
    "ctc_loss": ("log_probs", ""),
    "mse_loss": ("input", "target"),
    "l1_loss": ("input", "target"),
    "smooth_l1_loss": ("input", "target"),
    "huber_loss": ("input", "target"),
}
#: Options that change what is asked of the arguments.
_OPTIONS = ("log_target", "log_input", "ignore_index", "reduction", "p")
#: Of more elements than these the first are looked at: a language model's logits are many, and all of one kind.
SAMPLE = 1 << 20


def loss_call(
    function: Callable[..., Any], args: Any, kwargs: Any, made_by: Callable[[Tensor], str | None] = lambda _: None
) -> dict[str, Any] | None:
    """Facts of one call, as numbers; None for a function that is no loss with a domain.

    ``{"function", "options", "prediction": facts, "target": facts}``, where facts are ``shape``, ``integer``,
    ``least``, ``largest``, ``whole`` (every value is an integer), ``zeros`` (share) and, for floats of two or more
    dimensions, ``sums`` and ``log_sums``: for each dimension the least and the largest of Σx and log Σ exp x along it.
    The prediction's say ``by``, the function that made it (:data:`None` where ``made_by`` does not know), and both say
    ``tracked`` where a gradient can come back through them.
    """
    names = ARGUMENTS.get(str(getattr(function, "__name__", "")))
    if names is None:
        return None
    given = inspect.signature(function).bind(*args, **kwargs)
    given.apply_defaults()
    prediction, target = (given.arguments.get(name) for name in names)
    if not isinstance(prediction, Tensor):
        return None
    with torch.no_grad():
        return {
            "function": function.__name__,
            "options": {name: given.arguments[name] for name in _OPTIONS if name in given.arguments},
            "prediction": facts_of(prediction) | _told(made_by(prediction)),
            "target": facts_of(target) if isinstance(target, Tensor) else None,
        }


def facts_of(tensor: Tensor) -> dict[str, Any]:
    """Shape, range and form of one argument of a loss."""
    facts: dict[str, Any] = {"shape": list(tensor.shape), "integer": not tensor.is_floating_point()}
    if tensor.requires_grad:
        facts["tracked"] = True
    values = tensor.detach()
    while values.numel() > SAMPLE and len(values) > 1:
        values = values[: len(values) // 2]
    if not values.numel() or values.is_sparse or values.is_complex():
        return facts
    values = values.double()
    if not bool(torch.isfinite(values).all()):
        return facts
    facts |= {
        "least": float(values.min()),
        "largest": float(values.max()),
        "whole": bool((values == values.round()).all()),
        "zeros": float((values == 0).double().mean()),
    }
    if tensor.is_floating_point() and values.dim() > 1:
        dimensions = range(values.dim())
        facts["sums"] = [_span(values.sum(dim)) for dim in dimensions]
        facts["log_sums"] = [_span(values.logsumexp(dim)) for dim in dimensions]
    return facts


def _told(name: str | None) -> dict[str, str]:
    return {"by": name} if name else {}


def _span(values: Tensor) -> list[float]:
    return [float(values.min()), float(values.max())]


#: Calls of two tensors, element by element, in which a prediction meets its target.
_PAIRWISE = {
    "sub", "subtract", "rsub", "__sub__", "__rsub__", "mul", "__mul__", "__rmul__", "div", "__truediv__",
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss",
}  # fmt: skip


def accidental_outer(function: Callable[..., Any], args: Any) -> dict[str, Any] | None:
    """Shapes of a prediction and a target that spread to an outer product because one has an extra dimension of 1.

    (N, 1) against (N,) gives (N, N), and (N, 1, H) against (N, H) gives (N, N, H).  An outer product that is meant has
    its dimensions of 1 written out on both sides, or is of two values that are both being learned.
    """
    if getattr(function, "__name__", "") not in _PAIRWISE or len(args) < 2:
        return None
    pair = args[:2]
    if not all(isinstance(item, Tensor) for item in pair) or pair[0].requires_grad == pair[1].requires_grad:
        return None
    shapes = [tuple(item.shape) for item in pair]
    long, short = sorted(shapes, key=len, reverse=True)
    if len(long) != len(short) + 1 or max(short, default=1) == 1:
        return None
    if not any(size == 1 and (*long[:at], *long[at + 1 :]) == short for at, size in enumerate(long)):
        return None
    try:
        joint = tuple(torch.broadcast_shapes(long, short))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None
    if joint == long:
        return None
    return {"function": function.__name__, "left": list(shapes[0]), "right": list(shapes[1]), "joint": list(joint)}
