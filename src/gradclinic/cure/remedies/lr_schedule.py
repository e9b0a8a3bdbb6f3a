"""The learning rate falls over the budget."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, follow
from .warmup import SHARE

KINDS = ("cosine", "linear", "step")
#: Of the step schedule: at these shares of the budget the rate is divided by ten (He et al. 2016, section 4.2).
DROPS, BY = (0.5, 0.75), 0.1


class LearningRateSchedule(Remedy):
    """After a warm-up: along half a cosine, along a line, or in two steps of a tenth."""

    id = "schedule"
    family = "schedule"
    title = "a falling learning rate"
    size = 2
    effect = "large steps early, and small ones at the end, where the noise of large ones would keep the loss up"
    source = "Loshchilov and Hutter 2017, arXiv:1608.03983; He et al. 2016; torch.optim.lr_scheduler.LambdaLR"

    def propose(self, patient: Patient) -> Iterable[Options]:
        steps = patient.task.steps
        yield {"kind": "cosine", "steps": steps, "warmup": round(SHARE * steps)}

    def apply(self, journal: Journal, options: Options) -> None:
        kind, steps, warmup = options.get("kind", "cosine"), int(options["steps"]), int(options.get("warmup", 0))
        if kind not in KINDS:
            raise CannotApply(f"no such schedule: {kind!r}; there are {', '.join(KINDS)}")
        if not 0 <= warmup < steps:
            raise CannotApply(f"a warm-up of {warmup} steps does not fit into {steps}")
        follow(journal, lambda step: factor(kind, step, steps, warmup))

    def says(self, options: Options) -> str:
        return f"{options.get('kind', 'cosine')} schedule over {int(options['steps']):,} steps"

    def code(self, options: Options) -> str:
        steps, warmup = int(options["steps"]), int(options.get("warmup", 0))
        way = {
            "cosine": "0.5 + 0.5 * math.cos(math.pi * t)",
            "linear": "1 - t",
            "step": f"{BY} ** ((t >= {DROPS[0]}) + (t >= {DROPS[1]}))",
        }[options.get("kind", "cosine")]
        return (
            "def rate(step):\n"
            f"    if step < {warmup}:\n"
            f"        return (step + 1) / {max(warmup, 1)}\n"
            f"    t = min(1.0, (step - {warmup}) / {steps - warmup})\n"
            f"    return {way}\n"
            "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)  # after each step(): schedule.step()"
        )


def factor(kind: str, step: int, steps: int, warmup: int) -> float:
    """Of the rate at ``step`` (0 for the first); past the budget it stays what it was at its end."""
    if step < warmup:
        return (step + 1) / warmup
    t = min(1.0, (step - warmup) / (steps - warmup))
    if kind == "step":
        return BY ** sum(t >= drop for drop in DROPS)
    return 0.5 + 0.5 * cos(pi * t) if kind == "cosine" else 1 - t
