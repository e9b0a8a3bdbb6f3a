"""The loop around a network: optimizer, batches, loss and metric, with everything that can be wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from gradclinic.task import Task

from .data import Data

OPTIMIZERS: Mapping[str, type[Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}


@dataclass(frozen=True, slots=True)
class Loop:
    """How it is trained."""

    optimizer: str = "sgd"
    lr: float = 0.01
    settings: Mapping[str, Any] = field(default_factory=dict)  #: of the optimizer, as in torch
    clip: float | None = None  #: largest norm of all gradients
    fade: float | None = None  #: factor of the learning rate after each step
    batch: int = 32
    reduction: str = "mean"  #: of the loss
    dtype: torch.dtype = torch.float32  #: of model and inputs

    def make(self, parameters: Any) -> Optimizer:
        """The optimizer, with what is done around its steps."""
        own = [parameter for parameter in parameters if parameter.requires_grad]
        made = OPTIMIZERS[self.optimizer](own, lr=self.lr, **self.settings)  # type: ignore[call-arg]
        if self.clip is not None:
            limit = self.clip
            made.register_step_pre_hook(lambda *_: void(nn.utils.clip_grad_norm_(own, limit)))
        if self.fade is not None:
            schedule = torch.optim.lr_scheduler.ExponentialLR(made, self.fade)
            made.register_step_post_hook(lambda *_: schedule.step())
        return made


ADAM = Loop("adam", 1e-3)


def void(_: object) -> None:
    """What a hook returns would be taken for its arguments."""


def training(model: nn.Module, own: Data, loop: Loop, steps: int) -> Task:
    """The task: cross entropy and accuracy for classes, squares and R² for numbers; metrics in points up to 100."""

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(own.inputs)).split(loop.batch):  # type: ignore[no-untyped-call]
            if len(rows) > 1:  # batch normalisation wants two
                yield own.inputs[rows], own.targets[rows]

    def cast(inputs: Tensor) -> Tensor:
        return inputs.to(loop.dtype) if inputs.is_floating_point() else inputs

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        outputs = network(cast(batch[0]))
        if own.classes:
            return F.cross_entropy(outputs.flatten(0, -2), batch[1].flatten(), reduction=loop.reduction)
        return F.mse_loss(outputs, batch[1].to(outputs.dtype), reduction=loop.reduction)

    judge = accuracy if own.classes else explained
    return Task(model.to(loop.dtype), batches, loss, loop.make, steps, held_out(judge, own, cast))


def held_out(
    judge: Callable[[Tensor, Tensor], float], own: Data, cast: Callable[[Tensor], Tensor]
) -> Callable[[nn.Module], float]:
    """A metric on what is not trained on."""

    @torch.no_grad()
    def metric(network: nn.Module) -> float:
        training_mode = network.training
        network.eval()
        value = judge(network(cast(own.held_inputs)).float(), own.held_targets)
        network.train(training_mode)
        return value

    return metric


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Share of the right classes, in points; outputs that are no numbers are wrong."""
    right = (outputs.argmax(-1) == targets) & outputs.isfinite().all(-1)
    return 100 * float(right.float().mean())


def explained(outputs: Tensor, targets: Tensor) -> float:
    """R² over all outputs, in points, not below -100."""
    residual = float((outputs - targets).double().square().mean())
    variance = float(targets.double().var(0, correction=0).mean())
    return 100 * max(1 - residual / variance, -1.0) if isfinite(residual) else -100.0
