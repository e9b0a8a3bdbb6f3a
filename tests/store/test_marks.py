from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradclinic.schema.record import Event, Step
from gradclinic.store.marks import NEIGHBOURS, Marker, broken


def test_steps_that_failed_are_broken(make_step: Callable[..., Step]) -> None:
    assert not broken(make_step(0))
    assert not broken(make_step(0, loss=None))
    assert broken(make_step(0, loss=float("nan")))
    assert broken(make_step(0, loss=float("-inf")))
    assert broken(make_step(0, skipped=True))
    bad = make_step(0)
    assert bad.gradients is not None
    bad.gradients["non_finite"][7] = 1
    assert broken(bad)


def test_noise_is_no_jump_and_a_spike_is(make_step: Callable[..., Step]) -> None:
    rng = np.random.default_rng(0)
    marker = Marker()
    steps = [make_step(tick, loss=2 * 0.999**tick + 0.1 * rng.normal()) for tick in range(2000)]
    assert not any(marker.mark(step) for step in steps)
    assert marker.mark(make_step(2000, loss=5.0))
    assert not marker.mark(make_step(2001, loss=0.3))


def test_one_spike_does_not_hide_the_next(make_step: Callable[..., Step]) -> None:
    rng = np.random.default_rng(0)
    losses = 1 + 0.1 * rng.normal(size=120)
    losses[100], losses[110] = 7.0, 3.5
    marker = Marker()
    marks = [marker.mark(make_step(tick, loss=loss)) for tick, loss in enumerate(losses.tolist())]
    assert (marks[100], marks[110]) == (True, True)


def test_a_new_level_is_a_jump_for_a_while_only(make_step: Callable[..., Step]) -> None:
    marker = Marker()
    marks = [marker.mark(make_step(tick, loss=1.0 + 0.01 * (tick % 3) + 9 * (tick > 100))) for tick in range(400)]
    assert not any(marks[:101])
    assert marks[101]
    assert not any(marks[250:])


@pytest.mark.parametrize(("kind", "expected"), [("cost", False), ("scaler_skip", True), ("new kind", True)])
def test_events_mark_their_neighbours_except_routine_ones(kind: str, expected: bool) -> None:
    marker = Marker()
    assert marker.mark(Event(50, kind)) is expected
    assert marker.near(50 - NEIGHBOURS) is expected
    assert marker.near(50 + NEIGHBOURS) is expected
    assert not marker.near(50 + NEIGHBOURS + 1)
