"""The answer of a search for the learning rate."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType

from gradclinic.schema.tuning import TuningReport
from gradclinic.show import json_report, tuning
from gradclinic.show.html import tuning_page

from ..place import seen_from_here

if TYPE_CHECKING:
    from gradclinic.cure import Recipe


@dataclass(frozen=True, slots=True)
class Tuning:
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

    def __rich__(self) -> RenderableType:
        return tuning.render(self.report)

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=80, color_system=None)
        with console.capture() as caught:
            console.print(self)
        return caught.get()

    def _repr_html_(self) -> str:
        return tuning_page.fragment(self.report)

    def show(self, console: Console, page: Path | None = None, recipe: Path | None = None) -> None:
        """Prints the answer; ``page`` and ``recipe`` name where they lie.

        Raises:
            BrokenPipeError: nobody reads it any more.
        """
        try:
            console.print(self)
            for name, path in (("recipe", recipe), ("page", page)):
                if path is not None:
                    line = f"{name:<10}{seen_from_here(path)}"
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
            console.print()
        except SystemExit as broken:  # rich ends the process, with a status that is not the script's
            raise BrokenPipeError from broken

    def save_html(self, path: Path) -> None:
        """Writes the self-contained page.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write_text(tuning_page.page(self.report), path)

    def save_json(self, path: Path) -> None:
        """Writes the documented JSON.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write_text(json_report.strict(self.to_dict()), path)
