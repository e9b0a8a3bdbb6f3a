"""A search over several settings as one HTML file that works offline, and as a fragment for notebooks."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.search import SearchReport

from .. import search
from ..words import plain
from .search_chart import history_chart, setting_charts
from .told_page import told_fragment, told_page
from .tuning_chart import range_chart

WORDS = "search_words.html.j2"


def page(told: SearchReport) -> str:
    """The whole page."""
    charts = [history_chart(told), *setting_charts(told), range_chart(told.range_test)]
    return told_page(WORDS, _shared(told), [chart for chart in charts if chart is not None])


def fragment(told: SearchReport) -> str:
    """The text of the page, without charts and scripts."""
    return told_fragment(WORDS, _shared(told))


def _shared(told: SearchReport) -> dict[str, Any]:
    heads, rows = search.trial_grid(told)
    return {
        "told": told,
        "headline": plain(told.headline),
        "badge": search.badge(told)[0].lower(),
        "verdict": "healthy" if told.best else "undecided",
        "heads": heads,
        "rows": rows,
        "finals": search.final_tables(told),
        "facts": [("Target", plain(told.target)), *((name.capitalize(), says) for name, says in search.facts(told))],
    }
