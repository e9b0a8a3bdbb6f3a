"""What the answers of the verbs that have no record share: how they print, show and write themselves."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from gradclinic.show import json_report

from .place import seen_from_here


class Shown(ABC):
    """Prints itself on a terminal, and shows itself in a notebook."""

    __slots__ = ()

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The documented JSON as plain data."""

    @abstractmethod
    def page(self) -> str:
        """The self-contained HTML page."""

    @abstractmethod
    def __rich__(self) -> RenderableType: ...

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=80, color_system=None)
        with console.capture() as caught:
            console.print(self)
        return caught.get()

    def show(self, console: Console, **files: Path | None) -> None:
        """Prints the answer, and where its ``files`` lie, by what they are.

        Raises:
            BrokenPipeError: nobody reads it any more.
        """
        try:
            console.print(self)
            for name, path in files.items():
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
        json_report.write_text(self.page(), path)

    def save_json(self, path: Path) -> None:
        """Writes the documented JSON.

        Raises:
            UserError: it cannot be written there.
        """
        json_report.write_text(json_report.strict(self.to_dict()), path)
