"""What a report says of a run that was treated while it ran."""

import numpy as np
import pytest

from gradclinic.diagnose import diagnose
from gradclinic.schema.record import Event

from . import handmade

ON = Event(0, "guard_on", {"times": 5})


def back(tick, count=1, factor=0.5, to=0):
    data = {"act": "roll back", "why": "the loss has run away", "count": count, "to": to, "rate_factor": factor}
    return Event(tick, "guard", data)


def diverged(events, then):
    """Runs away in 40 steps from large gradients; then whatever follows."""
    losses = [*(2.3 * 1.5**step for step in range(40)), *then]
    norms = lambda tick: [50.0 * 1.5 ** min(tick, 40) if tick < 40 else 0.5] * 4  # noqa: E731
    return handmade.record(losses, norms=norms, moved=lambda tick: 3.0 if tick < 40 else 1e-3, events=events)


def test_a_run_without_a_guard_says_nothing_of_one():
    report = diagnose(handmade.record())
    assert "guard" not in report.run
    assert "guard" not in report.headline


def test_a_guard_with_nothing_to_do_is_told():
    report = diagnose(handmade.record(events=[ON]))
    assert report.run["guard"] == {
        "times": 5, "skipped": 0, "clipped": 0, "mended": 0, "rolled_back": 0, "rate_factor": 1.0, "acts": [],
    }  # fmt: skip
    assert report.verdict == "healthy"


def test_counts_are_those_of_the_last_event_because_old_ones_are_thinned_out():
    acts = [Event(90, "guard", {"act": "skip", "why": "x", "count": 41}), back(95, count=2, factor=0.25)]
    told = diagnose(handmade.record(events=[ON, *acts])).run["guard"]
    assert (told["skipped"], told["rolled_back"], told["rate_factor"]) == (41, 2, 0.25)
    assert told["acts"][0]["step"] == 90


def test_what_was_wrong_before_it_went_back_is_still_said():
    report = diagnose(diverged([ON, back(39)], handmade.falling(200)))
    assert report.verdict == "healthy"
    assert report.headline.endswith("The guard went back once.")
    finding = next(finding for finding in report.findings if finding.condition == "divergence")
    assert finding.severity == "warning"
    assert "The guard went back from step 39 to step 0; learning rates were multiplied by 0.5." in finding.explanation
    assert finding.evidence["guard_rolled_back"] == 1


def test_a_run_that_stays_sick_is_sick():
    report = diagnose(diverged([ON, back(20)], list(np.geomspace(1e7, 1e9, 100))))
    assert report.verdict == "sick"
    assert len({finding.condition for finding in report.findings}) == len(report.findings)


@pytest.mark.parametrize(("count", "told"), [(2, "1 more time later"), (3, "2 more times later")])
def test_going_back_again_is_counted(count, told):
    report = diagnose(diverged([ON, back(39), back(60, count)], handmade.falling(200)))
    assert any(told in finding.explanation for finding in report.findings)
