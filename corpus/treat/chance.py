"""Random search over the same remedies at the same cost: what a treatment must be better than."""

from __future__ import annotations

import random
from typing import Any

from gradclinic.cure import Change, Recipe
from gradclinic.cure.candidates import proposals
from gradclinic.cure.remedies import find_remedy
from gradclinic.task import Target, own_generators

from .full import train
from .practice import look

#: Share of a full training that each draw takes: several draws of a part tell more than one in full.
PART = 0.25


def search(target: Target, seed: int, gradients: float, steps: int, classes: bool) -> dict[str, Any]:
    """The best of as many draws of one or two proposals as ``gradients`` bear, by the metric; at least one draw.

    A recipe that cannot be applied is a draw, and has the lowest metric.
    """
    draw = random.Random(f"{seed} {target.name}")
    with own_generators():
        pool = proposals(look(target, seed))
        drawn = [_recipe(pool, draw) for _ in range(max(1, round(gradients / (PART * steps))))]
        runs = [train(target, recipe, seed, round(PART * steps), classes) for recipe in drawn]
    best = max(range(len(drawn)), key=lambda place: runs[place].metric)
    return {"draws": len(drawn), "changes": [change.to_dict() for change in drawn[best].changes]}


def _recipe(pool: list[Change], draw: random.Random) -> Recipe:
    first = draw.choice(pool)
    others = [change for change in pool if find_remedy(change.remedy).family != find_remedy(first.remedy).family]
    second = [draw.choice(others)] if others and draw.random() < 0.5 else []
    return Recipe.of(first, *second)
