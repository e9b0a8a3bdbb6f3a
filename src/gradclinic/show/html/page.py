"""Joins text, charts and plotly into one file that needs no network."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from gradclinic.schema.finding import Finding
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report, json_ready
from gradclinic.schema.treatment import TreatmentReport

from .. import treatment, words
from ..checkup import spectra, stacks_of, unmeasured, where_of
from ..guard import guard_acts
from ..layers import LayerRow, layer_rows
from ..summary import Facts, account, badge_of, facts, headline
from .activity_chart import activity_chart
from .figure import Chart
from .heat_chart import heat_chart
from .ledger_chart import ledger_chart, spine
from .loss_chart import loss_chart
from .signal_chart import signal_chart
from .trials_chart import proof_chart, rounds_chart
from .update_chart import update_chart
from .window_chart import window_chart


def page(report: Report, record: Record | None = None) -> str:
    """The report as one self-contained HTML file.

    All text is there without JavaScript.  A content policy forbids every request and every script but the two that
    the page brings, by their hashes, so that nothing in a record's names can run or call home.
    """
    # plotly is imported late: the terminal report does not need it.
    from plotly.offline import get_plotlyjs

    charts = _charts(report, record)
    library = get_plotlyjs() if charts else ""
    script = file("page.js") if charts else ""
    return environment().get_template("page.html.j2").render(
        **_shared(report, record),
        charts=charts,
        figures=Markup(script_json({chart.key: chart.figure() for chart in charts})),
        plotly=Markup(library),
        script=Markup(script),
        policy=policy(text for text in (library, script) if text),
    )  # fmt: skip


def fragment(report: Report, record: Record | None = None) -> str:
    """The text of the page, without charts and scripts, to be shown inside a notebook (``_repr_html_``)."""
    return environment().get_template("fragment.html.j2").render(**_shared(report, record))


def script_json(data: Any) -> str:
    """Strict JSON that may stand inside a ``<script>`` element whatever strings it holds."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))  # ASCII: U+2028 is escaped as well
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _charts(report: Report, record: Record | None) -> list[Chart]:
    found = [window_chart(report), signal_chart(report), ledger_chart(report)]
    if record is not None:
        found = [*found[:2], loss_chart(report, record), heat_chart(report, record), *found[2:], update_chart(record)]
    found.append(activity_chart(report))
    if report.treatment is not None:
        found = [proof_chart(report.treatment), rounds_chart(report.treatment), *found]
    return [chart for chart in found if chart is not None]


def _shared(report: Report, record: Record | None) -> dict[str, Any]:
    rows = () if record is None else layer_rows(record, report.ledger)
    told = _facts(facts(report, record), report, record)
    return {
        "report": report,
        "findings": [_finding(place, finding) for place, finding in enumerate(report.findings, 1)],
        "undecided": [(words.condition(item.condition), item.missing) for item in report.undecided],
        "treatment": None if report.treatment is None else _treatment(report.treatment),
        "symbol": words.VERDICT_SYMBOLS[badge_of(report)[0]],
        "badge": badge_of(report),
        "headline": headline(report),
        "account": account(report.ledger),
        "theory": [(where_of(stack), words.plain(stack["words"])) for stack in stacks_of(report)],
        "spectra": spectra(report),
        "layers": [_layer(row) for row in rows],
        "operations": [
            (words.plain(line.module), words.plain(line.op), line.kind, words.signed(line.decades))
            for line in spine(report.ledger)[:MAX_OPERATIONS]
        ],
        "operations_total": len(spine(report.ledger)),
        "guard": guard_acts(report.run.get("guard")),
        "facts": told,
        "traceback": record.ending.traceback if record is not None and record.ending else None,
        "style": Markup(file("style.css")),
    }


#: Rows of the table of operations: a long recurrence has thousands, and the JSON report has them all.
MAX_OPERATIONS = 1000


def _finding(place: int, finding: Finding) -> dict[str, Any]:
    return {
        "place": place,
        "severity": finding.severity,
        "condition": words.condition(finding.condition),
        "identifiers": f"{finding.condition} / {finding.cause}",
        "cause": words.cause(finding.cause),
        "where": [words.plain(name) for name in finding.where],
        "step": finding.step,
        "confidence": words.share(finding.confidence),
        "explanation": words.plain(finding.explanation),
        "action": words.plain(finding.action),
        "remedies": [words.label(words.plain(remedy)) for remedy in finding.remedies],
        "evidence": [
            (words.label(words.plain(name)), words.value(json_ready(item), 60))
            for name, item in finding.evidence.items()
        ],
        "source": words.plain(finding.source),
    }


def _treatment(told: TreatmentReport) -> dict[str, Any]:
    return {
        "told": told,
        "gains": treatment.gains(told),
        "cost": treatment.cost(told),
        "proof_rows": treatment.proof_rows(told),
        "rounds": [(number, treatment.round_rows(rows)) for number, rows in enumerate(told.rounds, 1)],
        "screened": treatment.screen_rows(told),
    }


def _layer(row: LayerRow) -> dict[str, str]:
    state = {"non_finite": "nan or inf", "absent": "none", "zero": "0"}.get(row.state)
    return {
        "name": words.plain(row.layer.name),
        "type": words.plain(row.layer.type),
        "elements": words.number(row.layer.elements),
        "first": words.number(row.first),
        "last": state or words.number(row.last),
        "decades": "–" if row.decades is None else words.signed(row.decades),
        "update": words.number(row.update),
        "dead": words.share(row.dead),
        "saturated": words.share(row.saturated),
    }


def _facts(known: Facts, report: Report, record: Record | None) -> list[tuple[str, str]]:
    planned = "" if known.planned is None else f" of {known.planned:,} planned"
    listed = [
        ("Command", known.command),
        ("Steps", f"{known.steps:,}{planned}" + (f", {known.skipped:,} skipped" if known.skipped else "")),
        ("Time", words.duration(known.seconds)),
        ("Ended", known.status + ("" if known.exit_code is None else f", exit status {known.exit_code}")),
        ("Guard", known.guard),
        ("Error", words.plain(known.error or "")),
        ("Optimizer", known.optimizers),
        ("Parameters", words.number(known.parameters) if known.parameters else ""),
        ("Cost of watching", "" if known.watching is None else words.duration(known.watching)
         + (f", {words.share(known.watching_share)} of the run" if known.watching_share is not None else "")),
        ("Could not be seen", "; ".join(known.unseen)),
        ("Could not be measured", unmeasured(report)),
    ]  # fmt: skip
    if known.losses:
        finite = [loss for _, loss in known.losses if math.isfinite(loss)]
        lowest = f", lowest {words.number(min(finite), 4)}" if finite else ""
        first, last = (words.number(known.losses[i][1], 4) for i in (0, -1))
        listed.insert(3, ("Loss", f"{first} → {last}{lowest}"))
    if record is not None:
        info = record.info
        versions = f"gradclinic {info.gradclinic}, Python {info.python}"
        versions += f", torch {info.torch}" if info.torch else ""
        listed.append(("With", words.plain(f"{versions}, {info.platform}")))
        if info.world_size > 1:
            listed.append(("Rank", f"{info.rank} of {info.world_size}"))
    return [(label, text) for label, text in listed if text]


def policy(scripts: Iterable[str]) -> str:
    """A content security policy that allows these scripts, inline styles and the images that plotly makes itself."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    allowed = hashes or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def file(name: str) -> str:
    """A text that ships beside this file."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _code(text: str) -> Markup:
    """Escaped text with its `backticks` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


@functools.cache
def environment() -> jinja2.Environment:
    """Finds the templates beside this file, and escapes."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(file), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    made.filters["code"] = _code
    return made
