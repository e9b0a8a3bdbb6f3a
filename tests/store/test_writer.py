from __future__ import annotations

import math
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradclinic.errors import UserError
from gradclinic.schema.record import Ending, Event, RunInfo, Step
from gradclinic.store import Writer, read

Child = Callable[..., "subprocess.Popen[str]"]
RunChild = Callable[[str], int]
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and fork")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "run.db"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The record of the fixture ``child``."""
    return tmp_path / "run.db"


def ticks(path: Path) -> list[int]:
    return [step.tick for step in read(path).steps]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.02)


def test_the_run_is_on_disk_from_the_start(path: Path, info: RunInfo) -> None:
    writer = Writer(path, info, flush_seconds=1000)
    assert read(path).info == info
    writer.close()


def test_closing_writes_everything_and_the_ending_once(
    path: Path, info: RunInfo, make_step: Callable[..., Step]
) -> None:
    ending = Ending("failed", 3.0, 1, "ValueError: no", "Traceback\n...")
    with Writer(path, info, flush_seconds=1000) as writer:
        for tick in range(50):
            writer.put(make_step(tick))
        writer.close(ending)
        writer.close(Ending("finished", 9.0))
        writer.put(make_step(99))
    assert read(path).ending == ending
    assert ticks(path) == list(range(50))
    assert writer.flush(0.1)


def test_rows_are_committed_within_flush_seconds(path: Path, info: RunInfo, make_step: Callable[..., Step]) -> None:
    with Writer(path, info, flush_seconds=0.05) as writer:
        writer.put(make_step(7))
        wait_for(lambda: ticks(path) == [7])


@pytest.mark.parametrize("what", ["event", "loss", "gradient"])
def test_trouble_is_committed_at_once(what: str, path: Path, info: RunInfo, make_step: Callable[..., Step]) -> None:
    with Writer(path, info, flush_seconds=1000) as writer:
        writer.put(make_step(1))
        if what == "event":
            writer.put(Event(1, "scaler_skip"))
        step = make_step(2, loss=math.nan if what == "loss" else 0.5)
        if what == "gradient":
            assert step.gradients is not None
            step.gradients["non_finite"][3] = 1
        writer.put(step)
        wait_for(lambda: 1 in ticks(path))  # what came before goes with it


def test_nothing_is_committed_for_a_cost_event(path: Path, info: RunInfo) -> None:
    with Writer(path, info, flush_seconds=1000) as writer:
        writer.put(Event(1, "cost"))
        time.sleep(0.2)
        assert read(path).events == ()
    assert len(read(path).events) == 1


def test_a_row_that_cannot_be_stored_is_told_once_and_costs_nothing_else(
    path: Path, info: RunInfo, make_step: Callable[..., Step]
) -> None:
    told: list[str] = []
    circle: dict[str, Any] = {}
    circle["self"] = circle
    with Writer(path, info, on_failure=told.append) as writer:
        writer.put(make_step(0))
        writer.put(Event(0, "cost", circle))
        writer.put(make_step(1, loss="high"))
        writer.put("no row at all")  # type: ignore[arg-type]
        writer.put(None)  # type: ignore[arg-type]
        writer.put(make_step(2))
        assert writer.flush()
    assert ticks(path) == [0, 2]
    assert len(told) == 1
    assert "could not be stored" in told[0]


def test_a_callback_that_fails_is_survived(path: Path, info: RunInfo, make_step: Callable[..., Step]) -> None:
    def fail(message: str) -> None:
        raise RuntimeError(message)

    with Writer(path, info, on_failure=fail) as writer:
        writer.put(Event("x", "cost"))  # type: ignore[arg-type]
        writer.put(make_step(2))
    assert ticks(path) == [2]


def test_many_threads_may_put(path: Path, info: RunInfo, make_step: Callable[..., Step]) -> None:
    steps = [[make_step(1000 * part + at) for at in range(100)] for part in range(4)]
    with Writer(path, info, flush_seconds=0.01) as writer:

        def put_all(rows: list[Step]) -> None:
            for row in rows:
                writer.put(row)

        threads = [threading.Thread(target=put_all, args=[rows]) for rows in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ticks(path) == [step.tick for rows in steps for step in rows]


@unix
def test_signal_handlers_may_put_flush_and_close(
    path: Path, info: RunInfo, make_step: Callable[..., Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread interrupts the main thread all the time, mostly inside put; the handler puts an urgent row itself."""
    monkeypatch.setattr("gradclinic.store.writer._BACKLOG", 1 << 20)
    writer = Writer(path, info, flush_seconds=0.01)
    fired = 0
    flushed: list[bool] = []

    def handler(number: int, frame: object) -> None:
        nonlocal fired
        fired += 1
        mine = fired  # handlers interrupt each other
        writer.put(Event(mine, "scaler_skip"))
        if mine == 20:
            flushed.append(writer.flush())
        if mine == 100:
            writer.close(Ending("interrupted", 1.0))

    def interrupt(main: int) -> None:
        while fired < 100:
            signal.pthread_kill(main, signal.SIGUSR1)
            time.sleep(0.001)

    before = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=interrupt, args=[threading.get_ident()])
    thread.start()
    row = make_step(0)
    while fired < 100:
        writer.put(row)
    thread.join()
    signal.signal(signal.SIGUSR1, before)
    writer.close()
    record = read(path)
    assert flushed == [True]
    assert sorted(event.tick for event in record.events if event.kind == "scaler_skip")[:100] == list(range(1, 101))
    assert record.ending is not None


def test_an_interpreter_that_just_ends_leaves_everything_behind(run_child: RunChild, db: Path) -> None:
    script = """
writer = Writer(path, INFO, flush_seconds=1000)
for tick in range(100):
    writer.put(step(tick))
raise SystemExit(3)
"""
    assert run_child(script) == 3
    assert ticks(db) == list(range(100))
    assert [file.name for file in db.parent.iterdir()] == ["run.db"]


@unix
@pytest.mark.parametrize("last", [0, 1, 63, 500])
def test_what_was_flushed_survives_kill_9_the_moment_after(last: int, run_child: RunChild, db: Path) -> None:
    script = f"""
writer = Writer(path, INFO, flush_seconds=1000)
for tick in range({last} + 1):
    writer.put(step(tick))
assert writer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run_child(script) == -signal.SIGKILL
    assert ticks(db) == list(range(last + 1))


@unix
@pytest.mark.parametrize("seed", range(3))
def test_every_commit_survives_kill_9(seed: int, child: Child, db: Path) -> None:
    script = """
writer = Writer(path, INFO, flush_seconds=0.005, max_bytes=1 << 20)
for tick in range(1_000_000):
    writer.put(step(tick, loss=float("nan") if tick % 50 == 0 else 0.5))
    if tick % 7 == 0 and writer.flush():
        print(tick, flush=True)
"""
    process = child(script)
    assert process.stdout is not None
    lines = iter(process.stdout)
    confirmed = int(next(lines))
    moment = time.monotonic() + random.Random(seed).uniform(0.0, 1.0)
    while time.monotonic() < moment:
        confirmed = int(next(lines))
    process.kill()
    confirmed = max([confirmed, *(int(line) for line in lines if line.endswith("\n"))])
    process.wait()
    process.stdout.close()
    record = read(db)
    assert record.ending is None
    assert [event for event in record.events if event.kind == "capture_failure"] == []
    found = [step.tick for step in record.steps]
    newest = [tick for tick in found if tick > confirmed - 100]  # thinning does not touch these
    assert newest[: 100 if confirmed >= 99 else confirmed + 1] == list(range(max(0, confirmed - 99), confirmed + 1))
    assert all(step.gradients is not None for step in record.steps if confirmed - 20 < step.tick <= confirmed)


@unix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_the_record_alone(run_child: RunChild, db: Path) -> None:
    """Children are forked while the parent writes; they put, flush, close, collect and end as Python does."""
    script = """
import gc
writer = Writer(path, INFO, flush_seconds=0.001)
children = []
for tick in range(600):
    writer.put(step(tick))
    if tick % 40 == 20:
        pid = os.fork()
        if not pid:
            for at in range(50):
                writer.put(step(10_000 + at, loss=float("nan")))
            late = writer.flush(1) or len(writer._backlog)
            writer.close(Ending("failed", 0.0))
            del writer
            gc.collect()
            sys.exit(7 if late else 0)
        children.append(pid)
for pid in children:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert writer.flush()
writer.put(step(600))
writer.close(Ending("finished", 1.0))
"""
    assert run_child(script) == 0
    assert ticks(db) == list(range(601))
    assert read(db).ending == Ending("finished", 1.0)
    assert all(step.gradients is not None for step in read(db).steps)


FULL = """
told = []
writer = Writer(path, INFO, flush_seconds=0.01, on_failure=told.append)
for tick in range(20):
    writer.put(step(tick))
assert writer.flush()
fill()
for tick in range(20, 400):
    writer.put(step(tick, loss=float("nan") if tick == 100 else 0.5, parameters=100))
    time.sleep(0.001)
assert not writer.flush(1)
assert [row.tick for row in read(path).steps][:20] == list(range(20)), "earlier commits"
assert len(told) == 1 and "the training goes on" in told[0], told
make_room()
assert writer.flush(30)
assert [row.tick for row in read(path).steps] == list(range(400))
writer.close(Ending("finished", 1.0))
assert len(told) == 1
"""


@unix
def test_a_full_disk_is_told_once_and_survived(run_child: RunChild, db: Path) -> None:
    limits = """
import resource
_, HARD = resource.getrlimit(resource.RLIMIT_FSIZE)
def fill(): resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, HARD))
def make_room(): resource.setrlimit(resource.RLIMIT_FSIZE, (HARD, HARD))
"""
    assert run_child(limits + FULL) == 0
    assert read(db).ending == Ending("finished", 1.0)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@unix
def test_a_tiny_disk_that_fills_up(run_child: RunChild, tiny_disk: Path) -> None:
    limits = """
path = path.parent / "disk" / "run.db"
ballast = path.parent / "ballast"
def fill():
    with ballast.open("wb", buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError:
            pass
def make_room():
    ballast.unlink()
"""
    # 400 steps of 100 parameters do not fit on this disk even without the ballast: fewer parameters.
    assert run_child(limits + FULL.replace("parameters=100", "parameters=10")) == 0
    assert len(ticks(tiny_disk / "run.db")) == 400


def test_memory_is_bounded_while_the_disk_stalls(
    path: Path, info: RunInfo, make_step: Callable[..., Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradclinic.store.writer._BACKLOG", 1 << 20)
    told: list[str] = []
    go_on, stalled = threading.Event(), threading.Event()
    writer = Writer(path, info, flush_seconds=0.01, on_failure=told.append)
    write = writer._database.write

    def stall(batch: Any) -> None:
        stalled.set()
        go_on.wait(30)
        write(batch)

    monkeypatch.setattr(writer._database, "write", stall)
    writer.put(make_step(0))
    assert stalled.wait(30)
    for tick in range(1, 3000):
        writer.put(make_step(tick, loss=math.nan if tick == 5 else 0.5))
    assert len(writer._backlog) < 600
    go_on.set()
    writer.close(Ending("finished", 1.0))
    record = read(path)
    found = [step.tick for step in record.steps]
    assert {0, 5} <= set(found)
    assert len(found) == 3000 - writer.dropped
    assert found[-300:] == list(range(2700, 3000))
    assert "does not keep up" in told[0]
    assert f"{writer.dropped} rows given up" in record.events[-1].data["error"]


def test_a_disk_that_never_answers_does_not_hold_the_end_of_the_script_up(
    path: Path, info: RunInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    writer = Writer(path, info, flush_seconds=0.01)
    monkeypatch.setattr(writer._database, "write", lambda batch: go_on.wait(60))
    writer.put(Event(0, "scaler_skip"))
    assert not writer.flush(0.1)
    writer.close(Ending("finished", 1.0), timeout=0.1)
    assert writer._thread.is_alive()
    go_on.set()
    writer._thread.join(30)
    assert not writer._thread.is_alive()


def test_a_script_may_change_its_folder(
    tmp_path: Path, info: RunInfo, make_step: Callable[..., Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Writer(Path("run.db"), info, max_bytes=1 << 20) as writer:
        (tmp_path / "else").mkdir()
        monkeypatch.chdir(tmp_path / "else")
        writer.put(make_step(1))
        assert writer.flush()
        assert ticks(writer.path) == [1]
    assert ticks(tmp_path / "run.db") == [1]


def test_a_place_that_cannot_be_written_to_raises_at_once(tmp_path: Path, info: RunInfo) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        Writer(tmp_path / "file" / "run.db", info)
