"""The status line on a real pseudo-terminal, its screen read with pyte."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import struct
import subprocess
import sys
import termios
import threading

import pyte
import pytest

from gradclinic.show.live import Progress, StatusLine, line_text


class Terminal:
    """A pseudo-terminal: ``stream`` is what a program writes to, ``screen`` what a person would see."""

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.master, self.slave = os.openpty()
        self.resize(rows, columns, screen=False)
        self.stream = os.fdopen(os.dup(self.slave), "w", encoding="utf-8")
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self._feed = pyte.ByteStream(self.screen)
        self.raw = b""
        os.set_blocking(self.master, False)

    def resize(self, rows: int, columns: int, *, screen: bool = True) -> None:
        if screen:
            self.look()
            if rows >= self.screen.lines:
                self.screen.resize(rows, columns)
            else:
                # pyte drops rows from the top; terminals drop those below the cursor first.
                assert self.screen.cursor.y < rows
                for y in range(rows, self.screen.lines):
                    self.screen.buffer.pop(y, None)
                self.screen.lines, self.screen.columns, self.screen.margins = rows, columns, None
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, text: str) -> None:
        """What another process writes to the same terminal."""
        os.write(self.slave, text.encode())
        self.look()

    def look(self) -> list[str]:
        """The rows of the screen, after everything that was written."""
        while True:
            try:
                data = os.read(self.master, 65536)
            except BlockingIOError:
                break
            self.raw += data
            self._feed.feed(data)
        return [row.rstrip() for row in self.screen.display]

    def everything(self) -> list[str]:
        """The lines that scrolled out and those on the screen, without empty ones at the end."""
        seen = self.look()
        old = ["".join(line[x].data for x in range(self.screen.columns)).rstrip() for line in self.screen.history.top]
        lines = old + seen
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def close(self) -> None:
        self.stream.close()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    made = Terminal()
    yield made
    made.close()


def test_output_scrolls_above_the_line_and_the_terminal_is_as_before_afterwards(terminal):
    terminal.write("$ gradclinic run train.py\n")
    with StatusLine(terminal.stream) as line:
        for k in range(100):
            terminal.write(f"epoch {k}\n")
            line.update(f"step {k}")
            rows = terminal.look()
            assert rows[-1] == f"step {k}"
            assert f"epoch {k}" in rows[:-1]
        assert terminal.screen.margins is not None
    assert terminal.everything() == ["$ gradclinic run train.py", *(f"epoch {k}" for k in range(100))]
    assert terminal.screen.margins is None
    terminal.write("$ next\n")
    assert terminal.everything()[-2:] == ["epoch 99", "$ next"]


def test_a_cursor_that_is_already_in_the_last_row_is_moved_out_of_it(terminal):
    for k in range(40):
        terminal.write(f"line {k}\n")
    terminal.write("$ half a li")
    with StatusLine(terminal.stream) as line:
        line.update("status")
        terminal.write("ne")
        assert terminal.look()[-2:] == ["$ half a line", "status"]
        line.update("status")
        terminal.write("\nnext\n")
    assert terminal.everything() == [*(f"line {k}" for k in range(40)), "$ half a line", "next"]


def test_a_bar_that_is_redrawn_in_place_keeps_its_place_and_its_colour(terminal):
    with StatusLine(terminal.stream) as line:
        for k in range(40):
            terminal.write(f"line {k}\n")
        terminal.write("\r\x1b[31m 10%|#   ")
        line.update("status")
        terminal.write("|")
        line.update("status again")
        row, column = terminal.screen.cursor.y, terminal.screen.cursor.x
        terminal.look()
        assert terminal.screen.display[row].rstrip() == " 10%|#   |"
        assert column == 10
        assert terminal.screen.buffer[row][9].fg == "red"
        assert terminal.screen.cursor.attrs.fg == "red"
        terminal.write("\r 20%|##  |")
        assert terminal.look()[row] == " 20%|##  |"


@pytest.mark.parametrize("rows", [30, 15])
def test_a_new_size_moves_the_line_and_leaves_no_old_one(terminal, rows):
    with StatusLine(terminal.stream) as line:
        for k in range(12):
            terminal.write(f"line {k}\n")
        line.update("old status")
        terminal.resize(rows, 70)
        line.update("new status")
        seen = terminal.look()
        assert seen[-1] == "new status"
        assert not any("old status" in row for row in seen)
        for k in range(12, 50):
            terminal.write(f"line {k}\n")
        assert terminal.look()[-1] == "new status"
    assert terminal.everything()[-50:] == [f"line {k}" for k in range(50)]
    assert terminal.screen.margins is None


def test_the_signal_of_a_new_size_is_enough_and_goes_on_to_the_handler_before(terminal):
    seen = []
    before = signal.signal(signal.SIGWINCH, lambda number, frame: seen.append(number))
    try:
        mine = signal.getsignal(signal.SIGWINCH)
        with StatusLine(terminal.stream) as line:
            line.update("status")
            terminal.resize(32, 90)
            os.kill(os.getpid(), signal.SIGWINCH)
            assert terminal.look()[-1] == "status"
            assert len(terminal.look()) == 32
        assert seen == [signal.SIGWINCH]
        assert signal.getsignal(signal.SIGWINCH) is mine
    finally:
        signal.signal(signal.SIGWINCH, before)


def test_a_window_that_becomes_too_small_gets_its_last_row_back(terminal):
    with StatusLine(terminal.stream) as line:
        line.update("status")
        terminal.resize(6, 80)
        line.update("status")
        assert not line.active
        assert not any("status" in row for row in terminal.look())
        assert terminal.screen.margins is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_terminal_is_restored_when_the_body_raises(terminal, error):
    def training_that_fails():
        with StatusLine(terminal.stream) as line:
            line.update("status")
            raise error

    with pytest.raises(error):
        training_that_fails()
    terminal.look()
    assert b"status" in terminal.raw
    assert terminal.everything() == []
    assert terminal.screen.margins is None


def test_a_terminal_that_went_away_raises_nothing(terminal):
    with StatusLine(terminal.stream) as line:
        line.update("status")
        terminal.stream.close()
        line.update("status")
        assert not line.active


def test_nothing_is_written_to_what_is_not_a_terminal():
    stream = io.StringIO()
    with StatusLine(stream) as line:
        line.update("status")
        assert not line.active
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("term", "rows"), [("dumb", 24), ("", 24), ("xterm", 9)])
def test_nothing_is_written_to_a_terminal_that_cannot_show_it(monkeypatch, term, rows):
    monkeypatch.setenv("TERM", term)
    if not term:
        monkeypatch.delenv("TERM")
    terminal = Terminal(rows=rows)
    with StatusLine(terminal.stream) as line:
        line.update("status")
    terminal.look()
    assert terminal.raw == b""
    terminal.close()


def test_colour_only_where_it_is_wanted(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with StatusLine(terminal.stream) as line:
        line.update("status")
        terminal.look()
        assert not terminal.screen.buffer[23][0].reverse
    monkeypatch.delenv("NO_COLOR")
    with StatusLine(terminal.stream) as line:
        line.update("status")
        terminal.look()
        assert terminal.screen.buffer[23][0].reverse


def test_escape_sequences_in_names_do_not_reach_the_terminal(terminal):
    with StatusLine(terminal.stream) as line:
        line.update(Progress(3, alarms=("evil\x1b]0;title\x07",)))
        assert b"\x1b]0" not in terminal.raw
        assert "evil\\x1b]0;title\\x07" in terminal.look()[-1]


def test_a_real_child_writes_every_line_while_the_parent_draws(terminal):
    code = "import sys, time\nfor k in range(300):\n    print('child', k, flush=True); time.sleep(0.001)\n"
    done = threading.Event()

    def drain() -> None:  # as a terminal does: without it the child would block on a full buffer
        while not done.wait(0.002):
            terminal.look()

    drainer = threading.Thread(target=drain)
    drainer.start()
    try:
        with StatusLine(terminal.stream) as line:
            child = subprocess.Popen([sys.executable, "-c", code], stdout=terminal.slave)
            k = 0
            while child.poll() is None:
                line.update(Progress(k, 300, 12.0, (3.0, 2.0, 1.0)))
                k += 1
    finally:
        done.set()
        drainer.join()
    assert k > 1
    assert terminal.everything() == [f"child {k}" for k in range(300)]


FULL = Progress(1200, 5000, 12.3, [2.3, 1.0, 0.5, 0.412], 1.2e-3, ("non-finite",))


def test_every_field_is_shown_where_there_is_room():
    text = line_text(FULL, 140)
    for part in ("step 1,200 of 5,000", "12.3 steps/s", "loss 0.412", "‖∇‖ 0.0012", "⚠ non-finite", "█▃▁▁"):
        assert part in text


@pytest.mark.parametrize("unicode", [True, False])
def test_the_line_fits_every_width_and_drops_the_least_wanted_first(unicode):
    for width in range(1, 140):
        text = line_text(FULL, width, unicode=unicode)
        assert len(text) <= width
        assert unicode or text.isascii()
        if width >= 50:
            assert "loss 0.412" in text
            assert "non-finite" in text
    assert line_text(FULL, 60).strip().startswith("step 1,200")


def test_steps_without_a_plan_and_without_a_loss():
    assert line_text(Progress(7, losses=[None, None]), 80).split() == ["gradclinic", "step", "7"]
