"""AutoTrainer's five problems (Zhang, Zhai, Ma, Shen, ICSE 2021), with the thresholds of its repository.

Each epoch it looks at the kernels' gradients of one batch and at the history, and stops at the first problem.  Kept as
published: thresholds, order, that a problem of gradients counts only where accuracy is poor, that nothing but nan is
looked for before 30% of the epochs.

Approximated: a record has no accuracy.  In its place stands the share of the constant predictor's loss (where that is
not known, of the first epoch's) that has been removed: 0 for guessing, 1 for perfect.  It favours the peer: regression,
language models and RL have no accuracy, and the tool would call all of them slow.  A loss below 0, where a constant
predictor's is above, is no progress: the accuracy of ascent is poor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradclinic.diagnose import Evidence
from gradclinic.schema.record import Step

from .symptom import Symptom
from .view import Array, View

#: beta_1, beta_2: ‖g first‖/‖g last‖ and ‖g first‖ below which a gradient has vanished; beta_3: the ratio of explosion.
VANISHED_RATIO, VANISHED_NORM, EXPLODED_RATIO = 1e-3, 1e-4, 70.0
#: gamma: share of all gradient elements that are exactly 0 when ReLUs are dying.
ZEROS = 0.7
#: zeta, eta: a swing of accuracy that counts, and in how large a share of the epochs it must come.
SWING, SWINGS = 0.03, 0.2
#: delta, Theta: gain of accuracy in an epoch below which training is slow; accuracy that is wanted.
SLOW, WANTED = 0.01, 0.6
#: Share of the epochs before which the history is not judged; a loss from which it counts as nan.
JUDGED, NAN_LOSS = 0.3, 1e5

#: What each problem's repairs stand for, generously.  dying ReLU: another activation, batch normalisation, another
#: initialiser.  exploding: another activation, batch normalisation, clipping (which bounds the step).  vanishing: SELU,
#: ReLU, batch normalisation.  slow convergence: another optimizer or learning rate.  oscillating: the same, batch size.
CAUSES = {
    "explode": frozenset(
        "unbounded_activation weight_scale_large recurrent_expansion input_scale learning_rate_high".split()
    ),
    "relu": frozenset("weight_scale_large weight_scale_small symmetric_init input_scale".split()),
    "vanish": frozenset(
        "saturating_activation weight_scale_small missing_shortcut recurrent_contraction input_scale".split()
    ),
    "not_converge": frozenset("learning_rate_low learning_rate_high optimizer_epsilon".split()),
    "unstable": frozenset("learning_rate_high optimizer_epsilon".split()),
}


def check(evidence: Evidence, epochs: int) -> Sequence[Symptom]:
    """The first problem; empty where there is none."""
    view = View(evidence, epochs)
    found: set[str] = set()
    for epoch, steps in enumerate(view.epochs, start=1):
        end = next((step for step in reversed(steps) if step.gradients is not None), None)
        if not np.isnan(view.losses[epoch - 1]) and view.losses[epoch - 1] >= NAN_LOSS:
            return [Symptom("explode", steps[-1].step, CAUSES["explode"])]
        if end is not None:
            if _bad(view, end):
                return [Symptom("explode", end.step, CAUSES["explode"])]
            found |= set(_gradients(view, end))
        if epoch >= JUDGED * len(view.epochs):
            problem = _problem(found, accuracy(view)[:epoch])
            if problem:
                return [Symptom(problem, steps[-1].step, CAUSES[problem])]
    return []


def accuracy(view: View) -> Array:
    """(epochs,) what stands for accuracy; nan where no loss was seen."""
    losses = view.losses
    seen = losses[np.isfinite(losses)]
    constant = view.evidence.learning.constant
    reference = constant if constant is not None else float(seen[0]) if len(seen) else 0.0
    progress = (reference - losses) / abs(reference) if reference else np.full(len(losses), np.nan)
    return np.where((constant is not None) & (losses < 0), 0.0, progress)


def _bad(view: View, step: Step) -> bool:
    assert step.gradients is not None
    return any(step.gradients[row]["non_finite"] > 0 for row in view.rows(step, weights_only=False))


def _gradients(view: View, step: Step) -> Iterator[str]:
    """The problems that one step's gradients show."""
    assert step.gradients is not None
    table = step.gradients[view.rows(step, weights_only=False)]
    if len(table) and table["zeros"].sum() >= ZEROS * table["count"].sum():
        yield "relu"
    weights = [view.gradient_norm(step, row) for row in view.rows(step, weights_only=True)]
    if len(weights) < 2:
        return
    first, last = weights[0], weights[-1]
    ratio = first / last if last else np.inf if first else np.nan
    if ratio > EXPLODED_RATIO:
        yield "explode"
    # 0/0 is nan and fires nothing, as in numpy.
    if ratio < VANISHED_RATIO and first < VANISHED_NORM:
        yield "vanish"


def _problem(found: set[str], history: Array) -> str | None:
    """The problem to report after these epochs, in the tool's order."""
    known = history[~np.isnan(history)]
    if not len(known):
        return None
    slow = len(known) > 1 and float(np.max(np.diff(known))) < SLOW
    if float(known.max()) < WANTED or slow:
        first = next((name for name in ("relu", "explode", "vanish") if name in found), None)
        return first or ("not_converge" if slow else None)
    return "unstable" if _swings(known) >= SWINGS * len(known) else None


def _swings(history: Array) -> int:
    """How many pairs of a local maximum and a local minimum, in order, lie far enough apart."""
    inner = history[1:-1]
    rises, falls = inner - history[:-2], inner - history[2:]
    tops, bottoms = inner[(rises >= 0) & (falls >= 0)], inner[(rises <= 0) & (falls <= 0)]
    pairs = min(len(tops), len(bottoms))
    return int(np.sum(tops[:pairs] - bottoms[:pairs] >= SWING))
