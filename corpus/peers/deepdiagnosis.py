"""DeepDiagnosis' symptoms (Wardat, Cruz, Le, Rajan, ICSE 2022), with the thresholds of its repository.

At the end of each epoch it looks at one batch, layer by layer, and stops at the first symptom; a tree of questions
about weights, data and learning rate (tree.py) then says what to change.

Approximated, each time so that a symptom which the record does not settle is only possible:
- pre-activations beyond ±5 in half the units: see View.saturated; certain for a tanh whose output says so;
- the mean |g|: between bounds; the label's range: from its mean and root mean square;
- constant accuracy over 20 epochs, which is not recorded: possible where no epoch's loss is 1% below the first's;
- unchanged tensors: weights whose recorded updates are exactly 0 for five looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradclinic.diagnose import Evidence
from gradclinic.schema.record import Step

from .symptom import Symptom
from .tree import ACTIVATION, LAYERS, LOSS, OPTIMIZER, advice
from .view import View

#: Mean |g| below which a gradient has vanished.
VANISHED = 1e-7
#: A pre-activation of sigmoid or tanh that is saturated, in more than half of the elements.
SATURATED = 5.0
#: Share of a ReLU's outputs that are 0.
DEAD = 0.7
#: Epochs between two looks at what does not change.
EVERY = 5
#: So many times the spread of the labels is a linear output out of range.
SPREAD = 10.0
#: A tanh beyond ±5 in half of its elements: their 1 - y² is below this, and the mean over all then below half of it.
_FLAT_TANH = 1 - np.tanh(SATURATED) ** 2


def check(evidence: Evidence, epochs: int) -> Sequence[Symptom]:
    """The symptoms in the order of the tool's own looks; the first certain one is where it stops."""
    view = View(evidence, epochs)
    return [symptom for epoch in range(len(view.epochs)) for symptom in _look(view, epoch)]


def _look(view: View, epoch: int) -> Iterator[Symptom]:
    """What the tool sees at the end of one epoch, in the order of its code."""
    step = view.epochs[epoch][-1]
    if epoch == 0:
        yield from _out_of_range(view)
    yield from _activations(view, epoch, step)
    yield from _losses(view, epoch, step)
    end = next((item for item in reversed(view.epochs[epoch]) if item.gradients is not None), None)
    if end is not None:
        yield from _gradients(view, end)
    if (epoch + 1) % EVERY == 0 and _unchanged(view, step.tick):
        yield Symptom("unchanged weight", step.step, advice(view, step, ("weights", "rate"), OPTIMIZER))


def _out_of_range(view: View) -> Iterator[Symptom]:
    """The last activation's range against the labels'."""
    ledgers, objectives = view.evidence.ledgers, view.evidence.objectives
    if not ledgers or not objectives:
        return
    objective = objectives[0][1]
    last = [found for found in ledgers[0].ledger.activities if view.evidence.ends_model(found)]
    op = max(last, key=lambda found: found.sequence).op if last else ""
    mean, rms = objective.target_mean, objective.target_rms
    certain = possible = False
    if (
        objective.classes is not None
    ):  # labels 0, 1, ..., which sigmoid and tanh cannot reach; and log of a ReLU is no log
        certain = op == "Relu" or (op in ("Sigmoid", "Tanh") and objective.classes > 2)
    elif mean is not None and rms is not None and "BinaryCrossEntropy" not in objective.op:
        deviation = max(0.0, rms**2 - mean**2) ** 0.5
        below, above = (mean < 0, rms > 1) if op != "Tanh" else (mean < -1, rms > 1)
        certain = (op == "Relu" and below) or (op in ("Sigmoid", "Tanh") and (below or above))
        possible = (op == "Relu" and mean < deviation) or (op in ("Sigmoid", "Tanh") and abs(mean) + deviation > 1)
        if not op and objective.prediction_rms is not None:
            possible = objective.prediction_rms > SPREAD * rms
    if certain or possible:
        causes = frozenset({"output_activation", "loss_mismatch", "target_scale"})
        yield Symptom("out of range", 0, causes, certain)


def _activations(view: View, epoch: int, step: Step) -> Iterator[Symptom]:
    """Numerical errors in the forward pass, dead nodes at the last epoch, saturation every five."""
    for found in view.activities(step.tick):
        if found.op == "Relu" and found.zero_fraction == 1.0:
            yield Symptom("numerical error", step.step, advice(view, step, ("weights", "data", "rate"), ACTIVATION))
        if found.op == "Relu" and found.zero_fraction >= DEAD and epoch == len(view.epochs) - 1:
            yield Symptom("dead node", step.step, advice(view, step, ("data", "weights", "rate"), ACTIVATION))
        if (epoch + 1) % EVERY == 0 and found.op in ("Sigmoid", "Tanh") and view.saturated(found, SATURATED):
            certain = bool(found.op == "Tanh" and 1 - found.rms**2 <= _FLAT_TANH / 2)
            causes = advice(view, step, ("data", "weights", "rate"), ACTIVATION)
            yield Symptom("saturated activation", step.step, causes, certain)


def _losses(view: View, epoch: int, step: Step) -> Iterator[Symptom]:
    """A loss that is not a number, or does not change, and an accuracy that may not."""
    losses = view.losses[: epoch + 1]
    if np.isinf(losses[-1]):
        yield Symptom("invalid loss", step.step, advice(view, step, ("rate",), ACTIVATION | OPTIMIZER))
    if (epoch + 1) % EVERY == 0 and np.isfinite(losses[-EVERY:]).all():
        # float32 means of one constant differ in their last bit
        if np.ptp(losses[-EVERY:]) <= 1e-7 * abs(losses[-1]):
            yield Symptom("loss not decreasing", step.step, advice(view, step, ("weights", "data", "rate"), OPTIMIZER))
    seen = losses[np.isfinite(losses)]
    if epoch == len(view.epochs) - 1 and len(seen) and seen[0] - seen.min() < 0.01 * abs(seen[0]):
        causes = advice(view, step, ("weights", "data", "rate"), OPTIMIZER)
        yield Symptom("accuracy not increasing", step.step, causes, certain=False)


def _gradients(view: View, step: Step) -> Iterator[Symptom]:
    """Numerical errors and vanishing, from the last layer to the first."""
    assert step.gradients is not None
    for row in reversed(view.rows(step, weights_only=True)):
        vitals = step.gradients[row]
        if vitals["non_finite"] or vitals["zeros"] == vitals["count"]:
            yield Symptom("numerical error in gradient", step.step, ACTIVATION | LOSS)
        low, high = view.mean_magnitude(step, row)
        if low < VANISHED:
            yield Symptom("vanishing gradient", step.step, advice(view, step, ("rate",), LAYERS), high < VANISHED)


def _unchanged(view: View, tick: int) -> bool:
    """Whether a weight's last five recorded updates up to ``tick`` are exactly 0."""
    looks = view.evidence.relative_updates[view.evidence.update_ticks <= tick][:, view.evidence.matrices][-EVERY:]
    return len(looks) == EVERY and bool((looks == 0).all(axis=0).any())
