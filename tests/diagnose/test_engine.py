"""The report: what it says of the run, which ledger it shows, and what a failing condition costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gradclinic.diagnose import Condition, Evidence, diagnose
from gradclinic.schema.finding import Finding, Healthy
from gradclinic.schema.record import Ending, Event

from . import handmade as hand


def test_the_run_and_its_cost_are_told():
    events = [Event(0, "cost", {"seconds": 0.1}), Event(50, "cost", {"seconds": 0.5})]
    report = diagnose(
        hand.record([3.0, 2.0, 1.0, 2.5], events=events, ending=Ending("failed", 1010.0, 3, "OSError: full"))
    )
    assert report.run["first_loss"] == 3.0
    assert report.run["last_loss"] == 2.5
    assert report.run["best_loss"] == 1.0
    assert report.run["steps"] == 4
    assert report.run["seconds"] == 10.0
    assert (report.run["ending"], report.run["exit_code"], report.run["error"]) == ("failed", 3, "OSError: full")
    assert report.run["command"] == ["python", "train.py"]
    assert report.cost == {"seconds": 0.5, "share": pytest.approx(0.05)}


def test_the_ledger_shown_is_that_of_the_findings_step():
    early, late = hand.ledger(4, input_rms=1.0), hand.ledger(4, input_rms=2.0)
    record = hand.record(book=[(0, early), (50, late)])

    def at_fifty(evidence: Evidence) -> Finding:
        return Finding("plateau", "unknown", ("m",), 49, "critical", 1.0, {"n": 1}, "e.", "a.")

    report = diagnose(record, [Condition("plateau", "x", at_fifty)])
    assert report.ledger == late
    assert report.ledger_step == 50
    assert diagnose(record, []).ledger == early


def test_a_condition_that_fails_costs_its_own_answer_only():
    def broken(evidence: Evidence) -> Healthy:
        raise ZeroDivisionError("of the test")

    report = diagnose(hand.record(), [Condition("plateau", "x", broken)])
    assert report.verdict == "healthy"
    assert "of the test" in report.undecided[0].missing


def test_the_report_is_json_and_repeatable():
    record = hand.record([2.3, 40.0, float("nan")] * 30, moved=2.0)
    first, second = (json.dumps(diagnose(record).to_dict(), allow_nan=False) for _ in range(2))
    assert first == second


def test_it_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import gradclinic.diagnose"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
