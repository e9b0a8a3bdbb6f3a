"""k-fold cross-validation: one target per fold, each with its own batches and metric."""

from __future__ import annotations

import dataclasses
from typing import Any

from gradclinic.errors import UserError
from gradclinic.task import Target, Task

HOW = "folds(splitter) yields a pair (batches, metric) for each split of your data"


def fold_targets(target: Target, count: int, seed: int) -> list[Target]:
    """The target of each fold; the same shuffled splits whenever they are built.

    Raises:
        UserError: scikit-learn is not installed, or the task cannot be cross-validated.
    """
    try:
        from sklearn.model_selection import KFold
    except ImportError as error:
        raise UserError("--folds splits with scikit-learn: pip install scikit-learn") from error
    splitter = KFold(count, shuffle=True, random_state=seed)
    found = _pairs(target.build(seed), splitter, target.name)
    if len(found) != count:
        raise UserError(f"{target.name}: folds gave {len(found)} pairs for {count} folds; {HOW}")
    return [target.changed(f"{target.name}, fold {place + 1}", _Fold(splitter, place)) for place in range(count)]


class _Fold:
    """Puts one fold's data into a task."""

    def __init__(self, splitter: Any, place: int) -> None:
        self._splitter, self._place = splitter, place

    def __call__(self, task: Task) -> Task:
        batches, metric = _pairs(task, self._splitter, "the target")[self._place]
        return dataclasses.replace(task, batches=batches, metric=metric)


def _pairs(task: Task, splitter: Any, name: str) -> list[tuple[Any, Any]]:
    if task.folds is None:
        raise UserError(f"--folds needs a task with the key folds, and {name} has none: {HOW}")
    found = []
    for place, pair in enumerate(task.folds(splitter), 1):
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(map(callable, pair)):
            raise UserError(f"{name}: fold {place} is no pair of a function of batches and a metric; {HOW}")
        found.append(pair)
    return found
