from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gradclinic
from gradclinic.errors import UserError
from gradclinic.schema.record import Ending, Event, RunInfo, Step
from gradclinic.store import Writer, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my #1 run?.db"


@pytest.fixture
def finished(path: Path, info: RunInfo, make_step: Callable[..., Step]) -> Path:
    with Writer(path, info) as writer:
        for tick in range(300):
            writer.put(make_step(tick))
    return path


def one_line(error: pytest.ExceptionInfo[UserError], path: Path) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_reads_while_it_is_written(path: Path, info: RunInfo, make_step: Callable[..., Step]) -> None:
    with Writer(path, info) as writer:
        assert read(path).info == info
        for tick in range(5):
            writer.put(make_step(tick))
            assert writer.flush()
            record = read(path)
            assert [step.tick for step in record.steps] == list(range(tick + 1))
            assert record.ending is None


def test_reading_in_the_writers_process_does_not_take_its_locks_away(path: Path, info: RunInfo) -> None:
    with Writer(path, info):
        read(path)
        other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode = DELETE')"
        done = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True, check=False)
        assert "database is locked" in done.stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no record"),
        (b"", "is empty"),
        (b"hello", "no gradclinic record, or was cut off"),
        (b"SQLite format 3\x00", "cut off"),
        (b"epoch,loss\n" * 1000, "is not a gradclinic record"),
        (os.urandom(5000), "is not a gradclinic record"),
    ],
)
def test_what_is_no_record_gets_one_clear_line(path: Path, content: bytes | None, expected: str) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=expected) as error:
        read(path)
    one_line(error, path)


def test_a_folder_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        read(tmp_path)


def test_another_programs_database_gets_one_clear_line(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE info (key, head, body)")
    connection.close()
    with pytest.raises(UserError, match="another program's database") as error:
        read(path)
    one_line(error, path)


def test_a_newer_version_gets_one_clear_line(finished: Path) -> None:
    connection = sqlite3.connect(finished)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UserError, match=r"newer gradclinic \(format 99.*update gradclinic") as error:
        read(finished)
    one_line(error, finished)


@pytest.mark.parametrize("statement", ["DROP TABLE format", "DELETE FROM info", "UPDATE format SET value = '[]'"])
def test_a_record_without_its_description_is_damaged(finished: Path, statement: str) -> None:
    connection = sqlite3.connect(finished)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(UserError, match="damaged") as error:
        read(finished)
    one_line(error, finished)


def test_cut_off_anywhere_it_reads_or_says_so_in_one_line(finished: Path) -> None:
    whole = finished.read_bytes()
    recovered = 0
    for share in range(1, 20):
        finished.write_bytes(whole[: len(whole) * share // 20])
        try:
            record = read(finished)
        except UserError as error:
            lines = str(error).splitlines()
        else:
            recovered += 1
            lines = [record.events[-1].data["error"]]
        assert len(lines) == 1
    assert recovered > 5


def test_overwritten_parts_cost_those_parts_only(finished: Path) -> None:
    data = bytearray(finished.read_bytes())
    for page in range(30, 33):
        data[page * 4096 : (page + 1) * 4096] = os.urandom(4096)
    finished.write_bytes(data)
    record = read(finished)
    assert 200 < sum(step.gradients is not None for step in record.steps) < 300
    assert record.events[-1].kind == "capture_failure"
    assert "cannot be read" in record.events[-1].data["error"]


def test_one_damaged_row_is_passed_over(finished: Path) -> None:
    connection = sqlite3.connect(finished)
    connection.execute("UPDATE steps SET head = '[1' WHERE key = 7")
    connection.execute("UPDATE gradients SET body = x'00' WHERE key = 9")
    connection.commit()
    connection.close()
    record = read(finished)
    assert {step.tick for step in record.steps} == set(range(300)) - {7, 9}
    assert "2 of 300 steps" in record.events[-1].data["error"]


def test_nothing_in_a_foreign_file_is_executed(finished: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(finished)
    connection.execute("DROP TABLE ending")
    connection.execute("CREATE VIEW ending AS SELECT 0 AS key, load_extension('x') AS head, NULL AS body")
    connection.close()
    record = read(finished)
    assert record.ending is None
    assert "ending" in record.events[-1].data["error"]


def test_a_copy_without_its_log_reads_up_to_the_last_checkpoint(
    path: Path, info: RunInfo, make_step: Callable[..., Step], tmp_path: Path
) -> None:
    with Writer(path, info) as writer:
        writer.put(make_step(0))
        assert writer.flush()
        shutil.copy(path, tmp_path / "copy.db")
        assert read(tmp_path / "copy.db").info == info


@pytest.fixture
def shut() -> Iterator[Path]:
    """A folder that an ordinary user may read but not write to."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("copied", "expected"), [("finished", "5\n"), ("running", "5\n"), ("without log", "0\n")])
def test_reads_from_a_read_only_folder(
    copied: str, expected: str, shut: Path, path: Path, info: RunInfo, make_step: Callable[..., Step]
) -> None:
    """A finished record, and one that was copied while the run went on, with its log and without."""
    writer = Writer(path, info)
    for tick in range(5):
        writer.put(make_step(tick))
    assert writer.flush()
    if copied == "finished":
        writer.close(Ending("finished", 2.0, 0))
    shutil.copy(path, shut / path.name)
    if copied == "running":
        shutil.copy(f"{path}-wal", shut)
    writer.close()
    for file in shut.iterdir():
        file.chmod(0o444)
    shut.chmod(0o555)
    if os.getuid():
        assert f"{len(read(shut / path.name).steps)}\n" == expected
        return
    # To root nothing is read-only; nobody may not be able to import, so it becomes nobody after that.
    script = (
        "import os, sys; from pathlib import Path; from gradclinic.store import read; import tempfile; "
        "os.setuid(65534); print(len(read(Path(sys.argv[1])).steps))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(gradclinic.__file__).parents[1])}
    command = [sys.executable, "-c", script, str(shut / path.name)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == (expected, "")


def test_events_keep_their_order(path: Path, info: RunInfo) -> None:
    with Writer(path, info) as writer:
        for tick in (5, 3, 3, 9):
            writer.put(Event(tick, "cost" if tick == 3 else "scaler_skip"))
    assert [event.tick for event in read(path).events] == [5, 3, 3, 9]


def test_reading_needs_no_torch(finished: Path) -> None:
    script = "import sys; sys.modules['torch'] = None; from pathlib import Path; from gradclinic.store import read; "
    script += "print(len(read(Path(sys.argv[1])).steps))"
    environment = os.environ | {"PYTHONPATH": str(Path(gradclinic.__file__).parents[1])}
    command = [sys.executable, "-c", script, str(finished)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("300\n", "")
