"""The answer of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from gradclinic.schema.comparison import ComparisonReport, OptimizerRow
from gradclinic.show import comparison
from gradclinic.show.html import comparison_page

from ..shown import Shown


@dataclass(frozen=True, slots=True)
class Comparison(Shown):
    """What each optimizer did.  Prints itself, and shows itself in a notebook."""

    report: ComparisonReport

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self.report.headline

    @property
    def best(self) -> str | None:
        """The optimizer that ended with the lowest loss; None where none arrived."""
        arrived = [row.name for row in self.report.rows if row.interval is not None]
        return arrived[0] if arrived else None

    @property
    def rows(self) -> dict[str, OptimizerRow]:
        """By optimizer, the lowest loss first."""
        return {row.name: row for row in self.report.rows}

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.report.interrupted

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON (``comparison.schema.json``) as plain data."""
        return self.report.to_dict()

    def page(self) -> str:
        """The self-contained HTML page."""
        return comparison_page.page(self.report)

    def __rich__(self) -> RenderableType:
        return comparison.render(self.report)

    def _repr_html_(self) -> str:
        return comparison_page.fragment(self.report)
