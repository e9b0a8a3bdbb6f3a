"""Another weight decay."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: A decay that shrinks weights no faster than most published recipes do.
MILD = 1e-4
#: e-folds that are no regularisation any more: a weight that the loss does not renew is lost twenty times over.
FOLDS = 3.0


class WeightDecay(Remedy):
    """The same for all groups that have one; 0 for none."""

    id = "weight_decay"
    family = "regularization"
    title = "another weight decay"
    size = 0
    effect = "weights are not pulled to 0 faster than the loss pulls them away, or overfit less"
    source = "Krogh and Hertz 1991; Loshchilov and Hutter 2019, arXiv:1711.05101"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = max((float(group.get("weight_decay", 0.0)) for group in patient.optimizer.param_groups), default=0.0)
        if used > 0:
            yield {"weight_decay": 0.0}
        if used > 10 * MILD:
            yield {"weight_decay": MILD}
        if used == 0 and any("weight_decay" in group for group in patient.optimizer.param_groups):
            yield {"weight_decay": 10 * MILD}

    def urgency(self, patient: Patient) -> float:
        """By the e-folds lr·decay·T by which the weights shrink in the budget where nothing holds them."""
        folds = max(
            (float(g["lr"]) * float(g.get("weight_decay", 0.0)) for g in patient.optimizer.param_groups), default=0
        )
        return 2.0 if folds * patient.task.steps > FOLDS else 0.0

    def apply(self, journal: Journal, options: Options) -> None:
        groups = [] if journal.optimizer is None else journal.optimizer.param_groups
        able = [group for group in groups if "weight_decay" in group]
        if not able:
            raise CannotApply("the optimizer has no weight decay")
        for group in able:
            journal.group(group, "weight_decay", float(options["weight_decay"]))

    def says(self, options: Options) -> str:
        decay = float(options["weight_decay"])
        return f"weight decay {decay:.2g}" if decay else "no weight decay"

    def code(self, options: Options) -> str:
        return f"for group in optimizer.param_groups:\n    group['weight_decay'] = {float(options['weight_decay'])!r}"
