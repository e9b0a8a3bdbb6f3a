"""Gradients travel backwards larger than they are, so that half precision does not round them to 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.measure.jacobian.tree import floating

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.wide_step import LOW, nearest, widen_steps

#: torch.amp.GradScaler's: the first scale, what it falls and rises by, and after how many good steps it rises.
FIRST, DOWN, UP, PATIENCE = 2.0**16, 0.5, 2.0, 2000


class LossScaling(Remedy):
    """From the model's output on, which is handed on as float32; undone in float32 before the step.

    Gradients that reach the parameters past the output, as those of a weight penalty in the loss, are divided too:
    for those ``torch.amp.GradScaler`` in the loop is the way.
    """

    id = "loss_scaling"
    family = "precision"
    title = "scaled gradients"
    size = 2
    effect = "gradients below 6e-8, the smallest number of float16, arrive; a step whose gradients overflow is left out"
    source = "Micikevicius et al. 2018, arXiv:1710.03740; torch.amp.GradScaler"

    def propose(self, patient: Patient) -> Iterable[Options]:
        call = patient.calls.get("")
        mixed = call.autocast[1] if call is not None and call.autocast else None
        # bfloat16 has float32's range: nothing underflows there that float32 would keep.
        if mixed == torch.float16 or any(p.dtype == torch.float16 for p in patient.model.parameters()):
            yield {"scale": FIRST}

    def apply(self, journal: Journal, options: Options) -> None:
        state = _Scale(float(options.get("scale", FIRST)))
        if not state.value > 0:
            raise CannotApply(f"the scale must be above 0, not {state.value:g}")
        journal.hook(journal.model.register_forward_hook(state.enlarge))
        journal.before_step(state.check)  # before the gradients of wide parameters are divided
        widen_steps(journal, nearest, shadow=True, scale=lambda: state.value)
        journal.after_step(state.update)

    def code(self, options: Options) -> str:
        return (
            "scaler = torch.amp.GradScaler()  # the model in float32, its forward under torch.autocast\n"
            "# scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update()"
        )


class _Scale:
    """The factor, which adapts as GradScaler's does."""

    def __init__(self, value: float) -> None:
        self.value = value
        self._good = 0
        self._bad = False

    def enlarge(self, model: nn.Module, args: Any, output: Any) -> Any:
        tensors, rebuild = floating(output)
        wide = [t.float() if t.dtype in LOW else t for t in tensors]
        for tensor in wide:
            if tensor.requires_grad:
                tensor.register_hook(self._times)  # type: ignore[no-untyped-call]
        return rebuild(wide)

    def _times(self, gradient: Tensor) -> Tensor:
        return gradient * self.value

    @torch.no_grad()
    def check(self, optimizer: Optimizer) -> None:
        """Gradients of float32 parameters are divided here; where any is not finite none is left, and no step made."""
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self._bad = any(not bool(p.grad.isfinite().all()) for p in parameters)
        for parameter in parameters:
            if self._bad:
                parameter.grad = None
            elif parameter.dtype not in LOW:
                parameter.grad /= self.value

    def update(self, optimizer: Optimizer) -> None:
        self._good = 0 if self._bad else self._good + 1
        if self._bad:
            self.value *= DOWN
        elif self._good == PATIENCE:
            self.value, self._good = self.value * UP, 0
