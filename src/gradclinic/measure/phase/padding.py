"""What zero padding costs: weights at the border see zeros, which shrinks the signal as layers follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """A convolution along one dimension."""

    size: int  #: of its input
    kernel: int
    stride: int
    before: int  #: zeros put before the input
    outputs: int
    dilation: int = 1


def windows(
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int] | str,
    dilation: Sequence[int],
    outputs: Sequence[int],
) -> tuple[Window, ...]:
    """Of torch's arguments, each as long as there are dimensions in space."""
    if padding == "same":
        padding = [d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)]
    elif isinstance(padding, str):  # "valid"
        padding = [0] * len(kernel)
    return tuple(Window(*each) for each in zip(sizes, kernel, stride, padding, outputs, dilation, strict=True))


def kept(layers: Sequence[tuple[Window, ...]]) -> list[float]:
    """Fraction of the mean square that each layer keeps, of what it would without a border.

    The profile of the mean square in space is followed from a flat one: the inner part loses less than one layer
    alone says.  That is exact for ReLU without biases, where q is only scaled; others pull q back to its fixed point.
    """
    profiles: list[Array] = []
    fractions = []
    for layer in layers:
        before = profiles if [w.size for w in layer] == [len(p) for p in profiles] else _flat(layer)
        profiles = [_through(window, profile) for window, profile in zip(layer, before, strict=True)]
        fraction = 1.0
        for profile, old in zip(profiles, before, strict=True):
            fraction *= float(profile.mean() / old.mean()) if old.mean() > 0 and len(profile) else 1.0
        fractions.append(fraction)
    return fractions


def _flat(layer: tuple[Window, ...]) -> list[Array]:
    return [np.ones(window.size) for window in layer]


def _through(window: Window, profile: Array) -> Array:
    starts = np.arange(window.outputs) * window.stride - window.before
    seen = starts[:, None] + np.arange(window.kernel) * window.dilation
    inside = (seen >= 0) & (seen < window.size)
    return np.asarray(np.where(inside, profile[np.clip(seen, 0, window.size - 1)], 0.0).mean(axis=1))
