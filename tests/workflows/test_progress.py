import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradclinic.schema.record import Event, RunInfo, Step
from gradclinic.store import Tail, Writer
from gradclinic.workflows import progress

INFO = RunInfo(("python", "train.py"), 0.0, "3.11", "Linux", "0", 1, steps_planned=8)


class Terminal:
    """A terminal of 24 rows and 120 columns.  Tests make it stderr themselves, because pytest sets it after set-up."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.stderr = os.fdopen(self.slave, "w", encoding="utf-8")

    def drawn(self) -> str:
        """Everything that was drawn since the last call; a mark says where it ends."""
        os.write(self.slave, b"<mark>")
        seen = b""
        while not seen.endswith(b"<mark>"):
            seen += os.read(self.master, 1 << 16)
        return seen.decode().removesuffix("<mark>")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal()
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    yield terminal
    terminal.stderr.close()
    os.close(terminal.master)


def test_the_line_follows_the_record_from_its_first_step_on(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stderr)
    path = tmp_path / "a.db"
    with progress.status_line(path, shown=True) as idle:
        idle()  # no record yet
        with Writer(path, INFO) as writer:
            idle()  # no step yet
            assert terminal.drawn() == ""
            writer.put(Step(0, 0, 0, 0.5, 2.5, 1, (0.1,)))
            writer.put(Event(0, "non_finite_origin"))
            assert writer.flush()
            idle()
            first = terminal.drawn()
            writer.put(Step(1, 0, 1, 1.0, 1.25, 1, (0.1,)))
            assert writer.flush()
            idle()
            second = terminal.drawn()
    assert "step 1 of 8" in first
    assert "loss 2.5" in first
    assert "not a number" in first
    assert "step 2 of 8" in second
    assert "2 steps/s" in second
    assert "\x1b[r" in terminal.drawn()  # the terminal has its last row back


def test_a_rank_stands_for_its_launcher(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stderr)
    with progress.status_line(tmp_path / "a.db", shown=True) as idle, Writer(tmp_path / "a-rank0.db", INFO) as writer:
        writer.put(Step(0, 0, 0, 0.5, 2.5, 1, (0.1,)))
        assert writer.flush()
        idle()
        assert "step 1 of 8" in terminal.drawn()


def test_a_failure_ends_the_line_and_not_the_run(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stderr)

    calls = []

    def fail(tail: Tail) -> None:
        calls.append(1)
        raise RuntimeError

    monkeypatch.setattr("gradclinic.store.Tail.poll", fail)
    (tmp_path / "a.db").touch()
    with progress.status_line(tmp_path / "a.db", shown=True) as idle:
        idle()
        idle()
    assert terminal.drawn() == ""
    assert calls == [1]


@pytest.mark.parametrize("shown", [False, True])
def test_nothing_is_drawn_where_it_is_not_wanted_or_nobody_looks(
    shown: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.0)
    with progress.status_line(tmp_path / "a.db", shown=shown) as idle, Writer(tmp_path / "a.db", INFO) as writer:
        writer.put(Step(0, 0, 0, 0.5, 2.5, 1, (0.1,)))
        assert writer.flush()
        idle()
    assert capsys.readouterr() == ("", "")
