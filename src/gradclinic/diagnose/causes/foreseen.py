"""Why a training that has only begun will not arrive: on which side of its window the learning rate lies."""

from __future__ import annotations

from dataclasses import replace

from gradclinic.schema.window import Window

from ..evidence import Evidence
from ..forecast import Forecast
from .at_start import large_targets
from .cause import Cause

#: The lower end is that of one batch: it is known to about half a decade.
KNOWN_TO = 3.0
SOURCE = "the trainability window: lr·ρ·T of one e-fold below, twice the stability limit above (Lewkowycz 2020)"


def too_slow(evidence: Evidence) -> Cause | None:
    """The learning rate lies below a window that is open."""
    known = evidence.forecast
    if known is None or known.trains is not False or known.window is None or known.window.state != "below":
        return None
    unscaled = _unscaled_targets(evidence, known.window)
    if unscaled is not None:
        return unscaled
    low, high, name = known.window.low.median, known.window.high.median, _optimizer(evidence)
    middle, folds = _between(low, high), known.window.lr / low
    return Cause(
        "learning_rate_low",
        f"at the learning rate {known.window.lr:g} the error of the samples falls by {folds:.2g} e-folds in"
        f" {known.steps:,} steps, where one is the least; rates between {low:.2g} and {high:.2g} can train this model",
        f"Raise the learning rate of {name} from {known.window.lr:g} to about {middle:.1g}.",
        (name,),
        known.numbers() | {"learning_rate": known.window.lr, "learning_rate_suggested": middle},
        ("raise_learning_rate",),
        SOURCE,
        0.85,
    )


def _unscaled_targets(evidence: Evidence, window: Window) -> Cause | None:
    """Targets so large that steps whose length knows nothing of the error's do not reach them in the budget.

    Such an optimizer's lower end grows in proportion to the targets: were they of order 1, the rate would lie inside.
    """
    cause = large_targets(evidence) if evidence.scale_free else None
    if cause is None:
        return None
    low = window.low.median
    needed = low / float(cause.numbers["target_rms"])
    if KNOWN_TO * window.lr < needed:
        return None
    return replace(
        cause,
        because=f"{cause.because}, and {window.steps:,} steps of {_optimizer(evidence)} at the learning rate"
        f" {window.lr:g} do not get there: for targets of order 1 it takes {needed:.2g}, for these {low:.2g}",
        numbers=cause.numbers | {"learning_rate": window.lr, "lr_min": low, "lr_min_if_scaled": needed},
        source="a step of Adam or RMSprop moves each weight by about lr, whatever the error",
        confidence=0.85,
    )


def too_fast(evidence: Evidence) -> Cause | None:
    """The learning rate lies above a window that is open."""
    known = evidence.forecast
    if known is None or known.trains is not False or known.window is None or known.window.state != "above":
        return None
    low, high, name = known.window.low.median, known.window.high.median, _optimizer(evidence)
    middle = _between(low, high)
    return Cause(
        "learning_rate_high",
        f"the learning rate {known.window.lr:g} lies above the {high:.2g} up to which the steps stay stable; rates"
        f" between {low:.2g} and {high:.2g} can train this model",
        f"Lower the learning rate of {name} from {known.window.lr:g} to about {middle:.1g}.",
        (name,),
        known.numbers() | {"learning_rate": known.window.lr, "learning_rate_suggested": middle},
        ("lower_learning_rate", "warmup", "gradient_clipping"),
        SOURCE,
        0.85,
    )


def hopeless(known: Forecast) -> Cause:
    """No side of the window, or no window at all, explains it."""
    if known.window is not None and known.window.empty:
        because = (
            f"in {known.steps:,} steps no learning rate moves the samples apart before it becomes unstable: it would"
            f" take {known.window.low.median:.2g}, and {known.window.high.median:.2g} is the most"
        )
        action = "Change the initialisation, the activation or the architecture: no learning rate can train this."
    else:
        share = 0.0 if known.explained is None else 100 * known.explained
        because = (
            f"after {known.taken} real steps the outputs explain {share:.2g}% of the loss of a constant prediction, and"
            " at that pace they do not arrive"
        )
        action = "Plan more steps, or try a learning rate ten times larger and one ten times smaller."
    return Cause("unknown", because, action, ("model",), known.numbers(), ("raise_learning_rate",), SOURCE, 0.5)


def _optimizer(evidence: Evidence) -> str:
    return evidence.record.optimizers[0].name if evidence.record.optimizers else "the optimizer"


def _between(low: float, high: float) -> float:
    """Within a window on a logarithmic scale; a decade from its one end where the other is not known."""
    if low <= 0:
        return high / 10
    return (low * high) ** 0.5 if high < float("inf") else 10 * low
