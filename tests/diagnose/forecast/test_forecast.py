"""From a check-up's events to a window, a probability and a verdict."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from gradclinic.diagnose import diagnose
from gradclinic.diagnose.forecast import forecast
from gradclinic.diagnose.forecast.window import window_of
from gradclinic.schema.record import Event, Record

from ..handmade import INFO, record

CHECKUP = replace(INFO, kind="checkup", steps_planned=1000)


def looked(
    losses: tuple[float, ...] = (2.3, 2.0, 1.6),
    calibrated: tuple[float, ...] = (2.29, 1.9, 1.5),
    *,
    speed: float = 10.0,
    curvature: float | None = 5.0,
    lr: float = 0.01,
    seed: int = 0,
) -> tuple[Event, ...]:
    """What a check-up of a classifier of ten classes puts down after 0, 12 and 24 steps."""
    rows = []
    for at, loss, left in zip((0, 12, 24), losses, calibrated, strict=True):
        shown: dict[str, Any] = {"at": at, "seed": seed, "loss": loss, "constant": 2.3, "calibrated": left}
        rows += [Event(at, "baseline", shown | {"probe": probe}) for probe in ("seen", "new")]
    ends = {"seed": seed, "lr": lr, "speed": speed, "gain": 1.0, "limit": 2.0, "how": ""}
    rows += [Event(0, "window_ends", ends | {"at": 0, "curvature": None})]
    return (*rows, Event(24, "window_ends", ends | {"at": 24, "curvature": curvature}))


def checked(*events: Event) -> Record:
    return replace(record(losses=[2.3 - 0.02 * i for i in range(24)]), info=CHECKUP, events=events)


def test_a_run_has_no_forecast() -> None:
    assert forecast(replace(checked(*looked()), info=INFO)) is None


def test_a_model_that_begins_to_learn_is_foreseen_to_train() -> None:
    known = forecast(checked(*looked()))
    assert known is not None
    assert known.probability is not None
    assert known.probability > 0.9
    assert known.window is not None
    assert known.window.state == "inside"
    assert known.window.low.median == pytest.approx(1 / (10 * 1000))
    assert known.window.high.median == pytest.approx(2 * 2 / 5)
    assert known.explained == pytest.approx(1 - 1.5 / 2.3)
    report = diagnose(checked(*looked()))
    assert (report.kind, report.verdict) == ("checkup", "healthy")
    assert "this will train in 1,000 steps" in report.headline
    assert report.trains == {"probability": known.probability}
    assert report.window is not None
    assert report.window["state"] == "inside"


@pytest.mark.parametrize(
    ("events", "state", "condition", "cause"),
    [
        (looked((2.31,) * 3, (2.299,) * 3, speed=1e-2), "below", "stalled_update", "learning_rate_low"),
        (looked((2.3, 40.0, 90.0), (2.29,) * 3, lr=5.0), "above", "divergence", "learning_rate_high"),
        (looked((2.31,) * 3, (2.299,) * 3, speed=1e-9), "empty", "plateau", "unknown"),
        (looked((2.31,) * 3, (2.299,) * 3, speed=0.0), "empty", "plateau", "unknown"),
    ],
)
def test_each_side_of_the_window_has_its_finding(
    events: tuple[Event, ...], state: str, condition: str, cause: str
) -> None:
    report = diagnose(checked(*events))
    assert report.window is not None
    assert report.window["state"] == state
    assert report.verdict == "sick"
    assert "this will not train" in report.headline
    first = report.findings[0]
    assert (first.condition, first.cause) == (condition, cause)
    assert first.evidence["probability"] == report.trains["probability"]  # type: ignore[index]


def test_several_seeds_give_an_interval() -> None:
    report = diagnose(checked(*looked(), *looked(speed=40.0, curvature=20.0, seed=1)))
    assert report.window is not None
    assert report.window["lr_min_range"] == pytest.approx([1 / 40_000, 1 / 10_000])
    assert report.window["lr_max_range"] == pytest.approx([0.2, 0.8])


def test_a_loss_that_is_no_number_lies_above() -> None:
    events = tuple(
        replace(e, data=e.data | {"loss": None, "constant": None, "calibrated": None})
        if e.kind == "baseline" and e.tick > 0
        else e
        for e in looked((2.3, 90.0, 0.0), lr=5.0)
    )
    known = forecast(checked(*events))
    assert known is not None
    assert known.thrown
    assert known.trains is False
    assert known.window is not None
    assert known.window.state == "above"


def test_what_is_not_known_is_not_foretold() -> None:
    blind = tuple(
        replace(e, data=e.data | {"constant": None, "calibrated": None}) if e.kind == "baseline" else e
        for e in looked()
    )
    report = diagnose(checked(*blind))
    assert report.trains is None
    assert report.verdict == "undecided"
    assert "not known" in report.headline
    empty = diagnose(checked())
    assert (empty.trains, empty.window) == (None, None)


def test_an_optimizer_that_is_not_in_the_table_still_has_a_forecast() -> None:
    report = diagnose(checked(*(e for e in looked() if e.kind == "baseline")))
    assert report.window is None
    assert report.trains is not None
    assert report.trains["probability"] > 0.8


def test_no_end_is_lower_than_any() -> None:
    known = forecast(checked(*looked((2.31,) * 3, (2.299,) * 3, curvature=None)))
    assert known is not None
    assert known.window is not None
    assert known.window.high.median == inf


def test_what_threw_the_loss_up_and_is_foreseen_to_arrive_lies_inside() -> None:
    ends = {"speed": 10.0, "gain": 1.0, "limit": 2.0, "curvature": 5.0, "lr": 0.1}
    window = window_of([ends | {"curvature": 500.0}], 1000, survived=True, thrown=True)
    assert window is not None
    assert window.state == "inside"
    lost = window_of([ends], 1000, survived=False, thrown=True)
    assert lost is not None
    assert (lost.state, lost.high.median) == ("above", 0.05)
