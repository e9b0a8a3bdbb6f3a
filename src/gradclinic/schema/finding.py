"""What a diagnosis says: findings, their evidence, and the identifiers it may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Severity = Literal["critical", "warning", "note"]
Verdict = Literal["healthy", "sick", "undecided"]

ConditionId = Literal[
    "vanishing_gradient", "exploding_gradient", "non_finite", "zero_gradient", "dead_units", "saturated_units",
    "rank_collapse", "stalled_update", "divergence", "oscillation", "loss_spike", "plateau",
    "disconnected_parameter", "wrong_objective", "wrong_gradient", "initial_scale", "precision_headroom", "converged",
]  # fmt: skip

CauseId = Literal[
    "saturating_activation", "unbounded_activation", "weight_scale_small", "weight_scale_large", "symmetric_init",
    "missing_shortcut", "normalization_depth", "normalization_placement", "recurrent_contraction",
    "recurrent_expansion", "learning_rate_high", "learning_rate_low", "optimizer_epsilon", "weight_decay_high",
    "input_scale", "target_scale", "loss_reduction", "loss_mismatch", "loss_broadcast", "output_activation",
    "empty_target", "gradient_ascent", "detached_graph", "frozen_parameter", "precision_overflow",
    "precision_underflow", "precision_rounding", "invalid_operation", "clip_before_unscale", "optimizer_order",
    "wrong_backward", "convergence", "unknown",
]  # fmt: skip

CONDITIONS: tuple[str, ...] = get_args(ConditionId)
CAUSES: tuple[str, ...] = get_args(CauseId)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or, as a note, worth knowing)."""

    condition: ConditionId
    cause: CauseId
    where: tuple[str, ...]  #: module paths, parameter names or operations, the origin first
    step: int | None  #: since which step of the optimizer
    severity: Severity
    confidence: float  #: 0 to 1
    evidence: dict[str, Any]  #: numbers, each under a name that says its unit; never empty
    explanation: str  #: what, where, since when, why: two or three plain sentences
    action: str  #: what to do first, one sentence
    remedies: tuple[str, ...] = ()
    source: str = ""  #: the paper or formula that the reference comes from


@dataclass(frozen=True, slots=True)
class Healthy:
    """The condition was looked for and is not there."""

    condition: ConditionId
    because: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotEnoughData:
    """The condition could not be judged."""

    condition: ConditionId
    missing: str  #: what would be needed


Outcome = Finding | Healthy | NotEnoughData
