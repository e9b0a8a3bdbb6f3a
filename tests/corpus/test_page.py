"""Figures and page from made-up rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus import page, results, table
from corpus.figures import figures
from corpus.judge import Row
from corpus.peers.symptom import Call

Make = Callable[..., Row]


@pytest.fixture
def rows(row: Make) -> list[Row]:
    wrong = {"cause": "input_scale_x", "cause_right": False}
    heard = {"AutoTrainer": Call(True, "vanish", True), "DeepDiagnosis": Call(True, "dead node", False)}
    return [
        row("faulty/a.py"),
        row("faulty/b.py", cause="input_scale", note="prints other lines than the plain run"),
        row("faulty/c.py", **wrong, condition_right=False, origin="Log in head", origin_right=False),
        row("faulty/d.py", verdict="healthy", cause="", condition="", cause_right=False, condition_right=False),
        row("faulty/e.py", origin="Exp", origin_right=True, seconds=20.0, peers=row("faulty/x.py").peers | heard),
        row("fixed/a.py"),
        row("healthy/f.py", verdict="sick", cause="unknown", condition="plateau"),
        row("healthy/g.py", verdict="failed", note="no report"),
        row("faulty/secret.py", half="scored"),
        row("healthy/hidden.py", half="scored", verdict="sick", cause="unknown", condition="plateau"),
    ]


def of(rows: list[Row], half: str) -> dict[str, Any]:
    return figures([row for row in rows if row.half == half])


def test_figures(rows: list[Row]) -> None:
    found = of(rows, "development")
    assert found["scripts"] == {"faulty": 5, "fixed": 1, "healthy": 2}
    assert (found["detection"], found["condition"], found["cause"]) == ([4, 5], [3, 5], [3, 5])
    assert found["origin"] == [1, 2]
    assert found["false_alarms"] == [1, 3]
    assert (found["false_alarms_healthy"], found["false_alarms_fixed"]) == ([1, 2], [0, 1])
    assert found["without_report"] == 1
    assert found["otherwise_watched"] == 1
    assert found["peers"]["AutoTrainer"] == {"detection": [1, 5], "cause": [1, 5], "false_alarms": [0, 3]}
    assert found["peers"]["DeepDiagnosis"]["cause"] == [0, 5]


def test_confusion_counts_a_right_answer_under_the_cause_that_was_named(rows: list[Row]) -> None:
    assert of(rows, "development")["confusion"] == {
        "input_scale": {"input_scale": 1},
        "learning_rate_high": {"input_scale_x": 1, "learning_rate_high": 2, "nothing": 1},
        "no fault": {"nothing": 2, "unknown": 1},
    }


def test_time(rows: list[Row], row: Make) -> None:
    found = of(rows, "development")["time"]
    assert found["in_time"] == [7, 8]
    assert (found["ratio_median"], found["ratio_worst"], found["beyond_worst"]) == (2.0, 5.0, 14.0)
    assert figures([*rows, row("faulty/z.py", plain_seconds=None)])["time"] is None


def test_results_and_page_keep_the_scored_half_to_themselves(rows: list[Row], tmp_path: Path) -> None:
    data = results.results(rows, "python -m corpus.score")
    results.write(data, tmp_path / "results.json")
    text = (tmp_path / "results.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(data))
    shown = page.generated(json.loads(text))
    for told in (text, shown):
        assert "secret" not in told
        assert "hidden" not in told
    assert json.loads(text)["scored"]["false_alarms"] == [1, 1]
    assert len(json.loads(text)["rows"]) == 8


def test_the_page_names_what_is_wrong(rows: list[Row]) -> None:
    shown = page.generated(results.results(rows, "python -m corpus.score")).splitlines()
    assert "| faulty scripts called sick | 4 of 5 | 80.0% | 37.6% to 96.4% |" in shown  # Wilson's, by hand
    assert "| **gradclinic** | 80% (38% to 96%) | 60% (23% to 88%) | 33% (6% to 79%) |" in shown
    assert "| learning_rate_high | 4 | 2 | input_scale_x 1, nothing 1 |" in shown
    assert "| no fault | 3 | 2 | unknown 1 |" in shown
    assert "| faulty/d | **healthy** | **nothing** | **nothing** | learning_rate_high, input_scale |" in shown
    assert "| faulty/a | sick | divergence | learning_rate_high | learning_rate_high, input_scale |" in shown
    assert "| healthy/f | **sick** | plateau | unknown |  |" in shown
    assert "1 scripts ended without a report; none of them counts as right." in shown
    assert "6 of 8 scripts printed the same lines and ended alike, watched and plain." in shown


def test_only_what_stands_between_the_comments_is_written(rows: list[Row]) -> None:
    data = results.results(rows, "python -m corpus.score")
    once = page.filled(f"before\n{page.BEGIN}\nlast year\n{page.END}\nafter\n", data)
    assert once.startswith(f"before\n{page.BEGIN}\n")
    assert once.endswith(f"\n{page.END}\nafter\n")
    assert "last year" not in once
    assert page.filled(once, data) == once
    with pytest.raises(ValueError, match="lacks"):
        page.filled("a page without comments", data)


def test_the_page_in_the_documentation_has_its_place() -> None:
    text = page.PAGE.read_text("utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1


def test_the_terminal_marks_what_is_wrong(rows: list[Row]) -> None:
    lines = {line.split()[1 if line.startswith(" x ") else 0]: line for line in table.rows_table(rows).splitlines()}
    assert lines["faulty/a.py"].startswith("   ")
    assert lines["faulty/c.py"].startswith(" x ")
    assert "[want learning_rate_high/input_scale]" in lines["faulty/c.py"]
    assert "[origin Log in head]" in lines["faulty/c.py"]
    assert "[too slow]" in lines["faulty/e.py"]
    assert "AutoTrainer: vanish" in lines["faulty/e.py"]
    assert "faulty called sick           4 of 5, 80% (38 to 96)" in table.totals("development", of(rows, "development"))
