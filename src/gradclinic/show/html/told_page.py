"""What the pages of the verbs that have no record share: one HTML file that works offline, and a fragment of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from .figure import Chart
from .page import environment, file, policy, script_json


def told_page(words: str, shared: dict[str, Any], charts: Sequence[Chart]) -> str:
    """The page around the template ``words``; all text is there without JavaScript, under the other reports' policy."""
    from plotly.offline import get_plotlyjs  # late: the terminal does without

    library = get_plotlyjs() if charts else ""
    script = file("page.js") if charts else ""
    return environment().get_template("told.html.j2").render(
        **shared,
        words=words,
        style=Markup(file("style.css")),
        charts=charts,
        figures=Markup(script_json({chart.key: chart.figure() for chart in charts})),
        plotly=Markup(library),
        script=Markup(script),
        policy=policy(text for text in (library, script) if text),
    )  # fmt: skip


def told_fragment(words: str, shared: dict[str, Any]) -> str:
    """The text of the page, without charts and scripts."""
    return environment().get_template("told_text.html.j2").render(
        **shared, words=words, style=Markup(file("style.css"))
    )  # fmt: skip
