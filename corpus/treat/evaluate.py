"""One task evaluated: treated once, then trained in full on fresh seeds as it is, treated, and by random search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradclinic.cure import Recipe

from . import kept
from .chance import search
from .families import find_row
from .full import train
from .row import Row
from .treatment import treat

#: The treatment's own seed, and those of the trainings that judge it, which it has not seen.
SEED, FRESH = 0, (101, 102, 103)


def evaluate(name: str, folder: Path) -> str:
    """The task of this name; returns what to tell of it."""
    return evaluate_row(find_row(name), folder)


def evaluate_row(row: Row, folder: Path) -> str:
    """Does what is not done yet, and keeps it after each part."""
    data = kept.load(folder, row.name)
    for part, measure in PARTS.items():
        if part not in data:
            data[part] = measure(row, data)
            kept.save(folder, row.name, data)
    before, after = ([run["metric"] for run in data["runs"][arm]] for arm in ("untreated", "handed"))
    return f"{row.name}: {before} untreated, {after} treated; {data['treatment']['headline']}"


def _treated(row: Row, _: dict[str, Any]) -> dict[str, Any]:
    return treat(row.target, SEED)


def _runs(row: Row, data: dict[str, Any]) -> dict[str, Any]:
    """As it is and with the recipe handed over, claimed as a cure or not; the two take turns on a busy machine."""
    recipe, classes = recipe_of(data["treatment"]["changes"]), is_classifier(row)
    runs: dict[str, Any] = {"untreated": [], "handed": []}
    for seed in FRESH:
        untreated = train(row.target, Recipe(), seed, row.steps, classes)
        handed = train(row.target, recipe, seed, row.steps, classes) if recipe.changes else untreated
        runs["untreated"].append(untreated.to_dict())
        runs["handed"].append(handed.to_dict())
    return runs


def _chance(row: Row, data: dict[str, Any]) -> dict[str, Any]:
    classes = is_classifier(row)
    found = search(row.target, SEED, sum(data["treatment"]["spent"].values()), row.steps, classes)
    recipe = recipe_of(found["changes"])
    return found | {"runs": [train(row.target, recipe, seed, row.steps, classes).to_dict() for seed in FRESH]}


def recipe_of(changes: list[dict[str, Any]]) -> Recipe:
    """From what a file has."""
    return Recipe.from_dict(Recipe().to_dict() | {"changes": changes})


def is_classifier(row: Row) -> bool:
    """Whether the metric is an accuracy."""
    return not next(row.target.build(0).stream())[1].is_floating_point()


#: In order: what is kept of a task, and what measures it.
PARTS: dict[str, Callable[[Row, dict[str, Any]], dict[str, Any]]] = {
    "treatment": _treated,
    "runs": _runs,
    "chance": _chance,
}
