from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gradclinic.schema.record import Ending, Event, RunInfo, Step
from gradclinic.store import Writer, tail


def test_follows_a_run_from_before_its_file_exists(
    tmp_path: Path, info: RunInfo, make_step: Callable[..., Step]
) -> None:
    path = tmp_path / "run.db"
    live = tail(path)
    assert live.poll() is None
    path.write_bytes(b"")
    assert live.poll() is None

    writer = Writer(path, info)
    start = live.poll()
    assert start is not None
    assert (start.tick, start.loss, start.steps_per_second, start.steps_planned) == (None, None, None, 100)

    for tick in range(100):
        writer.put(make_step(tick, loss=1 / (tick + 1) if tick < 99 else None))
    writer.put(Event(50, "cost", {"seconds": 1.0}))
    for tick in range(12):
        writer.put(Event(tick, "scaler_skip", {"scale": 2.0}))
    assert writer.flush()
    middle = live.poll()
    assert middle is not None
    assert (middle.tick, middle.step, middle.seconds, middle.ending) == (99, 99, 9.9, None)
    assert middle.loss == 1 / 99  # the newest one that was seen
    assert middle.steps_per_second is not None
    assert abs(middle.steps_per_second - 10) < 1e-6
    assert [event.tick for event in middle.events] == list(range(4, 12))

    ending = Ending("finished", 20.0, 0)
    writer.close(ending)
    assert [file.name for file in tmp_path.iterdir()] == ["run.db"]  # the tail held nothing open
    end = live.poll()
    assert end is not None
    assert end.ending == ending


def test_a_file_that_goes_away_leaves_the_last_state(
    tmp_path: Path, info: RunInfo, make_step: Callable[..., Step]
) -> None:
    path = tmp_path / "run.db"
    with Writer(path, info) as writer:
        writer.put(make_step(3))
    live = tail(path)
    assert (seen := live.poll()) is not None
    assert seen.tick == 3
    path.unlink()
    assert live.poll() == seen
