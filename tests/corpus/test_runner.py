"""One script, watched and plain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from corpus import index, runner
from corpus.index import Script


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A script that trains nothing, so that a run takes no second."""
    monkeypatch.setattr(index, "HERE", tmp_path)
    (tmp_path / "healthy").mkdir()
    (tmp_path / "healthy" / "a.py").write_text("print('hello')\n")
    return Script("healthy/a.py", "healthy", "development")


def test_a_run_leaves_its_report_and_its_times(script: Script, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run = runner.run_script(script, kept, plain=True)
    assert run.note == ""
    assert run.plain_seconds
    assert 0 < run.plain_seconds < run.seconds
    assert runner.run_of(kept, script.file) == run
    report = runner.report_of(kept, script.file)
    assert report
    assert report["verdict"] == "undecided"
    assert runner.report_of(kept, "healthy/b.py") is None


def test_what_differs_from_the_plain_run_is_noted(script: Script, tmp_path: Path) -> None:
    # The watched run comes first; it cannot tell that it is watched, but it can tell that it is the first.
    first = (
        "import pathlib, sys\nsign = pathlib.Path(__file__).with_suffix('.sign')\nagain = sign.exists()\nsign.touch()\n"
    )
    script.path.write_text(first + "sys.exit(0 if again else 3)\n")
    assert runner.run_script(script, tmp_path / "kept", plain=True).note == "exit status 3, plain 0"
    script.path.with_suffix(".sign").unlink()
    script.path.write_text(first + "print(again)\n")
    assert runner.run_script(script, tmp_path / "kept", plain=True).note == "prints other lines than the plain run"


def test_a_line_that_is_never_the_same_is_no_difference(script: Script, tmp_path: Path) -> None:
    script.path.write_text("import time\nprint('step 1')\nprint(time.perf_counter_ns())\n")
    assert runner.run_script(script, tmp_path / "kept", plain=True).note == ""


def test_what_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMIT_S", 3)
    sign = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(sign)!r}).write_text(str(os.getpid())); time.sleep(600)"
    done, _ = runner._timed(["-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"])
    assert done is None
    assert not _runs(int(sign.read_text()))


def _runs(process: int) -> bool:
    """Whether a process exists and is no zombie that waits for somebody to ask how it ended."""
    status = Path(f"/proc/{process}/stat")
    for _ in range(100):  # it dies soon after it was killed, not at once
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.05)
    return True
