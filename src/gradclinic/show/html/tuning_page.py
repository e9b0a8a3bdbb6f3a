"""A search for the learning rate as one HTML file that works offline, and as a fragment for notebooks."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.tuning import TuningReport

from .. import tuning
from ..words import number, plain
from .told_page import told_fragment, told_page
from .tuning_chart import range_chart, rates_chart

WORDS = "tuning_words.html.j2"


def page(told: TuningReport) -> str:
    """The whole page."""
    charts = [chart for chart in (rates_chart(told), range_chart(told.range_test)) if chart is not None]
    return told_page(WORDS, _shared(told), charts)


def fragment(told: TuningReport) -> str:
    """The text of the page, without charts and scripts."""
    return told_fragment(WORDS, _shared(told))


def _shared(told: TuningReport) -> dict[str, Any]:
    return {
        "told": told,
        "headline": plain(told.headline),
        "badge": "tuned" if told.lr is not None else "interrupted",
        "verdict": "healthy" if told.lr is not None else "undecided",
        "rows": tuning.rate_rows(told),
        "measure": tuning.measure_of(told),
        "over": f"{told.folds} folds" if told.folds else f"{told.replicates} seeds",
        "edge": tuning.edge(told),
        "suggestions": tuning.suggestion_rows(told.range_test) if told.range_test else [],
        "facts": [
            ("Target", plain(told.target)),
            ("Window", tuning.window_says(told)),
            ("Your learning rate", number(told.own)),
            ("Cost", tuning.cost(told)),
        ],
    }
