"""Down the loss instead of up."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


class Descend(Remedy):
    """``maximize=False`` in every group.  A loss with the wrong sign is the user's to turn round."""

    id = "descend"
    family = "optimizer"
    title = "down the loss"
    size = 0
    effect = "steps lower the loss"
    source = "torch.optim.Optimizer: maximize"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if any(group.get("maximize") for group in patient.optimizer.param_groups):
            yield {}

    def apply(self, journal: Journal, options: Options) -> None:
        groups = [] if journal.optimizer is None else journal.optimizer.param_groups
        wrong = [group for group in groups if group.get("maximize")]
        if not wrong:
            raise CannotApply("the optimizer does not maximize")
        for group in wrong:
            journal.group(group, "maximize", False)

    def code(self, options: Options) -> str:
        return "for group in optimizer.param_groups:\n    group['maximize'] = False"
