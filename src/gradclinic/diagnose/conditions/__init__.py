"""All conditions, one file each.

Another package adds its own under the entry-point group ``gradclinic.conditions``: the entry point loads a
:class:`~gradclinic.diagnose.condition.Condition`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from ..condition import Condition
from . import (
    converged,
    dead_units,
    disconnected_parameter,
    divergence,
    exploding_gradient,
    initial_scale,
    loss_spike,
    non_finite,
    oscillation,
    plateau,
    precision_headroom,
    rank_collapse,
    saturated_units,
    stalled_update,
    vanishing_gradient,
    wrong_gradient,
    wrong_objective,
    zero_gradient,
)

GROUP = "gradclinic.conditions"

#: In the order in which people meet them; the verdict orders findings by cause, not by this.
BUILT_IN: tuple[Condition, ...] = (
    wrong_objective.CONDITION,
    wrong_gradient.CONDITION,
    disconnected_parameter.CONDITION,
    non_finite.CONDITION,
    zero_gradient.CONDITION,
    rank_collapse.CONDITION,
    vanishing_gradient.CONDITION,
    exploding_gradient.CONDITION,
    divergence.CONDITION,
    loss_spike.CONDITION,
    oscillation.CONDITION,
    stalled_update.CONDITION,
    dead_units.CONDITION,
    saturated_units.CONDITION,
    plateau.CONDITION,
    initial_scale.CONDITION,
    precision_headroom.CONDITION,
    converged.CONDITION,
)


def all_conditions() -> tuple[Condition, ...]:
    """The built-in conditions and those of installed packages.

    Raises ValueError where a package brings a condition under the name of a built-in one.
    """
    found = list(BUILT_IN)
    for point in entry_points(group=GROUP):
        condition = point.load()
        if any(condition.id == known.id for known in found):
            raise ValueError(f"the entry point {point.name} brings a second condition {condition.id!r}")
        found.append(condition)
    return tuple(found)
