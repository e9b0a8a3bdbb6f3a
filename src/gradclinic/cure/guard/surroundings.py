"""What a training has beside weights and optimizers: random generators, the gradient scaler, schedulers."""

from __future__ import annotations

import copy
import gc
import random
import sys
from collections.abc import Iterable
from typing import Any

import torch
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class Generators:
    """The global generators of Python, numpy and torch, those of its accelerators included."""

    def __init__(self) -> None:
        self._python = random.getstate()
        numpy = sys.modules.get("numpy")  # a script that has not imported it draws nothing from it
        self._numpy = numpy.random.get_state() if numpy else None
        self._torch = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def restore(self) -> None:
        random.setstate(self._python)
        if self._numpy is not None:
            sys.modules["numpy"].random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state_all(self._cuda)


class Scale:
    """A gradient scaler's scale and its count of good steps, copied without waiting for a device."""

    def __init__(self, scaler: GradScaler) -> None:
        self._scaler = scaler
        self._kept = [(name, value.clone()) for name in ("_scale", "_growth_tracker")
                      if (value := getattr(scaler, name, None)) is not None]  # fmt: skip

    def restore(self) -> None:
        for name, value in self._kept:
            getattr(self._scaler, name).copy_(value)


class Schedules:
    """The state of learning-rate schedulers."""

    def __init__(self, schedulers: Iterable[LRScheduler]) -> None:
        self._kept: list[tuple[Any, dict[str, Any]]] = []
        for scheduler in schedulers:
            # Best-effort: one that holds what cannot be copied keeps its place in the schedule.
            try:
                self._kept.append((scheduler, copy.deepcopy(scheduler.state_dict())))
            except Exception:
                continue

    def restore(self) -> None:
        for scheduler, state in self._kept:
            scheduler.load_state_dict(copy.deepcopy(state))


def schedulers_of(optimizers: Iterable[Optimizer]) -> list[LRScheduler]:
    """The schedulers alive that act on these optimizers.  Looks through every object: some tens of milliseconds."""
    wanted = {id(optimizer) for optimizer in optimizers}
    # type(), not isinstance: proxies may answer __class__ with arbitrary code.
    found = [thing for thing in gc.get_objects() if issubclass(type(thing), LRScheduler)]
    return [scheduler for scheduler in found if id(getattr(scheduler, "optimizer", None)) in wanted]
