"""Optimizers side by side as one HTML file that works offline, and as a fragment for notebooks."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.comparison import ComparisonReport

from .. import comparison
from ..words import plain
from .comparison_chart import batch_chart, effort_charts, noise_chart, rates_chart, updates_chart
from .told_page import told_fragment, told_page

WORDS = "comparison_words.html.j2"


def page(told: ComparisonReport) -> str:
    """The whole page."""
    found = [*effort_charts(told), rates_chart(told), noise_chart(told), batch_chart(told), updates_chart(told)]
    return told_page(WORDS, _shared(told), [chart for chart in found if chart is not None])


def fragment(told: ComparisonReport) -> str:
    """The text of the page, without charts and scripts."""
    return told_fragment(WORDS, _shared(told))


def _shared(told: ComparisonReport) -> dict[str, Any]:
    return {
        "headline": plain(told.headline),
        "badge": "interrupted" if told.interrupted else "compared",
        "verdict": "undecided" if told.interrupted else "healthy",
        "says": [plain(sentence) for sentence in told.says],
        "tables": comparison.tables(told),
        "facts": [("target", plain(told.target)), *((name, plain(said)) for name, said in comparison.facts(told))],
    }
