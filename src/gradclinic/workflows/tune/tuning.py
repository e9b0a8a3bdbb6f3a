"""The answer of a search for the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from gradclinic.schema.tuning import TuningReport
from gradclinic.show import tuning
from gradclinic.show.html import tuning_page

from ..shown import Shown

if TYPE_CHECKING:
    from gradclinic.cure import Recipe


@dataclass(frozen=True, slots=True)
class Tuning(Shown):
    """What was tried and chosen.  Prints itself, and shows itself in a notebook."""

    report: TuningReport
    recipe: Recipe  #: sets the chosen rate; without changes where it was interrupted

    @property
    def lr(self) -> float | None:
        """The chosen learning rate, of the fastest group; None where it was interrupted."""
        return self.report.lr

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self.report.headline

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; the same call goes on."""
        return self.report.interrupted

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON as plain data."""
        return self.report.to_dict()

    def page(self) -> str:
        """The self-contained HTML page."""
        return tuning_page.page(self.report)

    def __rich__(self) -> RenderableType:
        return tuning.render(self.report)

    def _repr_html_(self) -> str:
        return tuning_page.fragment(self.report)
