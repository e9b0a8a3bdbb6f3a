from __future__ import annotations

from collections.abc import Callable

from gradclinic.schema.record import Ending, Event, Step
from gradclinic.store.backlog import Backlog


def test_rows_come_out_once_precious_ones_first(make_step: Callable[..., Step]) -> None:
    backlog = Backlog(1 << 20)
    assert backlog.add(make_step(0)) is False
    assert backlog.add(Event(0, "cost")) is False
    assert backlog.add(make_step(1, loss=float("inf"))) is True
    assert backlog.add(Event(1, "scaler_skip")) is True
    out = backlog.take(1 << 20)
    assert [type(row).__name__ for row in out] == ["Event", "Step", "Event", "Step"]
    assert (len(backlog), backlog.take(1), backlog.dropped) == (0, [], 0)


def test_ordinary_steps_go_first_and_the_oldest_of_them(make_step: Callable[..., Step]) -> None:
    backlog = Backlog(100_000)
    backlog.add(make_step(0, skipped=True))
    for tick in range(1, 1000):
        backlog.add(make_step(tick))
    out = [row.tick for row in backlog.take(1e9) if isinstance(row, Step)]
    assert out[0] == 0
    assert out[1:] == list(range(1001 - len(out), 1000))
    assert backlog.dropped == 1000 - len(out)
    assert 30 < len(out) < 60  # of about 2.5 kB each


def test_the_first_anomalies_are_kept_and_an_ending_always(make_step: Callable[..., Step]) -> None:
    backlog = Backlog(100_000)
    for tick in range(1000):
        backlog.add(make_step(tick, loss=float("nan")))
    for _ in range(3):  # small rows, to fill the last gap
        backlog.add(Event(1, "cost"))
    backlog.add(Ending("failed", 1.0))
    out = backlog.take(1e9)
    assert isinstance(out[-1], Ending)
    steps = [row.tick for row in out if isinstance(row, Step)]
    assert steps == list(range(len(steps)))
    assert backlog.dropped == 1004 - len(out) > 900


def test_a_batch_is_about_as_large_as_asked(make_step: Callable[..., Step]) -> None:
    backlog = Backlog(1 << 20)
    for tick in range(100):
        backlog.add(make_step(tick))
    assert len(backlog.take(10_000)) == 5  # 1440 bytes of vitals and 1024 of objects each
    assert len(backlog.take(1)) == 1
    assert len(backlog) == 94
