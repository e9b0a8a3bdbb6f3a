"""One report held against one row of the index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from corpus.index import Origin, Script
from corpus.judge import Row, judge
from corpus.runner import Run

FAULTY = Script("faulty/a.py", "faulty", "scored", ("divergence", "non_finite"), ("learning_rate_high",))
HEALTHY = Script("healthy/b.py", "healthy", "development")
RUN = Run("faulty/a.py", 8.9, 4.0, "")


def report(verdict: str, *findings: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "findings": [
            {"condition": condition, "cause": cause, "severity": severity, "where": [], "evidence": {"op": "Log"}}
            for condition, cause, severity in findings
        ],
    }


def judged(script: Script, answer: dict[str, Any] | None, run: Run | None = RUN) -> Row:
    return judge(script, answer, run, {})


def test_right_in_everything() -> None:
    row = judged(FAULTY, report("sick", ("divergence", "learning_rate_high", "critical")))
    assert (row.condition_right, row.cause_right, row.right, row.in_time) == (True, True, True, True)


@pytest.mark.parametrize(
    ("condition", "cause", "right"),
    [("divergence", "input_scale", (True, False)), ("plateau", "learning_rate_high", (False, True))],
)
def test_condition_and_cause_are_judged_apart(condition: str, cause: str, right: tuple[bool, bool]) -> None:
    row = judged(FAULTY, report("sick", (condition, cause, "critical")))
    assert (row.condition_right, row.cause_right, row.right) == (*right, False)


def test_only_the_first_finding_counts_and_notes_do_not() -> None:
    note, wrong, right = (
        ("converged", "convergence", "note"),
        ("plateau", "unknown", "critical"),
        ("divergence", "learning_rate_high", "critical"),
    )
    assert judged(FAULTY, report("sick", note, right, wrong)).right
    assert not judged(FAULTY, report("sick", wrong, right)).cause_right


def test_a_right_cause_counts_for_nothing_where_the_run_is_not_called_sick() -> None:
    row = judged(FAULTY, report("healthy", ("divergence", "learning_rate_high", "warning")))
    assert (row.sick, row.condition_right, row.cause_right) == (False, False, False)


def test_a_healthy_script_is_right_unless_called_sick() -> None:
    assert judged(HEALTHY, report("healthy")).right
    assert judged(HEALTHY, report("undecided")).right
    assert not judged(HEALTHY, report("sick", ("plateau", "unknown", "critical"))).right
    assert judged(HEALTHY, report("healthy")).cause_right is None


def test_no_report_is_right_for_nobody() -> None:
    assert judged(FAULTY, None).verdict == "failed"
    assert not judged(FAULTY, None).right
    assert not judged(HEALTHY, None).right


def test_time_is_bounded_by_half_as_much_again_and_three_seconds() -> None:
    answer = report("healthy")
    assert judged(HEALTHY, answer, Run("", 9.0, 4.0, "")).in_time
    assert judged(HEALTHY, answer, Run("", 9.1, 4.0, "")).in_time is False
    assert judged(HEALTHY, answer, Run("", 9.1, None, "")).in_time is None
    assert judged(HEALTHY, answer, None).in_time is None


def test_the_origin_is_judged_where_the_index_knows_it() -> None:
    script = replace(FAULTY, origin=Origin(("log",), ("",), ("forward",)))
    answer = report("sick", ("non_finite", "learning_rate_high", "critical"))
    assert judged(FAULTY, answer).origin_right is None
    assert judged(script, answer).origin_right is True
    other = replace(script, origin=Origin(("exp",), ("",), ("forward",)))
    assert judged(other, answer).origin_right is False
    assert not judged(other, answer).right
