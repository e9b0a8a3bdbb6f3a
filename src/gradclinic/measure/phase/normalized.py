"""The theory of layers with a normalisation between the weights and the activation, or after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import median

from gradclinic.measure.meanfield import (
    Activation,
    batchnorm_growth,
    depth_scale,
    length_map,
    moments,
    pair_moments,
    phase,
)
from gradclinic.schema.phase import Theory

from .parts import Normalization
from .theory import Followed, decades

#: Normalisations over the features of one sample: in a wide layer they divide by the square root of q.
PER_SAMPLE = frozenset(("layer_norm", "rms_norm"))


class NoTheory(Exception):
    """Says why."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """An activation with a normalisation before it (``first``) or after it."""

    activation: Activation
    norm: Normalization
    first: bool

    @property
    def leaving(self) -> float:
        """Mean square of what enters the next product; nothing before the normalisation matters to it."""
        square = self.norm.gain + self.norm.shift
        return moments(self.activation, square).square if self.first else square

    def factor(self, sigma_w: float, q: float) -> float:
        """‖δ‖² of a product's output over that of the next one's, whose weights are σ_w, for a length ``q`` > 0.

        Before: u ~ N(β², γ²) = γ h/√q + β, so σ_w² γ² E[φ'(u)²]/q.  After: γ(φ(h) - E φ)/√Var φ, so
        σ_w² γ² E[φ'(h)²]/Var φ(h).  The one direction in n that a normalisation takes out of δ is left out.
        """
        if self.first:
            entering = self.norm.gain + self.norm.shift
            return sigma_w**2 * self.norm.gain * moments(self.activation, entering).slope_square / q
        found = moments(self.activation, q)
        spread = found.square
        if self.norm.name == "layer_norm":
            spread -= pair_moments(self.activation, q, 0.0).product  # E[φ]²
        return sigma_w**2 * self.norm.gain * found.slope_square / spread


def normalized(between: Sequence[Normalized], sigma_w: Sequence[float], sigma_b: Sequence[float], q: float) -> Followed:
    """For layers with normalisation; ``between`` each and the next, ``q`` the mean square of their input.

    χ is that of many such layers: for ReLU without biases 1 with the normalisation before it (Doshi, He and Gromov
    2021 for preactivations) and π/(π - 1) after it, whatever the weights.  For batch normalisation see
    :func:`~gradclinic.measure.meanfield.batchnorm_growth`; what the first layer does to the gradient depends on the
    variance of its outputs over the batch, and is left out.

    Raises:
        NoTheory: for this normalisation there is none.
    """
    if between[0].norm.name == "batch_norm":
        return _batch(between, sigma_w, sigma_b, q)
    if between[0].norm.name not in PER_SAMPLE:
        raise NoTheory(f"{between[0].norm.name}: not described by this theory")
    lengths = [sigma_w[0] ** 2 * q + sigma_b[0] ** 2]
    lengths += [w**2 * one.leaving + b**2 for one, w, b in zip(between, sigma_w[1:], sigma_b[1:], strict=True)]
    if not all(length > 0 for length in lengths):
        raise NoTheory("nothing arrives at a normalisation")
    chis = [one.factor(w, length) for one, w, length in zip(between, sigma_w[1:], lengths, strict=False)]
    # Of many such layers: each then has the length that the weights after it make.
    chi = median(one.factor(w, own) for one, w, own in zip(between, sigma_w[1:], lengths[1:], strict=True))
    return _followed(chi, tuple(lengths), [sqrt(one) for one in chis])


def _batch(between: Sequence[Normalized], sigma_w: Sequence[float], sigma_b: Sequence[float], q: float) -> Followed:
    if any(one.activation.name != "relu" or not one.first or one.norm.shift > 0 for one in between):
        raise NoTheory("batch norm other than between a layer and ReLU, or with offsets: no closed form is known")
    if any(one.norm.batch < 4 for one in between):
        raise NoTheory("batch norm over fewer than 4 values: no gradient on average")
    chis = [batchnorm_growth(one.norm.batch) for one in between]
    # What varies over the batch is of the inputs' making; the bias does not.
    varying = [length_map(one.activation, w, 0.0, one.norm.gain) for one, w in zip(between, sigma_w[1:], strict=True)]
    lengths = [sigma_w[0] ** 2 * q, *varying]
    # The gradient also scales with the layer's own spread, which its normalisation divides by.
    growth: list[float | None] = [None]
    for chi, (own, above) in zip(chis[1:], pairwise(varying), strict=True):
        growth.append(sqrt(chi * above / own) if own > 0 else None)
    return _followed(median(chis), tuple(length + b**2 for length, b in zip(lengths, sigma_b, strict=True)), growth)


def _followed(chi: float, lengths: tuple[float, ...], growth: Sequence[float | None]) -> Followed:
    # χ is a number of the architecture here, not measured off weights: only rounding is critical.
    theory = Theory(phase(chi), chi, depth_scale(chi), decades(growth))
    return Followed(theory, lengths, tuple(growth))
