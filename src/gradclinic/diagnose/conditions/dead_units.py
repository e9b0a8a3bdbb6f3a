"""ReLU units that are 0 for every input: no gradient passes them, and nothing brings them back."""

from __future__ import annotations

import numpy as np

from gradclinic.schema.finding import Finding, Healthy, NotEnoughData, Outcome, Severity
from gradclinic.schema.ledger import Activity

from ..causes.cause import Cause, listed
from ..causes.criticality import rectifies
from ..causes.depth import REPEATS
from ..causes.step_size import explain_large_steps, too_large
from ..condition import Condition, Threshold
from ..evidence import Evidence
from .common import outcome_sentence

#: At critical initialisation half of a layer is 0 for each input, but hardly a unit for all of a batch.  Half of
#: the units dead for the whole batch halves the width: worth a note, and only that while it learns.
HALF = Threshold("dead_share", 0.5, "half of the layer's width is gone")
#: A tenth of the width left: the layer passes at most √0.1 of the gradient's norm, half a decade per layer.
NEARLY_ALL = Threshold("dead_share_critical", 0.9, "a layer with a tenth of its units passes √0.1 of the gradient")
#: Looks that must agree at the end: one batch may be special.
LOOKS = 3

Series = tuple[tuple[int, Activity], ...]


def check(evidence: Evidence) -> Outcome:
    """Follows the share of dead units of each rectifier over the ledgers."""
    rectifiers = {key: seen for key, seen in evidence.activities.items() if rectifies(key[1]) and seen[0][1].units > 1}
    if not rectifiers:
        return NotEnoughData("dead_units", "a ledger with rectified activations")
    layers = {key: _shares(seen) for key, seen in rectifiers.items()}
    final = {key: float(np.median(shares[-LOOKS:])) for key, shares in layers.items()}
    worst = max(final, key=lambda key: final[key])
    if final[worst] < HALF.value:
        return Healthy(
            "dead_units",
            f"at most {100 * final[worst]:.0f}% of a layer's units are dead",
            {"dead_share_largest": final[worst]},
        )
    if evidence.learning.well and final[worst] < NEARLY_ALL.value:
        return Healthy(
            "dead_units", "some layers have many dead units, and still it learns", {"dead_share_largest": final[worst]}
        )
    ill = [key for key, share in final.items() if share >= HALF.value]
    starts = {key: layers[key][0] for key in ill}
    from_start = float(np.median(list(starts.values()))) >= HALF.value
    # The first layer in forward order that died is the origin: what follows it gets the same input for every sample.
    origin = min(ill, key=lambda key: (_died(rectifiers[key]), rectifiers[key][0][1].sequence))
    tick = _died(rectifiers[origin])
    cause = _cause(evidence, origin[0] or origin[1], from_start, len(rectifiers))
    names = tuple(dict.fromkeys(key[0] or key[1] for key in (origin, *ill)))
    learning = evidence.learning.well
    # Most layers without their units: what is left is a smaller network than the one that was meant, learning or not.
    gone = sum(share >= NEARLY_ALL.value for share in final.values())
    grave: Severity = "critical" if len(final) > 1 and 2 * gone > len(final) else "note"
    if learning is not True and grave == "note":
        grave = "critical" if learning is False and gone else "warning"
    when = "from initialisation on" if from_start else f"since step {evidence.step_of(tick)}"
    return Finding(
        "dead_units",
        cause.id,
        names[:8],
        evidence.step_of(tick),
        grave,
        cause.confidence,
        {
            "dead_share_largest": final[worst],
            "dead_share_first_look": layers[worst][0],
            "layers_affected": len(ill),
            "looks": len(layers[worst]),
        }
        | cause.numbers
        | evidence.learning.numbers(),
        f"{100 * final[worst]:.0f}% of the units of `{worst[0] or worst[1]}` are 0 for every input of the batch, {when}"
        f" ({len(ill)} of {len(rectifiers)} layers are affected): {cause.because}. {outcome_sentence(evidence)}",
        cause.action,
        cause.remedies,
        cause.source,
    )


def _shares(seen: Series) -> list[float]:
    return [activity.dead_units / max(activity.units, 1) for _, activity in seen]


def _died(seen: Series) -> int:
    """The first tick from which on the layer stayed at least half dead."""
    tick = seen[-1][0]
    for when, activity in reversed(seen):
        if activity.dead_units < HALF.value * activity.units:
            break
        tick = when
    return tick


def _cause(evidence: Evidence, place: str, from_start: bool, layers: int) -> Cause:
    if not from_start:
        cause = explain_large_steps(evidence)
        if cause.id != "learning_rate_high" or too_large(evidence):
            return cause
        return Cause(
            "unknown",
            "its units died one by one during training",
            f"If accuracy stalls, replace ReLU in `{place}` by LeakyReLU.",
            (place,),
            {},
            ("leaky_relu",),
            "the slope of ReLU is 0 for negative inputs (Lu 2019)",
            0.4,
        )
    if layers >= 2 * REPEATS:
        return Cause(
            "missing_shortcut",
            f"{layers} narrow rectified layers in a row die by chance at initialisation",
            f"Add shortcuts, widen the layers, or use LeakyReLU from {listed([place])} on.",
            (place,),
            {"rectified_layers": layers},
            ("residual", "leaky_relu", "normalization"),
            "Lu 2019: the probability that a ReLU net is born dead grows with depth over width",
            0.6,
        )
    return Cause(
        "unknown",
        "its weights and biases, as initialised, keep its input below 0",
        f"Initialise the layer before `{place}` with a bias of 0 and kaiming_normal_.",
        (place,),
        {},
        ("relu_kaiming", "leaky_relu"),
        "the slope of ReLU is 0 for negative inputs (Lu 2019)",
        0.5,
    )


CONDITION = Condition("dead_units", "rectified units that are 0 for every input", check, (HALF, NEARLY_ALL))
