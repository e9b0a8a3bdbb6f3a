"""``gradclinic report``: the HTML report of a recorded run."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from .answer import read_answer
from .place import find_record


def write_report(run: str | None, html: Path | None, *, show: bool = False) -> Path:
    """Writes the page of ``run`` (default: the newest) to ``html`` (default: beside the record); opens it if asked to.

    Raises:
        UserError: no such run, not a record, or the page cannot be written.
    """
    path = find_record(run)
    page = html or path.with_suffix(".html")
    read_answer(path).save_html(page)
    if show:
        webbrowser.open(page.resolve().as_uri())
    return page
