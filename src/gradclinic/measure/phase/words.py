"""One sentence for each stack."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log, sqrt

from gradclinic.schema.phase import Layer, StackKind, Theory


def words(
    kind: StackKind, depth: int, normalization: str, theory: Theory | None, reason: str, layers: Sequence[Layer]
) -> str:
    """What a user should know of a stack."""
    one, several = ("time step", "time steps") if kind == "recurrence" else ("layer", "layers")
    if theory is None:
        return f"{reason}; measured: {_measured(layers, one, several)}"
    gradient = _gradient(theory, one, depth, several)
    if normalization:
        return f"{theory.phase}, by {normalization} whatever the weights: {gradient}"
    if theory.phase == "critical":
        return f"critical: no depth scale limits its {depth} {several}; {gradient}"
    text: str = theory.phase
    if theory.depth_scales is not None and theory.trainable_layers is not None:
        scale = (depth - 1) / theory.depth_scales
        text += (
            f", {theory.depth_scales:.3g} depth scales of {scale:.3g} {several} deep, trainable to about "
            f"{max(1, round(theory.trainable_layers))} {several} (a rule: 6 depth scales)"
        )
    return f"{text}; {gradient}{_cure(theory)}"


def _gradient(theory: Theory, one: str, depth: int, several: str) -> str:
    factor = sqrt(theory.chi)
    if factor == 0 or not isfinite(factor):
        return "the gradient is lost in one layer"
    text = f"the gradient is multiplied by {factor:.3g} in each {one} towards the input"
    if isfinite(theory.decades):
        text += f", {theory.decades:+.2g} decades over these {depth} {several}"
    return text


def _cure(theory: Theory) -> str:
    if theory.weight_factor is None or theory.critical_sigma_w is None:
        return f"; no critical σ_w: {theory.no_critical}" if theory.no_critical else ""
    text = f"; critical at σ_w {theory.critical_sigma_w:.4g}: weights times {theory.weight_factor:.3g}"
    if theory.no_critical:  # at the present biases
        text += f", and biases of standard deviation {theory.critical_sigma_b:.3g}"
    return text


def _measured(layers: Sequence[Layer], one: str, several: str) -> str:
    text = f"q goes from {layers[0].q:.3g} to {layers[-1].q:.3g} over {len(layers)} {several}"
    growth = [layer.growth for layer in layers if layer.growth is not None and layer.growth > 0]
    if growth:
        mean = exp(sum(map(log, growth)) / len(growth))
        text += f", the gradient is multiplied by {mean:.3g} in each {one} towards the input"
    return text
