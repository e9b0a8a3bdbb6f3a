"""Which activations have an initialisation at which gradients neither shrink nor grow."""

from __future__ import annotations

from typing import Final

from gradclinic.schema.critical import critical_gain as published

#: Activations without a published critical point, by one that they hardly differ from around their working point:
#: leaky and parametric rectifiers at their default slopes, ELU's kin with slope 1 at 0, Mish within 3% of SiLU.
_KIN: Final[dict[str, str]] = {
    "Relu6": "Relu",
    "Clamp": "Relu",
    "PreluKernel": "LeakyRelu",
    "Prelu": "LeakyRelu",
    "RreluWithNoise": "LeakyRelu",
    "Celu": "Elu",
    "Mish": "Silu",
}
#: Activations whose slope never exceeds 1/4: χ = 1 would need σ_w above 9, where nearly every unit is saturated.
_SATURATING: Final = ("sigmoid", "softmax", "logsigmoid", "hardsigmoid")
#: Activations that grow faster than their input: the gradient's gain has no bound.
_UNBOUNDED: Final = ("exp", "exp2", "expm1", "pow", "square", "sinh", "cosh", "tan")


def plain(op: str) -> str:
    """An operation's name without case, version digits after "Backward" and underscores: "LeakyRelu" → "leakyrelu"."""
    return op.lower().replace("backward0", "").replace("backward1", "").replace("backward", "").replace("_", "")


def critical_gain(op: str) -> float | None:
    """σ_w at which a layer fed by this activation keeps the gradient's norm; None where there is none of use."""
    return published(_KIN.get(op, op))


def saturates(op: str) -> bool:
    """Whether no useful initialisation gives this activation a gain of 1."""
    return plain(op) in _SATURATING


def bounded(op: str) -> bool:
    """Whether the activation flattens on both sides, so that large inputs kill its slope."""
    return saturates(op) or plain(op) in ("tanh", "hardtanh", "softsign", "erf", "relu6")


def unbounded(op: str) -> bool:
    """Whether the activation grows faster than linearly."""
    return plain(op) in _UNBOUNDED


def rectifies(op: str) -> bool:
    """Whether the activation has units that can be exactly 0 with a slope of exactly 0."""
    return plain(op) in ("relu", "relu6", "threshold", "clampmin", "clamp")
