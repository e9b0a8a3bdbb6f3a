"""What the model was given at the first step: its range, how its columns compare, and what its format has rounded."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .losses import SAMPLE
from .tape import Recording

#: Of more tensors than these the first are described.
INPUTS_LIMIT = 8
#: Formats in which a whole number soon has no neighbour: float16 counts by one up to 2^11, bfloat16 up to 2^8.
COARSE = (torch.float16, torch.bfloat16)


def read_inputs(recording: Recording) -> list[dict[str, Any]]:
    """Facts of each tensor of floating point that the model was given, and of each constant in a coarse format.

    ``{"given", "dtype", "shape", "rms", "least", "largest", "whole", "offset", "spreads"}``: ``given`` is False for a
    constant; ``offset`` is the largest |mean| / spread of a column, and ``spreads`` are the least, the median and the
    largest spread (standard deviation) of the columns that vary.  Columns are the features: the last dimension, or the
    channels of images.
    """
    found = []
    for place, leaf in enumerate(recording.leaves):
        given = place in recording.inputs
        if leaf.requires_grad or not leaf.is_floating_point() or leaf.is_sparse or leaf.numel() < 2:
            continue
        if given or leaf.dtype in COARSE:
            found.append({"given": given, **_facts(leaf)})
        if len(found) == INPUTS_LIMIT:
            break
    return found


def _facts(tensor: Tensor) -> dict[str, Any]:
    facts: dict[str, Any] = {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
    values = tensor.detach()
    while values.numel() > SAMPLE and len(values) > 1:
        values = values[: len(values) // 2]
    values = values.double()
    if not bool(torch.isfinite(values).all()):
        return facts
    facts |= {
        "rms": float(values.square().mean().sqrt()),
        "least": float(values.min()),
        "largest": float(values.max()),
        "whole": bool((values == values.round()).all()),
    }
    columns = (
        values.reshape(-1, 1) if values.dim() < 2 else values.movedim(1 if values.dim() == 4 else -1, -1).flatten(0, -2)
    )
    spreads, means = columns.std(0, correction=0), columns.mean(0).abs()
    varies = spreads > 0
    if bool(varies.any()):
        known = spreads[varies]
        facts["offset"] = float((means[varies] / known).max())
        facts["spreads"] = [float(known.min()), float(known.median()), float(known.max())]
    return facts
