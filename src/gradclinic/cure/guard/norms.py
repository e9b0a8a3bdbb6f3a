"""When a gradient's norm is a spike, and what it is clipped to.  Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

#: Weight of the newest norm, the z-score beyond which a norm is a spike, and norms seen before any is judged:
#: those of ZClip (Kumar et al. 2025, arXiv:2504.02507, section 3).
NEWEST = 0.03
Z = 2.5
WARM_UP = 25
#: A spike is also so many times the mean.  Where norms hardly vary any rise has a large z-score, and step-to-step noise
#: of healthy runs stays within a factor of about three (see ``capture.pulse``): those are left as they are, to the bit.
FACTOR = 4.0
#: And it is so many standard deviations out in the logarithm.  Near a minimum single samples make norms log-normal,
#: with tails that a mean and a deviation know nothing of; such a norm is out by five once in three million steps.
LOG_Z = 5.0
#: So many spikes in a row are no spikes but the new level (a plateau was left behind, the data have changed).
IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Spike:
    """A norm out of proportion, and what it should be."""

    norm: float
    usual: float  #: running mean
    z: float
    limit: float  #: clip to this norm


@dataclass(slots=True)
class RunningNorm:
    """Exponential mean and variance of one optimizer's gradient norm, and of its logarithm."""

    mean: float = 0.0
    variance: float = 0.0
    log_mean: float = 0.0
    log_variance: float = 0.0
    first: list[float] = field(default_factory=list)
    spikes: int = 0  #: in a row

    def take(self, norm: float) -> Spike | None:
        """Takes in a finite norm; the spike, where it is one.

        A spike is clipped to mean + (Z²/z)·deviation, the nearer to the mean the larger it is, and the statistics take
        in the clipped norm (ZClip's reciprocal clipping).
        """
        if len(self.first) < WARM_UP:
            self.first.append(norm)
            self.mean, self.variance = _moments(self.first)
            self.log_mean, self.log_variance = _moments([_log(x) for x in self.first])
            return None
        deviation = math.sqrt(self.variance)
        z = (norm - self.mean) / deviation if deviation > 0 else math.inf if norm > self.mean else 0.0
        far = _log(norm) - self.log_mean > LOG_Z * math.sqrt(self.log_variance)
        if z <= Z or norm <= FACTOR * self.mean or self.mean <= 0 or not far:
            self.spikes = 0
            self._learn(norm)
            return None
        self.spikes += 1
        if self.spikes > IN_A_ROW:
            self.first, self.spikes = [norm], 0
            return None
        usual, limit = self.mean, self.mean + Z * Z / z * deviation
        self._learn(limit)
        return Spike(norm, usual, z, limit)

    def _learn(self, norm: float) -> None:
        self.mean += NEWEST * (norm - self.mean)
        self.variance += NEWEST * ((norm - self.mean) ** 2 - self.variance)
        self.log_mean += NEWEST * (_log(norm) - self.log_mean)
        self.log_variance += NEWEST * ((_log(norm) - self.log_mean) ** 2 - self.log_variance)


def _moments(values: list[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((x - mean) ** 2 for x in values) / len(values)


def _log(norm: float) -> float:
    return math.log(max(norm, 1e-300))  # a norm of exactly 0 is smaller than any other
