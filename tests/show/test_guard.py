"""What the guard did, as text, as a table and on the loss curve."""

from dataclasses import replace

import jsonschema

from gradclinic.schema.record import Event
from gradclinic.show import html, json_report, terminal
from gradclinic.show.guard import guard_acts, guard_line
from gradclinic.show.html.loss_chart import loss_chart

from . import handmade

ACTS = [
    {"step": 1200, "act": "skip", "why": "the gradient is not finite", "count": 1},
    {"step": 1300, "act": "roll back", "why": "<b>", "count": 1, "to": 1250, "rate_factor": 0.5, "left": 4},
    {"step": 1400, "act": "given up", "why": "a weight is not finite", "count": 1},
]
GUARD = {"times": 5, "skipped": 12, "clipped": 1, "mended": 2, "rolled_back": 1, "rate_factor": 0.5, "acts": ACTS}


def treated():
    report, record = handmade.healthy()
    report = replace(report, run=report.run | {"guard": GUARD})
    return report, replace(record, events=(*record.events, Event(3, "guard", ACTS[0]), Event(5, "guard", ACTS[1])))


def test_the_line_counts_and_says_what_ended():
    assert guard_line(GUARD) == (
        "12 steps held back; 1 gradient clipped; broken buffers put back 2 times; went back 1 time; "
        "learning rate × 0.5; does not go back any more "
        "(a weight is not finite)"
    )
    assert guard_line(None) == ""
    nothing = {"times": 5, "skipped": 0, "clipped": 0, "mended": 0, "rolled_back": 0, "rate_factor": 1.0, "acts": []}
    assert guard_line(nothing) == "on; there was nothing to do"


def test_each_act_has_its_numbers():
    assert guard_acts(GUARD)[1] == ("1,300", "went back: <b>", "to 1,250, rate factor 0.5, left 4")


def test_it_is_on_the_terminal_on_the_page_and_in_the_json():
    report, record = treated()
    from rich.console import Console

    console = Console(width=120, file=None)
    with console.capture() as caught:
        console.print(terminal.render(report, record))
    assert "12 steps held back" in caught.get()
    page = html.page(report, record)
    assert "What the guard did" in page
    assert "went back: &lt;b&gt;" in page
    jsonschema.validate(report.to_dict(), json_report.schema())


def test_the_curve_is_marked():
    report, record = treated()
    names = [trace["name"] for trace in loss_chart(report, record).data]
    assert "guard: held back or clipped (1)" in names
    assert "guard: went back (1)" in names
