"""Samples of different labels that go through a batch normalisation apart: each is measured by its own kind."""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F

from .replay import symbols_of
from .tape import Call, Leaf, Recording

#: Losses of labels, whose constant target says that a pass held one kind only.
_OF_LABELS = ("binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy")


def split_batches(recording: Recording) -> dict[str, Any] | None:
    """``{"passes", "module"}`` where each pass through a batch normalisation ends in a loss of one label; None else."""
    losses = [call for call in recording.loss_calls if call["function"] in _OF_LABELS]
    if len(losses) < 2 or len(losses) < len(recording.loss_calls):
        return None
    ends = [(call["target"] or {}).get("least") for call in losses]
    alike = all((call["target"] or {}).get("largest") == least for call, least in zip(losses, ends, strict=True))
    if not alike or None in ends or len(set(ends)) < 2:
        return None
    passes: dict[int, list[Call]] = {}
    for call in recording.calls:
        if call.function is F.batch_norm and _of_the_batch(call):
            first = next((item.place for item in symbols_of(call) if isinstance(item, Leaf)), None)
            if first is not None:
                passes.setdefault(first, []).append(call)
    for calls in passes.values():
        if len(calls) == len(losses):
            return {"passes": len(calls), "module": calls[0].module}
    return None


def _of_the_batch(call: Call) -> bool:
    """Whether it normalises with the batch's own statistics; ``training`` is the sixth argument."""
    given = call.kwargs.get("training", call.args[5] if len(call.args) > 5 else False)
    return given is True
