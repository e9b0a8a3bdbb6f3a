"""Tanh and sigmoid units pushed to where their slope is gone."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Healthy, NotEnoughData, Outcome

from ..causes.attention import one_hot_attention
from ..causes.cause import Cause
from ..causes.criticality import bounded, plain
from ..causes.step_size import INPUT_RMS, explain_large_steps, input_rms
from ..condition import Condition, Threshold
from ..evidence import Evidence
from ..spine import Factor
from .common import found

#: The ledger calls an element saturated where its slope is below a tenth of the largest.  With nine of ten elements
#: there, a layer passes at most √(0.1 + 0.9·0.01) = 0.33 of the gradient's norm: half a decade, two layers make one.
SATURATED = Threshold("saturated_share", 0.9, "the layer passes at most a third of the gradient's norm")
#: Weights this far above critical saturate a tanh net by themselves: at σ_w = 2 the fixed point of the variance lies
#: where E[φ'²] has fallen below 1/4 (Poole 2016).
ABOVE_CRITICAL = Threshold(
    "sigma_over_critical", 2.0, "at twice the critical σ_w the mean squared slope of tanh is below 1/4"
)
LOOKS = 3


def check(evidence: Evidence) -> Outcome:
    """Looks at hidden bounded activations; a saturated output is what a good classifier has."""
    chosen = None if evidence.learning.well else one_hot_attention(evidence)
    if chosen is not None:
        seen = "A part of the model is saturated from the start"
        return found("saturated_units", chosen, evidence, seen=seen, step=0, numbers={})
    hidden = {
        key: seen
        for key, seen in evidence.activities.items()
        if bounded(key[1]) and not evidence.ends_model(seen[0][1])
    }
    hidden = {key: seen for key, seen in hidden.items() if plain(key[1]) not in ("relu6", "softmax")}
    if not hidden:
        return NotEnoughData("saturated_units", "a ledger with bounded hidden activations")
    final = {key: float(np.median([a.saturated_fraction for _, a in seen[-LOOKS:]])) for key, seen in hidden.items()}
    worst = max(final, key=lambda key: final[key])
    numbers = {"saturated_share_largest": final[worst], "layers_looked_at": len(hidden)}
    if final[worst] < SATURATED.value:
        return Healthy("saturated_units", f"at most {100 * final[worst]:.0f}% of a layer is saturated", numbers)
    if evidence.learning.well:
        return Healthy("saturated_units", "layers are saturated, and still it learns", numbers)
    ill = [key for key, share in final.items() if share >= SATURATED.value]
    origin = min(ill, key=lambda key: (_since(evidence, key), hidden[key][0][1].sequence))
    tick = _since(evidence, origin)
    place = origin[0] or origin[1]
    cause = _cause(evidence, place, tick)
    seen = (
        f"{100 * final[worst]:.0f}% of `{worst[0] or worst[1]}` is saturated (its slope below a tenth of its largest), "
        f"{len(ill)} of {len(hidden)} layers in all, since step {evidence.step_of(tick)}"
    )
    return found(
        "saturated_units",
        cause,
        evidence,
        seen=seen,
        step=evidence.step_of(tick),
        numbers=numbers | {"layers_affected": len(ill)},
    )


def _since(evidence: Evidence, key: tuple[str, str, int]) -> int:
    seen = evidence.activities[key]
    tick = seen[-1][0]
    for when, activity in reversed(seen):
        if activity.saturated_fraction < SATURATED.value:
            break
        tick = when
    return tick


def _cause(evidence: Evidence, place: str, tick: int) -> Cause:
    if evidence.step_of(tick) > 0:
        return explain_large_steps(evidence)
    scale = input_rms(evidence)
    if scale is not None and scale[0] >= INPUT_RMS:
        return explain_large_steps(evidence)
    heavy = _heavy(evidence)
    if heavy is not None:
        reference = heavy.critical or 1.0
        return Cause(
            "weight_scale_large",
            f"the weights of `{heavy.module}` have σ_w = {heavy.sigma:.3g}, where {reference:.3g} is critical",
            f"Initialise the weights of `{heavy.module}` with xavier_normal_.",
            (heavy.module, place),
            {"sigma_w": heavy.sigma, "sigma_w_critical": reference},
            ("critical_init", "normalization"),
            "Poole 2016, Schoenholz 2017: the variance map of tanh",
            0.85,
        )
    return Cause(
        "saturating_activation",
        f"`{place}` is saturated although weights and inputs have ordinary scales",
        f"Normalise what goes into `{place}`, or replace it by ReLU.",
        (place,),
        {},
        ("relu_kaiming", "normalization"),
        "Glorot 2010",
        0.5,
    )


def _heavy(evidence: Evidence) -> Factor | None:
    """The weight furthest above critical at the first ledger."""
    factors = evidence.spines[0].factors if evidence.spines else ()
    over = [f for f in factors if f.sigma >= ABOVE_CRITICAL.value * (f.critical or 1.0)]
    return max(over, key=lambda f: f.sigma / (f.critical or 1.0), default=None)


CONDITION = Condition(
    "saturated_units", "bounded hidden units where their slope is gone", check, (SATURATED, ABOVE_CRITICAL)
)
