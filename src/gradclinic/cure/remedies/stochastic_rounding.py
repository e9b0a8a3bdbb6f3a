"""Small updates of weights in half precision are not lost to rounding."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.wide_step import LOW, nearest, stochastic, widen_steps


class StochasticRounding(Remedy):
    """The step is made in float32: a copy in float32 is kept, or what is stored is rounded at random."""

    id = "stochastic_rounding"
    family = "precision"
    title = "updates that rounding does not swallow"
    size = 2
    effect = "an update below half a unit in the last place of the weight is not lost, on the average or at all"
    source = "Gupta et al. 2015, arXiv:1502.02551; Zamirai et al. 2020, arXiv:2010.06192; Micikevicius et al. 2018"

    def propose(self, patient: Patient) -> Iterable[Options]:
        formats = {p.dtype for p in patient.model.parameters() if p.requires_grad}
        if formats & set(LOW):
            yield {"kind": "copy"}
        if torch.bfloat16 in formats:
            yield {"kind": "stochastic"}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "copy")
        formats = {p.dtype for p in journal.model.parameters()}
        if kind not in ("copy", "stochastic"):
            raise CannotApply(f"no such rounding: {kind!r}; there are copy and stochastic")
        if not formats & set(LOW):
            raise CannotApply("no parameter is in half precision")
        if kind == "stochastic" and torch.bfloat16 not in formats:
            raise CannotApply("only bfloat16 is rounded at random; for float16 there is kind: copy")
        rounding = stochastic(journal.generator()) if kind == "stochastic" else nearest
        widen_steps(journal, rounding, shadow=kind == "copy")

    def says(self, options: Options) -> str:
        return "stochastic rounding" if options.get("kind") == "stochastic" else "a float32 copy of the weights"

    def code(self, options: Options) -> str:
        return (
            "# the optimizer over a float32 copy of the parameters; after each step:\n"
            "#   for p, wide in zip(model.parameters(), copies): p.data.copy_(wide)  # or rounded at random\n"
            "# before each: wide.grad = p.grad.float(); or model.float() with torch.autocast in place of both"
        )
