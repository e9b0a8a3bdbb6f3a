"""Robust statistics of a noisy loss curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Losses beyond it have diverged whatever they are; their squares still fit into float64.
LARGEST = 1e150
#: A window's median stands for the window.  Five values are the fewest of which two may be outliers.
SMALLEST_WINDOW = 5
#: Ten windows per run: enough to tell a fall, a jump and a rise apart.
WINDOWS = 10
#: Standard deviation over median absolute deviation, for normal noise.
NORMAL = 1.4826


def noise(values: Array) -> float:
    """Standard deviation of the noise of one value, from successive differences, so that a trend does not count.

    ``values`` (n,).  The differences are centred, so that a steady full-batch fall is not taken for noise; a
    curved one still is, a little, which errs on the side of calling a fall unproven.
    """
    if len(values) < 3:
        return 0.0
    steps = np.diff(values)
    return float(NORMAL * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def window_size(count: int) -> int:
    """Values in one window of a series of ``count``."""
    return min(count, max(SMALLEST_WINDOW, count // WINDOWS))


def window_medians(values: Array) -> Array:
    """Medians of consecutive windows; the last window ends with the series."""
    size = window_size(len(values))
    if size == 0:
        return np.zeros(0)
    starts = range(len(values) % size, len(values) - size + 1, size)
    return np.array([np.median(values[start : start + size]) for start in starts])


def median_error(sigma: float, count: int) -> float:
    """Standard error of the median of ``count`` values with noise ``sigma``: sqrt(pi/2)·σ/√n."""
    return float(np.sqrt(np.pi / 2) * sigma / np.sqrt(max(count, 1)))


def alternation(values: Array) -> float:
    """Correlation of neighbours after the trend is taken out: near -1 where the loss jumps up and down.

    White noise gives 0 with a standard error of 1/√n; the period-two orbit of an unstable step gives -1.
    """
    if len(values) < 4:
        return 0.0
    positions = np.arange(len(values), dtype=np.float64)
    rest = values - np.polyval(np.polyfit(positions, values, 1), positions)
    power = float(np.sum(rest**2))
    return float(np.sum(rest[1:] * rest[:-1]) / power) if power > 0 else 0.0
