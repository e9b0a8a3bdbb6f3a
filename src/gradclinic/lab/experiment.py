"""What an experiment is: conditions, how one of them is measured, and what the paper says of the measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One condition with one seed, measured.  Both sides hold numbers, words, and lists of them."""

    setting: Mapping[str, Any]
    values: Mapping[str, Any]
    seconds: float = 0.0

    def __getitem__(self, name: str) -> Any:
        return self.setting[name] if name in self.setting else self.values[name]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the paper beside what was measured."""

    says: str
    expected: str
    measured: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A plotly figure as plain data, and what it shows in words."""

    title: str
    says: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment of the literature.

    ``conditions(settings)`` lists what is to be compared, as keyword arguments of ``measure(seed=..., **condition)``,
    which returns numbers, words and lists of numbers.  ``judge`` and ``draw`` see all rows at once.
    """

    name: str
    title: str
    paper: str
    quick: Settings  #: of minutes on two cores
    full: Settings  #: of the paper's size, or as near as one machine comes
    conditions: Callable[[Settings], Iterable[Mapping[str, Any]]]
    measure: Callable[..., Mapping[str, Any]]
    judge: Callable[[Sequence[Row]], list[Claim]]
    draw: Callable[[Sequence[Row]], list[Figure]]


def pick(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows whose setting has all of ``wanted``."""
    return [row for row in rows if all(row.setting.get(name) == value for name, value in wanted.items())]


def mean(rows: Iterable[Row], value: str) -> float:
    """Mean of a value over rows; nan without one."""
    found = [float(row[value]) for row in rows]
    return sum(found) / len(found) if found else float("nan")


def spread(rows: Iterable[Row], value: str) -> float:
    """Standard deviation of a value over rows; 0 with fewer than two."""
    found = [float(row[value]) for row in rows]
    if len(found) < 2:
        return 0.0
    middle = sum(found) / len(found)
    return sqrt(sum((each - middle) ** 2 for each in found) / (len(found) - 1))


def near(says: str, expected: float, measured: float, error: float, *, relative: bool = True) -> Claim:
    """A number of the paper within a stated error, relative or absolute."""
    off = abs(measured - expected)
    holds = isfinite(measured) and off <= (error * abs(expected) if relative else error)
    within = f"± {100 * error:.3g}%" if relative else f"± {error:.3g}"
    return Claim(says, f"{expected:.4g} {within}", f"{measured:.4g}", holds)


def at_least(says: str, least: float, measured: float) -> Claim:
    """A number that is to be ``least`` or more."""
    return Claim(says, f"≥ {least:.3g}", f"{measured:.3g}", isfinite(measured) and measured >= least)


def at_most(says: str, most: float, measured: float) -> Claim:
    """A number that is to be ``most`` or less."""
    return Claim(says, f"≤ {most:.3g}", f"{measured:.3g}", isfinite(measured) and measured <= most)
