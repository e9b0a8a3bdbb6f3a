"""What both kinds of treatment are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradclinic.cure.trials import Places


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things go, and what it may cost."""

    record: Path
    recipe: Path  #: where it will lie
    stem: str  #: of the target's name
    seed: int
    budget: float  #: in full training runs
    places: Places  #: where trials run
