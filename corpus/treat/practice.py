"""What good practice tries on any task: a fixed list of recipes, made of the same remedies that a treatment has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gradclinic.cure import Change, Recipe
from gradclinic.cure.candidates import proposals
from gradclinic.cure.patient import Patient
from gradclinic.cure.remedies import find_remedy
from gradclinic.task import Target, own_generators

from .row import Row

BATCHES = 4
#: Families of what has a reason that needs no trial: units, precision, frozen parts, and what stands on the output.
GROUND = ("parameters", "precision", "inputs", "targets", "output", "regularization")
ADAM = Change("optimizer", {"name": "adam", "lr": 1e-3})
FAST = Change("optimizer", {"name": "adam", "lr": 1e-2})
MOMENTUM = Change("optimizer", {"name": "momentum", "lr": 1e-2})
RELU = Change("activation_swap", {"to": "relu"})
KAIMING = Change("kaiming_init", {"nonlinearity": "relu"})
CLIP = Change("gradient_clipping", {"kind": "norm", "limit": 1.0})
HAND = "by hand"


def look(target: Target, seed: int) -> Patient:
    """The task as a remedy sees it, nothing being known of what ails it."""
    task = target.build(seed)
    return Patient(task, task.new_optimizer(), tuple(islice(task.stream(), BATCHES)))


def practice(row: Row, seed: int) -> list[tuple[str, Recipe, Target]]:
    """Name, recipe and target of each, those written by hand last; two that come to the same stand there once."""
    with own_generators():
        patient = look(row.target, seed)
        own = proposals(patient)
    found: dict[str, tuple[str, Recipe, Target]] = {}
    for name, changes in _recipes(own, patient.lr):
        recipe = Recipe()
        for change in changes:
            recipe = recipe.with_change(change)
        found.setdefault(recipe.key, (name, recipe, row.target))
    by_hand = [
        (f"{HAND} {place}", Recipe(), row.rewritten(options)) for place, options in enumerate(row.better, start=1)
    ]
    return [*found.values(), *by_hand]


def _recipes(own: list[Change], lr: float) -> Iterator[tuple[str, list[Change]]]:
    ground = [first for family in GROUND if (first := _first(own, family)) is not None]
    ground = [change for change in ground if change.remedy != "weight_decay" or not change.options["weight_decay"]]
    relu = [RELU] if RELU in own else []
    norm = [change for change in [_first(own, "normalization")] if change]
    short = [change for change in [_first(own, "shortcuts")] if change]
    warm = [change for change in own if change.remedy == "warmup"][:1]
    for name, factor in (("slower", 0.1), ("faster", 10.0), ("much faster", 100.0)):
        yield name, [Change("learning_rate", {"lr": float(f"{lr * factor:.3g}")})]
    yield "Adam", [ADAM]
    yield "ground, Adam", [*ground, ADAM]
    yield "ground, fast Adam", [*ground, FAST]
    yield "ground, momentum", [*ground, MOMENTUM]
    yield "ReLU and Kaiming", [*ground, *relu, KAIMING, ADAM]
    yield "normalised", [*ground, *relu, *norm, ADAM]
    yield "normalised, fast", [*ground, *relu, *norm, FAST]
    yield "shortcuts", [*ground, *relu, *short, KAIMING, ADAM]
    yield "normalised, shortcuts", [*ground, *relu, *norm, *short, ADAM]
    yield "warm-up and clipping", [*ground, *warm, CLIP, FAST]


def _first(own: list[Change], family: str) -> Change | None:
    return next((change for change in own if find_remedy(change.remedy).family == family), None)
