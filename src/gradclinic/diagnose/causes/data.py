"""What the data themselves show: inputs or targets that are out of scale, and numbers that their format has rounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ..evidence import Evidence
from ..learning import HALFWAY, TERM_LEDGERS
from ..reference import SMALLEST_BATCH, samples, summed
from .cause import Cause
from .step_size import INPUT_RMS, TARGET_RMS, small_inputs

#: Bits of the significand: from 2^bits on, a format no longer has every whole number.
BITS: Final = {"float16": 11, "bfloat16": 8}
#: A prediction a decade below its targets has not come near them.
FAR_OFF: Final = 0.1
#: A spread a decade below the largest has a hundredth of its part in a squared error.
DROWNED: Final = 0.1
#: Twice a constant prediction's error: what cannot be predicted ends at once or a little above it.
WORSE: Final = 2.0
#: What is not learned in the first quarter of a run may only come later.
EARLY: Final = 0.25


def plain_fault(evidence: Evidence) -> Cause | None:
    """What the data show of why a run learns little, where nothing says that it is meant."""
    return rounded_inputs(evidence) or small_inputs(evidence) or unscaled_inputs(evidence) or _large_targets(evidence)


def rounded_inputs(evidence: Evidence) -> Cause | None:
    """Whole numbers (a time, a position, an index) held in a format that does not have them."""
    for event in evidence.events("model_input"):
        facts = event.data
        bits = BITS.get(facts["dtype"])
        if bits is None or not facts.get("whole"):
            continue
        largest = max(abs(facts["least"]), abs(facts["largest"]))
        if largest <= 2**bits:
            continue
        step = 2.0 ** (int(largest).bit_length() - bits)
        return Cause(
            "precision_rounding",
            f"the model is given whole numbers up to {largest:.6g} in {facts['dtype']}, which has every whole number up"
            f" to {2**bits} only: beyond, they are rounded to multiples of up to {step:.0f}",
            "Keep indices, positions and times in int64 or float32, and cast what is computed from them.",
            ("input",),
            {"largest": largest, "dtype": facts["dtype"], "step": step},
            ("raise_precision",),
            f"{facts['dtype']} has {bits} significant bits",
            0.85,
        )
    return None


def unscaled_inputs(evidence: Evidence) -> Cause | None:
    """Inputs an order of magnitude from 1, or from a mean of 0, where standardising them did better on a copy.

    A size alone is enough where no such test was made.
    """
    if _normalised_first(evidence):
        return None
    tested = evidence.interventions.of("input_scale")
    for facts in sorted(_given(evidence), key=lambda facts: -float(facts["rms"])):
        large, aside = facts["rms"] >= INPUT_RMS, facts.get("offset", 0.0) >= INPUT_RMS
        if not (large and (tested is None or tested.times_as_fast > 1)) and not (aside and tested and tested.helps):
            continue
        what = f"an RMS of {facts['rms']:.3g}" if large else f"a mean {facts['offset']:.3g} times their spread"
        return Cause(
            "input_scale",
            f"the model is given inputs with {what}",
            "Standardise the inputs (subtract the mean, divide by the standard deviation) before training.",
            ("input",),
            {"input_rms": facts["rms"], "input_mean_over_spread": facts.get("offset", 0.0)},
            ("standardise_inputs",),
            "LeCun 1998: inputs of mean 0 and variance 1 keep the curvature alike in all directions",
            0.7,
        )
    return None


def _large_targets(evidence: Evidence) -> Cause | None:
    """Targets an order of magnitude from 1, where standardising them helped on a copy."""
    size = next((o.target_rms or 0.0 for _, o in evidence.objectives if o.classes is None), 0.0)
    if size < TARGET_RMS or not evidence.interventions.confirms("target_scale"):
        return None
    return Cause(
        "target_scale",
        f"the targets have an RMS of {size:.3g}, far from what a fresh model gives",
        "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
        ("targets",),
        {"target_rms": size},
        ("standardise_targets",),
        "a model's first outputs are of order 1, whatever it is asked for",
        0.7,
    )


def out_of_reach(evidence: Evidence) -> Cause | None:
    """Targets so large that the predictions have hardly set out for them when the run ends.

    An optimizer that divides by the gradient's size, a clipped gradient and a bounded loss all take steps whose length
    knows nothing of how far there is to go.
    """
    known = [o for _, o in evidence.objectives if o.classes is None and o.target_rms and o.prediction_rms is not None]
    if not known or evidence.learning.works or known[0].target_rms is None:
        return None
    first, size = known[0], known[0].target_rms
    if size < TARGET_RMS or summed(first) or (first.prediction_rms or 0.0) > FAR_OFF * size:
        return None
    tested = evidence.interventions.of("target_scale")
    arrived = (known[-1].prediction_rms or 0.0) > FAR_OFF * (known[-1].target_rms or size)
    if arrived or not (evidence.learning.above_constant and (tested is None or tested.helps)):
        return None
    return Cause(
        "target_scale",
        f"the targets have an RMS of {size:.3g} and the predictions one of {first.prediction_rms:.2g}, and the steps"
        " are too short to get from one to the other in this run",
        "Standardise the targets (subtract the mean, divide by the standard deviation) before training.",
        ("targets",),
        {"target_rms": size, "prediction_rms_first": first.prediction_rms or 0.0},
        ("standardise_targets",),
        "a step of Adam or RMSprop moves each weight by about lr, whatever the error",
        0.85,
    )


def neglected_outputs(evidence: Evidence) -> Cause | None:
    """Outputs whose targets are far smaller than the others', and that end worse than a constant prediction of them.

    Their share of a squared error is that of their variance, so that what the large ones leave unfitted drowns them.
    An output that cannot be predicted at all ends near its constant, not far above it.
    """
    begun = EARLY * evidence.step_count
    known = [o for tick, o in evidence.objectives if len(o.outputs) > 1 and evidence.step_of(tick) >= begun]
    tables = [np.array(o.outputs) for o in known if samples(o) >= SMALLEST_BATCH]
    late = tables[-max(TERM_LEDGERS, len(tables) // 3) :]
    if len(tables) < TERM_LEDGERS or any(table.shape != late[0].shape for table in late):
        return None
    variance, error = np.median(late, axis=0).T
    drowned = (variance > 0) & (variance < DROWNED**2 * variance.max()) & (error > WORSE * variance)
    if not drowned.any() or error[variance.argmax()] > HALFWAY * variance.max():
        return None
    worst = int(np.argmin(np.where(drowned, variance, np.inf)))
    spreads = np.sqrt(variance)
    return Cause(
        "target_scale",
        f"the targets of output {worst} have a spread of {spreads[worst]:.3g} and those of output"
        f" {int(variance.argmax())} one of {spreads.max():.3g}, so that the loss hardly knows the first: its error ends"
        f" at {error[worst] / variance[worst]:.3g} times that of a constant prediction",
        "Standardise each target by itself (subtract its mean, divide by its standard deviation) before training.",
        tuple(f"output {int(index)}" for index in np.flatnonzero(drowned))[:8],
        {"target_spread_least": float(spreads[worst]), "target_spread_largest": float(spreads.max())},
        ("standardise_targets",),
        "the sum of squared errors weighs each output by its variance",
        0.85,
    )


def _given(evidence: Evidence) -> Iterator[dict[str, Any]]:
    return (event.data for event in evidence.events("model_input") if event.data["given"] and "rms" in event.data)


def _normalised_first(evidence: Evidence) -> bool:
    """Whether a normalisation stands before the first weight."""
    for row in evidence.ledgers[:1]:
        for entry in sorted(row.ledger.entries, key=lambda entry: entry.sequence):
            if entry.kind in ("normalization", "weight"):
                return entry.kind == "normalization"
    return False
