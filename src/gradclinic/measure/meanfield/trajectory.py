"""The length and the gradient of a network of a given depth, layer by layer; its layers may differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10

import numpy as np

from .activation import Activation
from .length import chi, length_map
from .moments import check


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A network of ``depth`` weight layers at its initialisation, infinitely wide."""

    q: tuple[float, ...]  #: (depth,): mean square of each layer's preactivations
    chi: tuple[
        float, ...
    ]  #: (depth - 1,): ‖δ‖² of a layer over that of the next, δ the loss's gradient by preactivations

    @property
    def decades(self) -> float:
        """log10 of ‖δ‖ of the first layer over that of the last: negative where gradients vanish."""
        if 0 in self.chi:
            return -inf
        return sum(log10(factor) for factor in self.chi) / 2


def trajectory(
    activation: Activation | Sequence[Activation],
    sigma_w: float | Sequence[float],
    sigma_b: float | Sequence[float] = 0.0,
    depth: int | None = None,
    q0: float = 1.0,
) -> Trajectory:
    """Follows q and χ through a finite network; no fixed point is assumed.

    Layer l has the preactivations h_l = W_l φ_l(h_{l-1}) + b_l, the first h_1 = W_1 x + b_1.  The factor between two
    layers is σ_w² of the upper one times E[φ'²] at the lower one's q, in whole norms; if widths differ, root mean
    squares differ from it by the ratio of the widths.

    Args:
        activation: one for all, or the ``depth`` - 1 between the layers in order.
        sigma_w: √fan_in times the weights' standard deviation; one for all, or ``depth`` of them in order.
        sigma_b: standard deviation of the biases; likewise.
        depth: number of weight layers; may be left out where one of the above is a sequence.
        q0: mean square of the network's input.

    Raises:
        ValueError: a negative argument, no depth, or sequences that do not fit it.
    """
    check(q0=q0)
    weights, biases = np.asarray(sigma_w, dtype=np.float64), np.asarray(sigma_b, dtype=np.float64)
    between = None if isinstance(activation, Activation) else list(activation)
    # What each sequence says about the depth; a single value says nothing.
    told = {
        "sigma_w": weights.size if weights.ndim else None,
        "sigma_b": biases.size if biases.ndim else None,
        "activation": None if between is None else len(between) + 1,
    }
    if depth is None:
        depth = next((said for said in told.values() if said is not None), None)
    if depth is None:
        raise ValueError("the depth is missing: give it, or one sigma_w per layer")
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    for name, said in told.items():
        if said not in (None, depth):
            raise ValueError(f"as many {name} as a depth of {said} has, where the depth is {depth}")
    check(sigma_w=float(weights.min()), sigma_b=float(biases.min()))
    w, b = (np.broadcast_to(value, (depth,)).tolist() for value in (weights, biases))
    phis = [activation] * (depth - 1) if isinstance(activation, Activation) else list(activation)
    q, factors = [w[0] ** 2 * q0 + b[0] ** 2], []
    for phi, weight, bias in zip(phis, w[1:], b[1:], strict=True):
        factors.append(chi(phi, weight, q[-1]))
        q.append(length_map(phi, weight, bias, q[-1]))
    return Trajectory(tuple(q), tuple(factors))
