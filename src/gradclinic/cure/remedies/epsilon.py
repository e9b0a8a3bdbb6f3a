"""The constant that keeps an adaptive optimizer from dividing by 0."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: torch's defaults, which are those of the papers; 1e-8 for all others.
USUAL = {"Adagrad": 1e-10, "Adadelta": 1e-6, "Adafactor": 1e-3}
#: Times the usual from which it rivals the root mean square of small gradients, and below which it is lost in it.
FAR = 10.0
#: float16 has no number between 0 and 6e-8, and full precision from 6.1e-5 on only.
HALF = 1e-4


class Epsilon(Remedy):
    """Of all groups that have one."""

    id = "epsilon"
    family = "optimizer"
    title = "another epsilon"
    size = 0
    effect = "small gradients are divided by their own size, and gradients of 0 by something"
    source = "Kingma and Ba 2015, arXiv:1412.6980; torch.optim.Adam: eps; Szegedy et al. 2016 (1.0 for Inception)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = [group["eps"] for group in patient.optimizer.param_groups if isinstance(group.get("eps"), float)]
        if not used:
            return
        usual = USUAL.get(type(patient.optimizer).__name__, 1e-8)
        if any(p.dtype == torch.float16 for p in patient.model.parameters()):
            usual = HALF
        if max(used) > FAR * usual or min(used) < usual / FAR:
            yield {"eps": usual}

    def apply(self, journal: Journal, options: Options) -> None:
        groups = [] if journal.optimizer is None else journal.optimizer.param_groups
        able = [group for group in groups if isinstance(group.get("eps"), float)]
        if not able:
            raise CannotApply("the optimizer has no epsilon")
        for group in able:
            journal.group(group, "eps", float(options["eps"]))

    def says(self, options: Options) -> str:
        return f"epsilon {float(options['eps']):.2g}"

    def code(self, options: Options) -> str:
        return f"for group in optimizer.param_groups:\n    group['eps'] = {float(options['eps'])!r}"
