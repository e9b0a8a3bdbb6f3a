from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradclinic.errors import UserError
from gradclinic.schema.ledger import Ledger, Line
from gradclinic.schema.record import Event, Exponents, LedgerRow, Row, RunInfo, Step, Updates
from gradclinic.store import read
from gradclinic.store.database import Database, LogStuck

LIMIT = 1 << 20
TICKS = 4000  # four times what fits


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def database(path: Path, info: RunInfo) -> Iterator[Database]:
    database = Database(path, info, LIMIT)
    database.connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here, and fsync is slow
    yield database
    database.connection.close()


def on_disk(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir() if not file.name.endswith("-shm"))


def fill(database: Database, rows: Iterator[Row]) -> int:
    """Writes rows as the writer does; returns the largest size of file and log together."""
    (_, _, name) = database.connection.execute("PRAGMA database_list").fetchone()
    largest, batch = 0, []
    for row in rows:
        batch.append(database.encode(row))
        if sum(cells.size for cells in batch) > LIMIT / 20:
            database.write(batch)
            batch = []
            largest = max(largest, on_disk(Path(name)))
    database.write(batch)
    return max(largest, on_disk(Path(name)))


def everything(make_step: Callable[..., Step], ticks: int, **fields: object) -> Iterator[Row]:
    rng = np.random.default_rng(1)
    lines = tuple(Line(at, "weight", f"layer.{at}", "Addmm", rng.normal()) for at in range(20))
    for tick in range(ticks):
        yield make_step(tick, **fields)
        yield Event(tick, "cost", {"seconds": tick / 1000})
        if tick % 5 == 0:
            yield Updates(tick, *rng.normal(size=(3, 20)))
        if tick % 10 == 0:
            yield Exponents(tick, rng.integers(0, 50, (20, 256)))
            yield LedgerRow(tick, Ledger((), lines, 1.0, 0.0))


def test_the_size_is_bounded_however_long_the_run(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    assert fill(database, everything(make_step, TICKS)) < 1.25 * LIMIT
    record = read(path)
    with_gradients = [step.tick for step in record.steps if step.gradients is not None]
    assert 100 < len(with_gradients) < len(record.steps) < TICKS / 2
    assert [step.tick for step in record.steps][:64] == list(range(64))
    assert [step.tick for step in record.steps][-256:] == list(range(TICKS - 256, TICKS))
    for rows in (record.steps, record.updates, record.exponents, record.ledgers, record.events):
        ticks = [row.tick for row in rows]
        assert max(np.diff(ticks)) < TICKS / 2  # the whole run is covered
        assert ticks[-1] >= TICKS - 10


def test_anomalies_survive_thinning_with_their_neighbours(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    def rows() -> Iterator[Row]:
        for tick in range(TICKS):
            yield make_step(tick, loss=float("nan") if tick == 1100 else 0.5, skipped=tick == 1500)
            if tick == 1350:  # told late: its neighbours are on disk already
                yield Event(1300, "non_finite_origin")
            if tick % 7 == 0:
                yield Event(tick, "cost")

    fill(database, rows())
    steps = {step.tick: step for step in read(path).steps}
    for anomaly in (1100, 1300, 1500):
        assert all(steps[tick].gradients is not None for tick in range(anomaly - 3, anomaly + 4))
    assert len([tick for tick in steps if 1600 <= tick < 1700]) < 100


def test_a_run_of_nothing_but_anomalies_is_bounded_too(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    assert fill(database, everything(make_step, 2000, loss=float("nan"))) < 1.25 * LIMIT
    assert read(path).steps[0].tick == 0


def test_a_reader_that_never_ends_does_not_let_the_log_grow(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM info").fetchall()
    with pytest.raises(LogStuck):
        fill(database, everything(make_step, 6000))
    assert on_disk(path) < 1.25 * LIMIT
    reader.close()
    fill(database, everything(make_step, 50))


def test_a_full_disk_leaves_earlier_commits_and_writing_resumes(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    database.write([database.encode(make_step(0))])
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [database.encode(make_step(tick)) for tick in range(1, 200)]
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            database.write(batch)
    assert [step.tick for step in read(path).steps] == [0]
    database.connection.execute("PRAGMA max_page_count = 100000")
    database.write(batch)
    assert len(read(path).steps) == 200


def test_a_batch_that_fails_half_way_leaves_nothing(
    database: Database, path: Path, make_step: Callable[..., Step]
) -> None:
    good = [database.encode(make_step(tick)) for tick in range(3)]
    with pytest.raises(sqlite3.Error):
        database.write([*good, replace(good[0], table="events", head=object())])  # type: ignore[arg-type]
    assert read(path).steps == ()
    database.write(good)
    assert len(read(path).steps) == 3


def test_a_row_too_large_for_the_record_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="in a record of at most"):
        database.encode(Event(0, "huge", {"noise": np.random.default_rng(0).bytes(200_000).hex()}))


def test_a_tick_beyond_64_bits_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        database.encode(Event(1 << 63, "far"))


def test_closing_leaves_one_plain_file(database: Database, path: Path, make_step: Callable[..., Step]) -> None:
    database.write([database.encode(make_step(0))])
    assert len(list(path.parent.iterdir())) == 3
    database.close()
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes()[18:20] == b"\x01\x01"  # no log is expected beside it
    assert len(read(path).steps) == 1


def test_an_existing_file_is_not_overwritten(path: Path, info: RunInfo) -> None:
    path.write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        Database(path, info, LIMIT)
    assert path.read_text() == "precious"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, info: RunInfo) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot create the record .*run\.db"):
        Database(tmp_path / "file" / "run.db", info, LIMIT)
