"""The half of a script's treatment that runs inside the script: puts the recipe in, counts steps, notes losses, ends.

The recipe is applied when a model is called for the first time after an optimizer over its parameters was made.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradclinic.cure import Recipe
from gradclinic.cure.candidates import bases, candidates, proposals
from gradclinic.cure.patient import Patient
from gradclinic.cure.screening import Screened
from gradclinic.cure.stand_in import stand_in
from gradclinic.schema.finding import Finding
from gradclinic.task import Task, own_generators

#: Seeds of a script are moved by so much for each seed of a trial, so that neighbours of the script's own are not hit.
STRIDE = 7919
#: Candidates that are told.
MOST = 24


def begin_trial(path: str) -> None:
    """Takes over: ``path`` holds what is to be done."""
    task = json.loads(Path(path).read_text(encoding="utf-8"))
    _Trial(task).begin()


class _Trial:
    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._left = Path(task["left"])
        self._losses: list[Tensor] = []
        self._latest: Tensor | None = None
        self._optimizer: Optimizer | None = None
        self._began = time.perf_counter()
        self._done = False
        self._call: Callable[..., Any] = nn.Module.__call__

    def begin(self) -> None:
        """Moves the seeds and waits for the model's first call."""
        _move_seeds(int(self._task.get("seed", 0)))
        init = Optimizer.__init__

        def made(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            init(optimizer, *args, **kwargs)
            if self._optimizer is None:
                self._optimizer = optimizer

        Optimizer.__init__ = made  # type: ignore[method-assign, assignment]
        trial = self

        def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if trial._optimizer is not None and _holds(module, trial._optimizer):
                nn.Module.__call__ = trial._call  # type: ignore[method-assign]
                Optimizer.__init__ = init  # type: ignore[method-assign]
                trial._found(module, args, kwargs)
            return trial._call(module, *args, **kwargs)

        nn.Module.__call__ = called  # type: ignore[method-assign]

    def _found(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        optimizer = self._optimizer
        assert optimizer is not None  # it was asked before
        if self._task.get("look"):
            self._leave(self._look(model, optimizer, args, kwargs))
        try:
            _, new = Recipe.from_dict(self._task["recipe"]).apply(model, optimizer, reversible=False)
        except Exception as error:
            self._leave({"losses": [], "ended": " ".join(f"{type(error).__name__}: {error}".split())[:300]})
        if new is not optimizer:
            stand_in(optimizer, new)
        self._count(new)

    def _count(self, optimizer: Optimizer) -> None:
        backward = torch.autograd.backward

        def watched(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            root = tensors if isinstance(tensors, Tensor) else next(iter(tensors), None)
            if isinstance(root, Tensor) and root.numel() == 1:
                self._latest = root.detach()
            return backward(tensors, *args, **kwargs)

        torch.autograd.backward = watched
        optimizer.register_step_post_hook(self._stepped)

    def _stepped(self, *_: Any) -> None:
        if self._latest is not None:
            self._losses.append(self._latest)
        if len(self._losses) >= int(self._task["steps"]) or (self._latest is not None and not self._latest.isfinite()):
            losses = [float(loss) for loss in self._losses]
            ended = "" if all(isfinite(loss) for loss in losses) else "diverged"
            self._leave({"losses": [str(loss) for loss in losses], "ended": ended})

    def _look(
        self, model: nn.Module, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        findings = tuple(
            Finding(**{**data, "where": tuple(data["where"]), "remedies": tuple(data["remedies"])})
            for data in self._task["findings"]
        )
        task = Task(
            model, lambda: iter(()), lambda model, batch: model(*batch[0], **batch[1]), lambda p: optimizer,
            int(self._task["steps"]),
        )  # fmt: skip
        with own_generators():
            patient = Patient(task, optimizer, ((args, kwargs),), findings)
            changes = proposals(patient)
            ranked = candidates(patient, changes, bases(patient, changes), _unseen)
        return {
            "candidates": [
                {"recipe": each.recipe.to_dict(), "promise": each.promise, "usual": each.usual}
                for place, each in enumerate(ranked)
                if place < MOST or each.usual
            ],
            "pool": [Recipe.of(change).to_dict() for change in changes],
        }

    def _leave(self, found: dict[str, Any]) -> None:
        """Writes what was found and ends the process: what the script does at its end is not for a trial."""
        found["seconds"] = time.perf_counter() - self._began
        self._left.write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)


def _unseen(recipe: Recipe) -> Screened:
    """The loss is somewhere in the script, so that no window can be measured: real steps will tell."""
    return Screened(recipe, why="a script's loss is its own")


def _holds(module: nn.Module, optimizer: Optimizer) -> bool:
    own = {id(parameter) for parameter in module.parameters()}
    return all(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])


def _move_seeds(seed: int) -> None:
    """A script that seeds itself gets other seeds; one that does not gets this."""
    if not seed:
        return
    moved = seed * STRIDE
    torch_seed, python_seed, numpy_seed = torch.manual_seed, random.seed, np.random.seed
    torch_seed(moved)
    python_seed(moved)
    numpy_seed(moved % 2**32)
    patched: Any = (torch, random, np.random)
    patched[0].manual_seed = lambda own: torch_seed(int(own) + moved)
    patched[1].seed = lambda own=None, version=2: python_seed(own + moved if isinstance(own, int) else own, version)
    patched[2].seed = lambda own=None: numpy_seed((own + moved) % 2**32 if isinstance(own, int) else own)
