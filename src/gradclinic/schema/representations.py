"""How far a model still tells its inputs apart, module by module."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike several vectors are; None where it has no meaning: fewer than two, zeros, or not finite."""

    count: int
    #: Mean cosine of two of them, means not taken away: the correlation c of the mean-field theory.
    cosine: float | None
    #: Part of their mean square that is not their common mean: 0 where all are the same.
    spread: float | None
    #: exp of the entropy of the normalised eigenvalues of their covariance (Roy and Vetterli 2007): in how many
    #: directions they differ, from 1 to count - 1; 0 where they do not differ but for rounding.
    effective_rank: float | None


@dataclass(frozen=True, slots=True)
class Representation:
    """The output of one call of one module."""

    where: str  #: module path, "" for the model
    call: int  #: of this module, from 0
    leaf: bool  #: it has no modules inside
    shape: tuple[int, ...]
    samples: Alike  #: the samples of the batch, all else flattened
    tokens: Alike | None  #: the places of a sequence, mean over the samples; None where the output is no sequence


@dataclass(frozen=True, slots=True)
class Representations:
    """In the order in which the modules returned."""

    outputs: tuple[Representation, ...]
    skipped: tuple[str, ...]  #: modules none of whose outputs has one row for each sample

    def to_dict(self) -> dict[str, Any]:
        """As the JSON report has it."""
        return asdict(self)


def number(value: float) -> float | None:
    """None for what is not finite, which JSON does not know."""
    return value if isfinite(value) else None
