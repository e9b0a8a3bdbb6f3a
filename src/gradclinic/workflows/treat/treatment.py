"""The answer of a treatment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..answer import Answer
from ..place import seen_from_here

if TYPE_CHECKING:
    from gradclinic.cure import Recipe


@dataclass(frozen=True, slots=True)
class Treatment(Answer):
    """What was wrong, what was tried, and the recipe.  Prints itself, and shows itself in a notebook."""

    recipe: Recipe  #: what won; without changes where nothing did

    @property
    def cured(self) -> bool:
        """Whether the recipe beat the untreated run and random remedies by intervals without zero."""
        return self.report.treatment is not None and self.report.treatment.cured

    def show(self, console: Console, page: Path | None = None, recipe: Path | None = None) -> None:
        """Prints the report; ``page`` and ``recipe`` name where they lie.

        Raises:
            BrokenPipeError: nobody reads it any more.
        """
        Answer.show(self, console, page)
        if recipe is not None:
            console.print(f"recipe    {seen_from_here(recipe)}\n", markup=False, highlight=False, soft_wrap=True)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; the same call goes on."""
        return self.report.treatment is not None and self.report.treatment.interrupted
