"""Gradients are shortened before each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


class GradientClipping(Remedy):
    """By the norm of all gradients, by value, or by the ratio to each unit's weights (AGC)."""

    id = "gradient_clipping"
    family = "clipping"
    title = "gradient clipping"
    size = 2
    effect = "a rare large gradient does not throw the weights away"
    source = "Pascanu et al. 2013, arXiv:1211.5063; Brock et al. 2021, arXiv:2102.06171; torch.nn.utils.clip_grad_norm_"

    def propose(self, patient: Patient) -> Iterable[Options]:
        yield {"kind": "norm", "limit": 1.0}
        yield {"kind": "unit", "limit": 0.01}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "norm")
        if kind not in _KINDS:
            raise CannotApply(f"no such clipping: {kind!r}; there are {', '.join(_KINDS)}")
        if journal.optimizer is None:
            raise CannotApply("there is no optimizer")
        before = partial(_before_step, kind=kind, limit=float(options["limit"]))
        journal.hook(journal.optimizer.register_step_pre_hook(before))

    def says(self, options: Options) -> str:
        words = {
            "norm": "gradients clipped to norm",
            "value": "gradients clipped to ±",
            "unit": "clipped by unit at",
        }
        return f"{words[options.get('kind', 'norm')]} {float(options['limit']):.2g}"

    def code(self, options: Options) -> str:
        limit = float(options["limit"])
        if options.get("kind", "norm") == "norm":
            return f"nn.utils.clip_grad_norm_(model.parameters(), {limit!r})  # after backward(), before step()"
        if options["kind"] == "value":
            return f"nn.utils.clip_grad_value_(model.parameters(), {limit!r})  # after backward(), before step()"
        return f"# adaptive clipping by unit at {limit!r}: as in Brock et al. 2021, or by Recipe.load(...).apply"


def _before_step(optimizer: Optimizer, args: Any, kwargs: Any, *, kind: str, limit: float) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    _KINDS[kind](parameters, limit)


@torch.no_grad()
def _by_unit(parameters: list[nn.Parameter], limit: float) -> None:
    """‖g_i‖ ≤ limit·max(‖w_i‖, 1e-3) for each row i of a weight (Brock et al. 2021, equation 3)."""
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None or gradient.is_sparse:
            continue
        axes = list(range(1, parameter.dim())) or None
        norm = torch.linalg.vector_norm
        allowed = norm(parameter, dim=axes, keepdim=True).clamp_min(1e-3) * limit
        own = norm(gradient, dim=axes, keepdim=True)
        gradient.mul_((allowed / own.clamp_min(1e-6)).clamp_max(1.0))


_KINDS: dict[str, Callable[..., Any]] = {
    "norm": nn.utils.clip_grad_norm_,
    "value": nn.utils.clip_grad_value_,
    "unit": _by_unit,
}
