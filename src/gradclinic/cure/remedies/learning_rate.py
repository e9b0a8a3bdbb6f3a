"""Another learning rate."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: How far from the user's own rate it is worth looking.
FACTORS = (0.1, 10.0, 0.01, 100.0)


class LearningRate(Remedy):
    """The rate of the fastest group; the others keep their ratio to it."""

    id = "learning_rate"
    family = "learning_rate"
    title = "another learning rate"
    size = 0
    effect = "steps large enough to arrive in the budget and small enough not to overshoot"
    source = "the trainability window; Bengio 2012, arXiv:1206.5533"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if patient.lr > 0:
            for factor in FACTORS:
                yield {"lr": float(f"{patient.lr * factor:.3g}")}

    def apply(self, journal: Journal, options: Options) -> None:
        if journal.optimizer is None:
            raise CannotApply("there is no optimizer")
        groups, lr = journal.optimizer.param_groups, float(options["lr"])
        if not lr > 0:
            raise CannotApply(f"a learning rate is above 0, not {options['lr']}")
        highest = max(float(group["lr"]) for group in groups)
        for group in groups:
            own = lr * float(group["lr"]) / highest if highest else lr
            journal.group(group, "lr", own)
            if "initial_lr" in group:
                journal.group(group, "initial_lr", own)

    def says(self, options: Options) -> str:
        return f"learning rate {float(options['lr']):.2g}"

    def code(self, options: Options) -> str:
        return f"for group in optimizer.param_groups:\n    group['lr'] = {float(options['lr'])!r}"
