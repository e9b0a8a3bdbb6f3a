"""A named cause, with what a finding says of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradclinic.schema.finding import CauseId


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something happens, where, by which numbers, and what to do first."""

    id: CauseId
    because: str  #: one sentence, to follow on what was seen
    action: str
    where: tuple[str, ...] = ()
    numbers: dict[str, float | int | str] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()
    source: str = ""
    confidence: float = 0.7


def listed(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """Names for a sentence: "`a`, `b` and 4 more"."""
    distinct = list(dict.fromkeys(name or "(outside any module)" for name in names))
    shown = [f"`{name}`" for name in distinct[:most]]
    rest = len(distinct) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
