"""What one would build today: the usual parts together, which train where each of them alone may not."""

from __future__ import annotations

from collections.abc import Sequence

from .patient import Patient
from .recipe import Change, Recipe
from .remedies import find_remedy
from .remedies.optimizer import USUAL as RATES

#: Layers with weights from which a stack without shortcuts trains worse the deeper it is (He et al. 2016, figure 1).
DEEP = 10
#: Of each of these families the first change that fits; shortcuts besides where the stack is deep.
PARTS = ("activation", "normalization", "recurrence", "initialization")
#: A rate this far from the usual one is no other: a factor of three.
NEAR = 3.0


def usual(patient: Patient, ground: Recipe, changes: Sequence[Change]) -> list[Recipe]:
    """On the ground that all others stand on: with the user's optimizer, and with Adam at its usual rate."""
    for family in (*PARTS[:2], *(("shortcuts",) if patient.depth >= DEEP else ()), *PARTS[2:]):
        first = next((change for change in changes if find_remedy(change.remedy).family == family), None)
        if first is not None:
            ground = joined(ground, first)
    return [ground, *(joined(ground, change) for change in _adam(patient, changes))]


def joined(recipe: Recipe, change: Change) -> Recipe:
    """One change more; weights are drawn for the activation that is put in, not for the one that is taken out."""
    swapped = next((c.options["to"] for c in (*recipe.changes, change) if c.remedy == "activation_swap"), None)
    found = recipe.with_change(change)
    for own in found.changes:
        if swapped is not None and "nonlinearity" in own.options:
            found = found.with_change(Change(own.remedy, {**own.options, "nonlinearity": swapped}))
    return found


def _adam(patient: Patient, changes: Sequence[Change]) -> list[Change]:
    """The change to it where it is proposed, else its usual rate where the user's is another."""
    proposed = [change for change in changes if change.remedy == "optimizer" and change.options["name"] == "adam"]
    far = not RATES["adam"] / NEAR <= patient.lr <= RATES["adam"] * NEAR
    return proposed[:1] or [Change("learning_rate", {"lr": RATES["adam"]})] * far
