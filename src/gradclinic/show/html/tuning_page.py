"""A search for the learning rate as one HTML file that works offline, and as a fragment for notebooks."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from gradclinic.schema.tuning import TuningReport

from .. import tuning
from ..words import number, plain
from .page import environment, file, policy, script_json
from .tuning_chart import range_chart, rates_chart


def page(told: TuningReport) -> str:
    """All text is there without JavaScript; the same content policy as the other reports'."""
    from plotly.offline import get_plotlyjs  # late: the terminal does without

    charts = [chart for chart in (rates_chart(told), range_chart(told.range_test)) if chart is not None]
    library = get_plotlyjs() if charts else ""
    script = file("page.js") if charts else ""
    return environment().get_template("tuning.html.j2").render(
        **_shared(told),
        charts=charts,
        figures=Markup(script_json({chart.key: chart.figure() for chart in charts})),
        plotly=Markup(library),
        script=Markup(script),
        policy=policy(text for text in (library, script) if text),
    )  # fmt: skip


def fragment(told: TuningReport) -> str:
    """The text of the page, without charts and scripts."""
    return environment().get_template("tuning_text.html.j2").render(**_shared(told))


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
        "style": Markup(file("style.css")),
    }
