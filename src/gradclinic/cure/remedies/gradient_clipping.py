"""Gradients are shortened before each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from statistics import fmean, pvariance
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: Steps that the averages of the z-score begin with, their memory, and what keeps a constant norm from a division by 0
#: (Kumar et al. 2025).
HISTORY, MEMORY, TINY = 25, 0.97, 1e-6


class GradientClipping(Remedy):
    """By the norm of all gradients, by value, by the ratio to each unit's weights (AGC), or by its own history."""

    id = "gradient_clipping"
    family = "clipping"
    title = "gradient clipping"
    size = 2
    effect = "a rare large gradient does not throw the weights away"
    source = "Pascanu et al. 2013, arXiv:1211.5063; Brock et al. 2021, arXiv:2102.06171; Kumar et al. 2025 (ZClip)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        yield {"kind": "norm", "limit": 1.0}
        yield {"kind": "unit", "limit": 0.01}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "norm")
        if kind not in _KINDS:
            raise CannotApply(f"no such clipping: {kind!r}; there are {', '.join(_KINDS)}")
        clip = _KINDS[kind]()

        def before(optimizer: Optimizer) -> None:
            every = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            clip(every, float(options["limit"]))

        journal.before_step(before)

    def says(self, options: Options) -> str:
        words = {
            "norm": "gradients clipped to norm",
            "value": "gradients clipped to ±",
            "unit": "clipped by unit at",
            "zscore": "gradient norms clipped at a z-score of",
        }
        return f"{words[options.get('kind', 'norm')]} {float(options['limit']):.2g}"

    def code(self, options: Options) -> str:
        limit = float(options["limit"])
        if options.get("kind", "norm") == "norm":
            return f"nn.utils.clip_grad_norm_(model.parameters(), {limit!r})  # after backward(), before step()"
        if options["kind"] == "value":
            return f"nn.utils.clip_grad_value_(model.parameters(), {limit!r})  # after backward(), before step()"
        paper = (
            "by unit, as in Brock et al. 2021" if options["kind"] == "unit" else "by z-score, as in Kumar et al. 2025"
        )
        return f"# adaptive clipping at {limit!r} {paper}: by Recipe.load(...).apply(model, optimizer)"


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


class _ByHistory:
    """Norms beyond mean + limit·deviation of the running averages are brought down (ZClip).

    The reciprocal rule of the paper: a norm with z-score z > limit gets the one of z-score limit²/z, and enters the
    averages as that.
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self._mean, self._variance = 0.0, 0.0

    @torch.no_grad()
    def __call__(self, parameters: list[nn.Parameter], limit: float) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = float(nn.utils.get_total_norm(gradients)) if gradients else 0.0
        if not isfinite(norm):
            return
        if len(self._first) < HISTORY:
            self._first.append(norm)
            self._mean, self._variance = fmean(self._first), pvariance(self._first)
            return
        deviation = self._variance**0.5
        score = (norm - self._mean) / (deviation + TINY)
        if score > limit:
            allowed = self._mean + limit**2 / score * deviation
            for gradient in gradients:
                gradient.mul_(allowed / norm)
            norm = allowed
        self._mean = MEMORY * self._mean + (1 - MEMORY) * norm
        self._variance = MEMORY * self._variance + (1 - MEMORY) * (norm - self._mean) ** 2


_KINDS: dict[str, Callable[[], Callable[..., Any]]] = {
    "norm": lambda: nn.utils.clip_grad_norm_,
    "value": lambda: nn.utils.clip_grad_value_,
    "unit": lambda: _by_unit,
    "zscore": _ByHistory,
}
