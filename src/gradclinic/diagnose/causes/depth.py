"""Why a gradient shrinks or grows through depth: which part of the account is not what the critical layer has."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Literal

from gradclinic.schema.ledger import Recurrence

from ..spine import Factor, Spine, finite, log_ratio
from .cause import Cause, listed
from .criticality import plain, saturates, unbounded

Label = Literal["small", "large", "activation", "depth"]

#: A weight this close to critical is not blamed: sixty layers lose 1.3 decades (60·log10 1.05).
CLOSE = 1.05
#: The largest slope of a sigmoid, in decades: what it costs even when it is not saturated at all.
QUARTER = log10(0.25)
#: A weight used this often in depth is a recurrence, and not a tied pair (encoder and head) or a two-step unroll.
REPEATS = 4
#: BatchNorm and ReLU gain √(π/(π-1)) = 1.21 per layer, 0.083 decades, and more at small batches (Yang 2019):
#: from half of that per layer the growth is what the theory says of the architecture itself.
BATCHNORM_GROWTH = 0.0416
#: Layers of one kind differ by the finite width's noise, √(5/n) in ln‖δ‖ (Hanin 2018): .7 at width 10.  A factor two
#: between the largest and the median is more.
STANDS_OUT = 2.0
#: What carries more than half of the account is its cause.
MOST = 0.5


def explain(spine: Spine, sign: int) -> Cause:
    """The cause of a loss (``sign`` -1) or a growth (+1) of the gradient through depth."""
    return _recurrence(spine, sign) or _normalization(spine, sign) or _layers(spine, sign)


def _recurrence(spine: Spine, sign: int) -> Cause | None:
    found = [
        (sign * decades, item) for item in spine.ledger.recurrences if (decades := _through_time(item)) is not None
    ]
    if not found:
        return None
    most, worst = max(found, key=lambda pair: pair[0])
    if most <= 0 or most < MOST * sign * spine.total:
        return None
    times, where = len(worst.grad), (worst.module or worst.parameter or worst.op,)
    because = (
        f"the same weights of {listed(where)} are passed {times} times and account for {most:.1f} decades, where the "
        f"whole account has {abs(spine.total):.1f}"
    )
    numbers: dict[str, float | int | str] = {
        "decades_in_recurrence": sign * most,
        "decades_total": spine.total,
        "repetitions": times,
        "gain_per_repetition": 10 ** (sign * most / max(times - 1, 1)),
    }
    source = "Pascanu 2013: the gradient through t steps scales as the recurrent gain to the power t"
    if sign < 0:
        action = (
            f"In {listed(where)}: initialise the recurrent weights orthogonally, or use an LSTM with a forget bias of "
            "1, and pass gradients through fewer time steps."
        )
        remedies: tuple[str, ...] = ("orthogonal_recurrence", "gated_cell", "truncated_backpropagation")
        return Cause("recurrent_contraction", because, action, where, numbers, remedies, source, 0.9)
    action = (
        f"In {listed(where)}: initialise the recurrent weights orthogonally (gain 1) and clip the gradient's norm to 1."
    )
    remedies = ("orthogonal_recurrence", "gradient_clipping", "gated_cell")
    return Cause("recurrent_expansion", because, action, where, numbers, remedies, source, 0.9)


def _through_time(recurrence: Recurrence) -> float | None:
    """Decades from the last time step to the first."""
    known = [value for value in recurrence.grad if value is not None]
    if len(known) < REPEATS or not known[-1] > 0:
        return None
    return log_ratio(known[0], known[-1])


def _normalization(spine: Spine, sign: int) -> Cause | None:
    """Growth by normalising after every layer.  The weights cannot be blamed: normalisation undoes their scale."""
    norms = [line for line in spine.lines if line.kind == "normalization" and "batchnorm" in plain(line.op)]
    if sign < 0 or len(norms) < REPEATS or 2 * len(norms) < spine.count("weight"):
        return None
    per_layer = spine.total / len(norms)
    if per_layer < BATCHNORM_GROWTH:
        return None
    where = tuple(line.module for line in norms)
    return Cause(
        "normalization_depth",
        f"{len(norms)} batch normalisations in a row each make it grow by {10**per_layer:.2f}; the theory of a "
        "plain stack says 1.21 and more at small batches",
        "Add a shortcut around every two layers, or take the batch normalisation out of the stack.",
        where,
        {
            "decades_total": spine.total,
            "normalizations": len(norms),
            "gain_per_layer": 10**per_layer,
            "gain_theory": 1.2111,
        },
        ("residual", "remove_normalization", "gradient_clipping"),
        "Yang 2019: BatchNorm makes ‖δ‖ grow by √(π/(π-1)) per ReLU layer",
        0.85,
    )


def _layers(spine: Spine, sign: int) -> Cause:
    blamed: dict[Label, list[tuple[float, Factor]]] = {"small": [], "large": [], "activation": [], "depth": []}
    for factor in spine.factors:
        for label, decades in _blame(factor, sign):
            blamed[label].append((decades, factor))
    sums = {label: sum(decades for decades, _ in items) for label, items in blamed.items()}
    label = max(sums, key=lambda key: sign * sums[key])
    if sign * sums[label] < MOST * sign * spine.total / 2 or not blamed[label]:
        return _other(spine, sign)
    items = sorted(blamed[label], key=lambda item: sign * item[0], reverse=True)
    return _named(label, spine, sign, sums[label], items)


def _blame(factor: Factor, sign: int) -> list[tuple[Label, float]]:
    """Splits one factor's decades among the labels."""
    if factor.critical is not None and not unbounded(factor.activation):
        ratio = factor.sigma / factor.critical
        if ratio < 1 / CLOSE:
            return [("small", factor.decades)]
        # Above critical the weights are to blame both for what they add and for what the activation loses by them.
        return [("large" if ratio > CLOSE else "depth", factor.decades)]
    # No critical point: the weight is held against a gain of 1, the slope against nothing.
    weight = log_ratio(factor.sigma, 1.0)
    parts: list[tuple[Label, float]] = [("small" if weight < 0 else "large", factor.weight)]
    if sign < 0 and saturates(factor.activation) and factor.slope < 2 * QUARTER and weight > log10(CLOSE):
        # More than twice the cost of an unsaturated sigmoid: large weights drove it out of its slope.
        return [*parts, ("activation", QUARTER), ("large", factor.slope - QUARTER)]
    return [*parts, ("activation", factor.slope)]


def _named(label: Label, spine: Spine, sign: int, decades: float, items: Sequence[tuple[float, Factor]]) -> Cause:
    factors = [factor for _, factor in items]
    modules = _origin_first(items, decades)
    in_order = sorted(factors, key=lambda factor: factor.sequence)
    acts = tuple(dict.fromkeys(f.activation_module or f.activation for f in in_order if f.activation))
    worst = factors[0]
    numbers: dict[str, float | int | str] = {
        "decades_of_cause": decades,
        "decades_total": spine.total,
        "layers": len(spine.factors),
        "sigma_w": worst.sigma,
    }
    if worst.critical is not None:
        numbers["sigma_w_critical"] = worst.critical
    share = (
        f"{abs(decades):.1f} of {abs(spine.total):.1f} decades"
        if abs(decades) <= abs(spine.total)
        else f"{abs(decades):.1f} decades"
    )
    if label == "activation" and sign < 0:
        return Cause(
            "saturating_activation",
            f"{share} go to {worst.activation} in {listed(acts)}, whose slope never exceeds 1/4, so that no "
            "initialisation of the weights can win it back",
            f"Replace {worst.activation} in {listed(acts)} by ReLU and initialise with kaiming_normal_.",
            acts,
            numbers | {"activation": worst.activation},
            ("relu_kaiming", "residual", "normalization"),
            "Glorot 2010; σ'(x) ≤ 1/4",
            0.9,
        )
    if label == "activation":
        return Cause(
            "unbounded_activation",
            f"{share} come from {worst.activation} in {listed(acts)}, whose slope grows with its input without bound",
            f"Replace {worst.activation} in {listed(acts)} by ReLU or Tanh.",
            acts,
            numbers | {"activation": worst.activation},
            ("relu_kaiming", "normalization", "gradient_clipping"),
            "the gain E[φ'²] of a convex activation grows with the variance of its input",
            0.85,
        )
    if label == "depth":
        return Cause(
            "missing_shortcut",
            f"each layer is near its critical initialisation; {len(factors)} of them in a row are too deep without"
            " shortcuts",
            f"Add a shortcut around every two layers of {listed(modules)}.",
            modules,
            numbers,
            ("residual", "normalization"),
            "He 2016; Hanin 2018: the variance of ln‖δ‖ grows as 5·Σ1/n",
            0.5,
        )
    reference = worst.critical or 1.0
    feeds = f" fed by {worst.activation}" if worst.activation else ""
    scale = f"σ_w = {worst.sigma:.3g} where {reference:.3g} keeps the gradient"
    kaiming = abs(reference - 2**0.5) < 0.02
    how = "kaiming_normal_" if kaiming else f"xavier_normal_ (gain {reference:.3g})"
    remedies = ("relu_kaiming" if kaiming else "critical_init", "normalization", "residual")
    if label == "small":
        return Cause(
            "weight_scale_small",
            f"{share} go to weights that are too small: in {listed(modules)}{feeds} {scale}",
            f"Initialise the weights of {listed(modules)} with {how}.",
            modules,
            numbers,
            remedies,
            "critical initialisation: σ_w²·E[φ'²] = 1 (He 2015, Schoenholz 2017)",
            0.85,
        )
    return Cause(
        "weight_scale_large",
        f"{share} come from weights that are too large: in {listed(modules)}{feeds} {scale}",
        f"Initialise the weights of {listed(modules)} with {how}.",
        modules,
        numbers,
        remedies,
        "critical initialisation: σ_w²·E[φ'²] = 1 (He 2015, Schoenholz 2017)",
        0.85,
    )


def _other(spine: Spine, sign: int) -> Cause:
    """No layer's weight or activation carries it: the operation that does is named."""
    lines = sorted(spine.lines, key=lambda line: sign * line.decades, reverse=True)
    worst = lines[0]
    where = tuple(dict.fromkeys(line.module or line.op for line in lines[:3]))
    numbers: dict[str, float | int | str] = {
        "decades_total": spine.total,
        "decades_of_cause": finite(worst.decades),
        "operation": worst.op,
    }
    verb = "loses" if sign < 0 else "adds"
    if sign > 0 and unbounded(worst.op):
        return Cause(
            "unbounded_activation",
            f"{worst.op} in {listed(where[:1])} {verb} {abs(finite(worst.decades)):.1f} decades",
            f"Bound what goes into {worst.op} in {listed(where[:1])}.",
            where,
            numbers,
            ("normalization", "gradient_clipping"),
            "the ledger's largest line",
            0.6,
        )
    if worst.kind == "weight":
        cause: Literal["weight_scale_small", "weight_scale_large"] = (
            "weight_scale_small" if sign < 0 else "weight_scale_large"
        )
    else:
        cause = "weight_scale_small" if sign < 0 and spine.share("weight") < spine.total / 2 else "weight_scale_large"
        if sign * spine.share("weight") <= 0:
            return Cause(
                "unknown",
                f"{worst.op} in {listed(where[:1])} {verb} {abs(finite(worst.decades)):.1f} decades, more than any"
                " other operation",
                f"Look at {worst.op} in {listed(where[:1])}: it is where the gradient changes most.",
                where,
                numbers,
                ("normalization", "residual"),
                "the ledger's largest line",
                0.4,
            )
    return Cause(
        cause,
        f"the weights of {listed(where)} together {'lose' if sign < 0 else 'add'} {abs(spine.share('weight')):.1f}"
        " decades",
        f"Initialise the weights of {listed(where)} so that their output has the scale of their input.",
        where,
        numbers,
        ("critical_init", "normalization"),
        "the ledger's largest lines",
        0.5,
    )


def _origin_first(items: Sequence[tuple[float, Factor]], decades: float) -> tuple[str, ...]:
    """Where one layer stands out, those that together carry four fifths, the worst first; else all as they ran."""
    typical = abs(items[len(items) // 2][0])
    if abs(items[0][0]) <= STANDS_OUT * typical:
        return tuple(dict.fromkeys(f.module for f in sorted((f for _, f in items), key=lambda f: f.sequence)))
    names: list[str] = []
    carried = 0.0
    for part, factor in items:
        names.append(factor.module)
        carried += part
        if abs(carried) >= 0.8 * abs(decades):
            break
    return tuple(dict.fromkeys(names))
