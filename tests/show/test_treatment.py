"""A treatment in sentences and rows, on a terminal and as a page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from gradclinic.schema.treatment import ScreenRow, TreatmentReport, TrialRow
from gradclinic.show import html, terminal, treatment
from gradclinic.show.html.trials_chart import proof_chart, rounds_chart

from . import handmade


def row(
    remedy: str, metric: tuple[float | None, ...], arm: str | None = None, ended: str = "", steps: int = 40
) -> TrialRow:
    curve = tuple(2.0 - 0.01 * step for step in range(steps))
    return TrialRow(
        remedy, ({"remedy": "x"},) if remedy != "nothing changed" else (), tuple(range(len(metric))), metric,
        tuple(1.5 for _ in metric), tuple(ended for _ in metric), steps, float(steps * len(metric)),
        tuple(curve for _ in metric), None if arm in (None, "untreated") else (0.1, 0.4), arm,  # type: ignore[arg-type]
    )  # fmt: skip


TOLD = TreatmentReport(
    cured=True, steps=2000, remedy="<b>batch</b> normalisation", recipe={"changes": []}, code="first line\nsecond line",
    gain=(0.25, 0.1, 0.4), over_random=(0.2, 0.05, 0.35),
    proof=(row("<b>batch</b> normalisation", (0.9, 0.91), "treated"), row("nothing changed", (0.5, 0.52), "untreated"),
           row("a", (0.5, None), "random", "diverged")),
    rounds=((row("nothing changed", (0.5,)), row("one", (0.6,))), (row("nothing changed", (0.5,)), row("one", (0.7,)))),
    screened=(ScreenRow("one", 2.5, 1e-4, 0.03, ""), ScreenRow("two", float("nan"), 0, 0, "LBFGS searches")),
    refused={"shortcuts": "no layer keeps the shape"}, spent={"check-up": 40, "proof": 960},
)  # fmt: skip


def told(report: TreatmentReport, width: int = 100) -> str:
    sick, record = handmade.sick()
    console = Console(width=width, color_system=None)
    with console.capture() as caught:
        console.print(terminal.render(replace(sick, kind="treat", headline="Cured by: it.", treatment=report), record))
    return caught.get()


def test_the_terminal_shows_badge_proof_cost_and_lines() -> None:
    text = told(TOLD)
    assert "✓ CURED" in text
    assert "with the recipe  <b>batch</b> normalisation" in text
    assert "0.9  0.91" in text
    assert "0.5 (diverged)  – (diverged)" in text
    assert "+0.25 [+0.1, +0.4] over untreated" in text
    assert "0.50 training runs of 2,000 steps" in " ".join(text.split())
    assert "    first line" in text
    assert "    second line" in text
    assert text.index("with the recipe") < text.index("Do first")


def test_a_change_of_the_users_own_file_stands_in_place_of_the_lines() -> None:
    text = told(replace(TOLD, diff="--- train.py\n+++ train.py\n-lr=0.1\n+lr=0.01\n"))
    assert "    +lr=0.01" in text
    assert "first line" not in text


def test_what_was_not_cured_keeps_its_verdict_and_says_what_was_tried() -> None:
    text = told(replace(TOLD, cured=False, proof=(), gain=None, over_random=None, code=""))
    assert "✗ SICK" in text
    assert "one: loss 1.5, metric 0.6 after 40 steps" in text


def test_rows_are_ranked_and_what_is_not_known_says_why() -> None:
    assert [cells[0] for cells in treatment.screen_rows(TOLD)] == ["one", "two"]
    assert treatment.screen_rows(TOLD)[1][1] == "LBFGS searches"
    rows = (row("worse", (0.1,)), replace(row("better", (0.2,)), loss=(0.5,)))
    assert [cells[0] for cells in treatment.round_rows(rows)] == ["better", "worse"]


def test_charts_have_a_line_for_each_trial() -> None:
    proof, rounds = proof_chart(TOLD), rounds_chart(TOLD)
    assert proof is not None
    assert rounds is not None
    assert len(proof.data) == 6
    assert sum(line["showlegend"] for line in proof.data) == 3
    assert [line["name"] for line in rounds.data] == ["as it is", "one"]
    assert proof_chart(replace(TOLD, proof=())) is None
    assert rounds_chart(replace(TOLD, rounds=())) is None


@pytest.mark.parametrize("cured", [True, False])
def test_the_page_has_proof_changes_and_what_was_wrong_and_no_markup_of_names(cured: bool) -> None:
    sick, record = handmade.sick()
    page = html.page(replace(sick, kind="treat", treatment=replace(TOLD, cured=cured)), record)
    assert ("CURED</p>" in page) is cured
    assert "&lt;b&gt;batch&lt;/b&gt;" in page
    assert "<b>batch" not in page
    for text in (
        "The proof",
        "What to change",
        "What was wrong",
        "no layer keeps the shape",
        'id="proof"',
        'id="rounds"',
    ):
        assert text in page
