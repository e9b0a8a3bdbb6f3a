"""How far back in a sequence the loss reaches: its gradient at each position of what the model was given."""

from __future__ import annotations

from math import isfinite, log10
from statistics import median

import torch
from torch import Tensor

from .replay import Replay

#: Three parts of three positions each are the fewest that tell a decline from noise.
SHORTEST = 9
#: Sequences longer than this are told by so many of their positions.
POSITIONS = 64
#: The smallest positive float32: where nothing arrives, no more than that was lost on the way.
SMALLEST = 2.0**-149


def input_reach(replay: Replay) -> list[float] | None:
    """Norms of the loss's gradient by position, first position first; None without a sequence.

    A sequence is a tensor of floating point that the model was given, (samples, positions) or (samples, positions,
    features) with the first two in either order, or what an embedding made of tokens.  Of several, and of the two
    orders, the one whose norms differ most is told: samples are alike, and what is forgotten is not.
    """
    leaves = replay.copies()
    given = [leaves[place] for place in replay.recording.inputs]
    for leaf in given:
        if leaf.is_floating_point():
            leaf.requires_grad_(True)
    loss, values = replay.run(leaves)
    made = [values[call.outputs[0]] for call in replay.recording.calls if call.name == "embedding"]
    chosen = [x for x in (*given, *made) if x.requires_grad and x.dim() in (2, 3)]
    if not chosen or not loss.requires_grad:
        return None
    gradients = torch.autograd.grad(loss, chosen, allow_unused=True)
    profiles = [p for g in gradients if g is not None for p in _profiles(g)]
    return max(profiles, key=lambda norms: abs(decline(norms) or 0.0), default=None)


def decline(norms: list[float]) -> float | None:
    """Decades from the last third of the positions to the first, medians; None where nothing reaches the last."""
    third = len(norms) // 3
    first, last = median(norms[:third]), median(norms[-third:])
    if not (last > 0 and isfinite(first) and isfinite(last)):
        return None
    return log10(max(first, SMALLEST) / last)


def _profiles(gradient: Tensor) -> list[list[float]]:
    found = []
    for dim in (0, 1):
        if gradient.shape[dim] >= SHORTEST:
            norms = gradient.detach().double().movedim(dim, 0).flatten(1).norm(dim=1)
            places = torch.linspace(0, len(norms) - 1, min(len(norms), POSITIONS)).long()
            found.append(norms[places].tolist())
    return found
