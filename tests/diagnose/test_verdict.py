"""The origin comes first; later symptoms are its consequences; a healthy run gets silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradclinic.diagnose import diagnose
from gradclinic.diagnose.verdict import arrange
from gradclinic.schema.finding import Finding
from gradclinic.schema.record import Ending, Event, Record

from . import handmade as hand


def finding(condition: str, cause: str, step: int = 0, severity: str = "critical") -> Finding:
    return Finding(condition, cause, ("m",), step, severity, 0.8, {"n": 1}, "e.", "a.")  # type: ignore[arg-type]


def names(findings) -> list[str]:
    return [item.condition for item in findings]


def test_what_was_there_before_the_first_step_comes_before_what_the_steps_did():
    arranged = arrange(
        [
            finding("plateau", "unknown"),
            finding("divergence", "learning_rate_high", 3),
            finding("vanishing_gradient", "saturating_activation", 5),
        ]
    )
    assert names(arranged) == ["vanishing_gradient"]
    assert [(c["condition"], c["step"]) for c in arranged[0].evidence["consequences"]] == [
        ("plateau", 0),
        ("divergence", 3),
    ]


def test_the_objective_comes_before_everything_else():
    arranged = arrange(
        [finding("vanishing_gradient", "weight_scale_small"), finding("wrong_objective", "loss_broadcast", 9)]
    )
    assert names(arranged) == ["wrong_objective"]


def test_independent_faults_stay_apart():
    arranged = arrange(
        [finding("wrong_gradient", "wrong_backward", 1), finding("wrong_objective", "loss_broadcast", 0)]
    )
    assert names(arranged) == ["wrong_objective", "wrong_gradient"]
    assert "consequences" not in arranged[0].evidence


def test_a_loss_that_rose_comes_before_the_nan_it_ended_in():
    lost = finding("non_finite", "learning_rate_high", 22)
    rose = finding("divergence", "learning_rate_high", 1)
    dead = finding("dead_units", "learning_rate_high", 0)
    assert names(arrange([lost, dead, rose])) == ["divergence"]


def test_a_note_is_no_consequence_of_nothing():
    notes = [finding("converged", "convergence", severity="note"), finding("dead_units", "unknown", severity="note")]
    assert len(arrange(notes)) == 2


def test_a_sick_run_names_its_cause_in_one_sentence():
    report = diagnose(
        hand.record(
            hand.flat(), depth=12, moved=1e-9,
            book=hand.ledger(12, activation="Sigmoid", slope=-0.65, sigma=1.0, objective=hand.cross_entropy()),
        )
    )  # fmt: skip
    assert report.verdict == "sick"
    assert len([f for f in report.findings if f.severity == "critical"]) == 1
    assert report.findings[0].cause == "saturating_activation"
    assert "vanish" in report.headline
    assert "saturates" in report.headline
    assert "plateau" in [c["condition"] for c in report.findings[0].evidence["consequences"]]


def test_a_healthy_run_gets_silence():
    report = diagnose(hand.record())
    assert report.verdict == "healthy"
    assert report.findings == ()
    assert report.headline.startswith("Healthy")


def test_a_slow_and_steady_fall_is_not_sick():
    slow = hand.noisy(np.linspace(2.32, 2.24, 300), 0.01)
    assert diagnose(hand.record(slow)).verdict == "healthy"
    without_objective = diagnose(hand.record(slow, book=hand.ledger(4)))
    assert without_objective.run["learning"] == "falling"
    assert without_objective.verdict == "healthy"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending("failed", 1001.0, 1, "ValueError: boom"), "ValueError: boom"),
        (Ending("interrupted", 1001.0, 130), "interrupted"),
        (None, "killed"),
    ],
)
def test_a_run_that_ended_early_is_undecided_and_says_how_it_ended(ending, said):
    report = diagnose(hand.record(hand.flat(4), ending=ending))
    assert report.verdict == "undecided"
    assert said in report.headline


def test_nothing_to_watch_is_said_plainly():
    without_torch = Record(replace(hand.INFO, torch=None), hand.FINISHED)
    assert "torch" in diagnose(without_torch).headline
    assert "backward" in diagnose(Record(hand.INFO, hand.FINISHED)).headline
    assert diagnose(without_torch).verdict == "undecided"


def test_a_crash_still_reports_what_was_found():
    wrong = Event(0, "wrong_backward", {"function": "Swish", "relative_error": 0.3})
    crashed = hand.record(hand.flat(3), events=[wrong], ending=Ending("failed", 1001.0, 1, "ValueError: boom"))
    report = diagnose(crashed)
    assert report.findings[0].cause == "wrong_backward"
    assert "ValueError: boom" in report.headline
