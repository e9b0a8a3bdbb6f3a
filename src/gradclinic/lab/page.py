"""An outcome as one HTML file that works offline."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources

import jinja2
from markupsafe import Markup

from .outcome import Outcome


def page(outcome: Outcome) -> str:
    """All text is there without JavaScript; a content policy forbids every request."""
    from plotly.offline import get_plotlyjs  # late: the terminal does without

    figures = [{"data": figure.data, "layout": figure.layout} for figure in outcome.figures]
    library, script = get_plotlyjs(), _file("page.js")
    headings, lines = outcome.table()
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_file("page.html.j2")).render(
        outcome=outcome,
        headings=headings,
        lines=lines,
        style=Markup(_file("page.css")),
        data=Markup(json.dumps(figures, allow_nan=False).replace("<", "\\u003c")),
        plotly=Markup(library),
        script=Markup(script),
        policy=f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; "
        "style-src 'unsafe-inline'; img-src data: blob:",
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
