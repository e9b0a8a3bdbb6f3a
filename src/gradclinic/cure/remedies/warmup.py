"""The learning rate rises over the first steps."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, follow

#: Share of the budget: what large-batch and transformer recipes use.
SHARE = 0.05


class Warmup(Remedy):
    """Linear, then constant."""

    id = "warmup"
    family = "schedule"
    title = "warm-up"
    size = 2
    effect = "the first steps do not throw the weights away, and Adam's averages settle"
    source = "Goyal et al. 2017, arXiv:1706.02677; Gilmer et al. 2022; torch.optim.lr_scheduler.LambdaLR"

    def propose(self, patient: Patient) -> Iterable[Options]:
        yield {"steps": max(5, round(SHARE * patient.task.steps))}

    def apply(self, journal: Journal, options: Options) -> None:
        steps = int(options["steps"])
        if steps < 1:
            raise CannotApply(f"a warm-up takes at least one step, not {steps}")
        follow(journal, lambda step: min(1.0, (step + 1) / steps))

    def says(self, options: Options) -> str:
        return f"warm-up of {int(options['steps']):,} steps"

    def code(self, options: Options) -> str:
        steps = int(options["steps"])
        return (
            f"warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / {steps}))\n"
            "# after each optimizer.step(): warmup.step()"
        )
