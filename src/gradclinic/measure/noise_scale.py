"""The gradient noise scale: how much of a batch's gradient is noise, and what a larger batch would buy.

G is the gradient of the loss over all data, Σ the covariance of a single sample's gradient.  B_simple = tr Σ / ‖G‖² is
the batch size at which noise and signal are equal (McCandlish, Kaplan, Amodei and the OpenAI Dota team 2018,
arXiv:1812.06162).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.still import Still
from gradclinic.measure.jacobian.tree import cloned
from gradclinic.measure.student import t95

#: Gradients that the spread of the estimate can be told from at all.
FEWEST = 4


@dataclass(frozen=True, slots=True)
class NoiseScale:
    """An estimate from ``count`` gradients, each the mean over a batch of ``size`` samples."""

    size: int
    count: int
    signal: float  #: ‖G‖², in the loss's units squared per weight's squared; below 0 by chance where it is small
    noise: float  #: tr Σ, of one sample
    value: float | None  #: B_simple in samples; None where ‖G‖² cannot be told from 0
    low: float  #: 95% interval
    high: float  #: inf where ‖G‖² cannot be told from 0


def noise_scale(gram: Tensor, size: int, population: int | None = None) -> NoiseScale:
    """B_simple from the inner products (count, count) of the gradients of ``count`` batches of ``size`` samples.

    With B_small = ``size`` and B_big = count·size these are the unbiased estimators of McCandlish et al. 2018,
    appendix A.1, ‖G‖² = (B_big‖G_big‖² - B_small‖G_small‖²)/(B_big - B_small) and
    tr Σ = (‖G_small‖² - ‖G_big‖²)/(1/B_small - 1/B_big), with ‖G_small‖² averaged over the batches: the first is the
    mean product of two different gradients, the second ``size`` times what their mean square has more.

    ``population``: how many samples there are in all, where the batches are disjoint parts of them, drawn without
    replacement.  Then products of two gradients fall short of ‖G‖², that of these samples, by tr Σ / population.

    The interval is Fieller's (1954) for a ratio, on the jackknife over the batches.  It has no upper end where ‖G‖² is
    not above 0 at 95%; its lower end then says how large B_simple is at least.

    Raises:
        ValueError: fewer than four gradients, or one that is not finite.
    """
    count = len(gram)
    if count < FEWEST:
        raise ValueError(f"{count} batches do not tell the noise of a gradient: {FEWEST} at least")
    products = gram.double()
    if not bool(products.isfinite().all()):
        raise ValueError("a gradient is not finite")
    squares = products.diagonal()
    others = products.sum(1) - squares  # of each gradient with all others
    total, length = others.sum(), squares.sum()
    signals = _pseudo(total / (count * (count - 1)), (total - 2 * others) / ((count - 1) * (count - 2)), count)
    lengths = _pseudo(length / count, (length - squares) / (count - 1), count)
    noises = size * (lengths - signals)
    if population is not None:
        signals = signals + noises / population
        # What is known of a part of the samples is the surer the larger the part (Cochran 1977, section 2.6).
        rest = max(1 - count * size / population, 0.0)
        signals = signals.mean() + sqrt(rest) * (signals - signals.mean())
    return _ratio(signals, noises, size)


def _pseudo(whole: Tensor, without: Tensor, count: int) -> Tensor:
    """Tukey's pseudo-values of a statistic: their mean is it, and their spread is its error."""
    return count * whole - (count - 1) * without


def _ratio(signals: Tensor, noises: Tensor, size: int) -> NoiseScale:
    count = len(signals)
    signal, noise = float(signals.mean()), float(noises.mean())
    (vs, vc), (_, vn) = (torch.cov(torch.stack([signals, noises])) / count).tolist()
    square = t95(count - 1) ** 2
    # All B for which noise - B·signal is 0 within its error: a·B² - 2·b·B + c ≤ 0.
    a, b, c = signal**2 - square * vs, signal * noise - square * vc, noise**2 - square * vn
    root = sqrt(max(b**2 - a * c, 0.0))
    if a > 0 and signal > 0:
        low, high = max((b - root) / a, 0.0), max((b + root) / a, 0.0)
        return NoiseScale(size, count, signal, noise, max(noise / signal, 0.0), low, high)
    low = (b - root) / a if a < 0 < c and noise > 0 else 0.0
    return NoiseScale(size, count, signal, noise, None, low, inf)


def gradient_products(
    model: nn.Module, loss: Callable[[nn.Module, Any], Tensor], batches: Sequence[Any], *, seed: int = 0
) -> Tensor:
    """The inner products (count, count), in float64, of the gradients of ``loss(model, batch)`` of each batch.

    Weights without a gradient count as zeros.  Model, batches and generators are left as they were; each batch draws
    random numbers (dropout) of its own.  Costs one gradient for each batch, and the memory of all of them.

    Raises whatever the loss raises, and NoProduct for TorchScript.
    """
    rows: list[list[Tensor | None]] = []
    for place, batch in enumerate(batches):
        leaves = {n: p.detach().requires_grad_() for n, p in model.named_parameters() if p.requires_grad}

        def gradient(batch: Any = batch, leaves: dict[str, Tensor] = leaves) -> list[Tensor | None]:
            found = torch.autograd.grad(loss(model, cloned(batch)), list(leaves.values()), allow_unused=True)
            return [None if g is None else _flat(g) for g in found]

        rows.append(Still(model, seed=seed + place, own=True).run(gradient, leaves))
    products = torch.zeros(len(rows), len(rows), dtype=torch.float64)
    for column in zip(*rows, strict=True):
        there = next((g for g in column if g is not None), None)
        if there is not None:
            stacked = torch.stack([torch.zeros_like(there) if g is None else g for g in column]).double()
            products += (stacked @ stacked.T).cpu()
    return products


def _flat(gradient: Tensor) -> Tensor:
    dense = gradient.detach() if gradient.layout == torch.strided else gradient.detach().to_dense()
    return (torch.view_as_real(dense) if dense.is_complex() else dense).reshape(-1)


def steps_needed(scale: float, size: float) -> float:
    """S/S_min = 1 + B_noise/B: the steps to a given loss, in units of those of the whole gradient (equation 2.10).

    Each with its own best learning rate; B in samples.
    """
    return 1 + scale / size


def samples_needed(scale: float, size: float) -> float:
    """E/E_min = 1 + B/B_noise: the samples to a given loss, in units of the fewest; inf without noise."""
    return 1 + size / scale if scale > 0 and isfinite(scale) else (1.0 if scale > 0 else inf)
