import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gradclinic.errors import UserError
from gradclinic.schema.record import Ending, RunInfo, Step
from gradclinic.store import Writer, read
from gradclinic.store.amend import amend

INFO = RunInfo(("python", "train.py"), 0.0, "3.11", "Linux", "0", 1)
STEP = Step(0, 0, 0, 0.5, 2.5, 1, (0.1,))
KILLED = Ending("killed", 2.0, exit_code=137, error="killed by SIGKILL (signal 9)")

KILLED_WHILE_WRITING = """
import os, sys
from pathlib import Path
sys.path[:] = {path!r}
from gradclinic.schema.record import RunInfo, Step
from gradclinic.store import Writer
writer = Writer(Path({file!r}), {info!r})
writer.put({step!r})
writer.flush()
os.kill(os.getpid(), 9)
"""


def test_the_ending_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Writer(path, INFO) as writer:
        writer.put(STEP)
        writer.close(Ending("finished", 1.0))
    before = read(path)
    amend(path, KILLED)
    after = read(path)
    assert after.ending == KILLED
    assert (after.info, after.steps) == (before.info, before.steps) == (INFO, (STEP,))


def test_a_log_that_a_killed_process_left_is_folded_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    code = KILLED_WHILE_WRITING.format(path=sys.path, file=str(path), info=INFO, step=STEP)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert path.with_name("a.db-wal").exists()
    amend(path, KILLED)
    assert [found.name for found in tmp_path.iterdir()] == ["a.db"]
    assert (read(path).ending, read(path).steps) == (KILLED, (STEP,))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE ending (a, b, c, d, e, f)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UserError):
        amend(path, KILLED)
    assert path.read_bytes() == before
