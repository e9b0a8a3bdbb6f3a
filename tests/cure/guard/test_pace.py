import pytest

from gradclinic.cure.guard import pace as module
from gradclinic.cure.guard.pace import EVERY, SHARE, Pace


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def steps_until_due(pace, clock, seconds):
    for step in range(1, 10_000):
        clock[0] += seconds
        if pace.due():
            return step
    return None


def test_the_first_is_due_at_once_and_a_cheap_one_every_so_many_steps(clock):
    pace = Pace()
    assert pace.due()
    pace.took(0.0)
    assert steps_until_due(pace, clock, 0.01) == EVERY


def test_a_dear_one_waits_until_it_is_a_small_share_of_the_time(clock):
    pace = Pace()
    pace.took(2.0)
    assert steps_until_due(pace, clock, 1.0) == pytest.approx(2.0 / SHARE)


def test_it_can_be_hurried_and_stopped(clock):
    pace = Pace()
    pace.took(0.0)
    pace.hurry()
    assert pace.due()
    pace.stop()
    assert not pace.due()
