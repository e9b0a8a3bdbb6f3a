"""Shares with their intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

#: The normal distribution's two-sided 95% point.
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Rate:
    """So many right out of so many."""

    right: int
    count: int

    @classmethod
    def of(cls, answers: Iterable[bool]) -> Rate:
        """Counts the true ones."""
        known = list(answers)
        return cls(sum(known), len(known))

    @property
    def share(self) -> float | None:
        """None of none."""
        return self.right / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95%, which keeps its coverage at shares of 0 and 1 (Wilson 1927)."""
        if not self.count:
            return 0.0, 1.0
        n, p = self.count, self.right / self.count
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def __str__(self) -> str:
        """As in "48 of 50, 96% (87 to 99)"."""
        if not self.count:
            return "none"
        low, high = self.interval
        return f"{self.right} of {self.count}, {self.right / self.count:.0%} ({100 * low:.0f} to {100 * high:.0f})"
