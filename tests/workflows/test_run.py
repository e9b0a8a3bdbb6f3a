"""`gradclinic run` as a user runs it.  Few scripts here import torch, because that takes seconds."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gradclinic.cli import main
from gradclinic.workflows.run import Outcome

TRAIN = """
import os, sys, time
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters())
x = torch.randn(32, 8)

def train(steps):
    for _ in range(steps):
        loss = (model(x) - x[:, :1]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item().hex(), flush=True)
"""


def gradclinic(*words: str, flags: tuple[str, ...] = (), **settings: Any) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, *flags, "-m", "gradclinic", *words]
    return subprocess.run(argv, capture_output=True, check=False, **settings)


def test_a_crash_is_the_scripts_own_and_is_reported(tmp_path: Path) -> None:
    """GIVEN a script that does much that could go wrong, under -W error
    WHEN it is run with and without gradclinic
    THEN nobody can tell the difference, and the record tells how it ended.
    """
    (tmp_path / "train.py").write_text(
        TRAIN + "print(sys.argv, sys.path[0], list(map(type, sys.meta_path)), __file__, __spec__, sys.excepthook)\n"
        "print(repr(sys.stdin.read()), torch.rand(1).item().hex(), 'GRADCLINIC_RECORD' in os.environ)\n"
        "sys.stdout.flush()\n"
        "sys.stdout.buffer.write(bytes(range(256)))\n"
        "os.chdir('/')\n"
        "train(10)\n"
        "child = os.fork()\n"
        "if not child: train(2); sys.exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "train(2)\n"
        "raise ValueError('first line\\nsecond line')\n"
    )
    words = ["train.py", "--lr", "x y"]
    inputs = {"input": b"some input", "cwd": tmp_path}
    plain = subprocess.run([sys.executable, "-W", "error", *words], capture_output=True, check=False, **inputs)  # type: ignore[call-overload]
    watched = gradclinic("run", "--quiet", "--json", "a.json", "--no-html", *words, flags=("-W", "error"), **inputs)

    assert plain.returncode == 1
    assert (watched.returncode, watched.stderr, watched.stdout) == (1, plain.stderr, plain.stdout)
    report = json.loads((tmp_path / "a.json").read_text())["run"]
    assert (report["ending"], report["exit_code"], report["error"]) == ("failed", 1, "ValueError: first line")
    assert report["steps"] == 12  # those of the forked child are not counted
    assert [path.suffix for path in (tmp_path / "gradclinic-runs").iterdir()] == [".db"]


def test_a_script_that_is_killed_is_reported_and_diagnosed_alike_later(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        TRAIN + "end = time.monotonic() + 2\nwhile time.monotonic() < end: train(5)\nos.kill(os.getpid(), 9)\n"
    )
    ended = gradclinic("run", "--out", "runs", "--name", "k", "--json", "a.json", "train.py", cwd=tmp_path)
    assert ended.returncode == -9
    assert b"killed by SIGKILL" in ended.stderr
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["k.db", "k.html"]
    first = json.loads((tmp_path / "a.json").read_text())
    assert (first["run"]["ending"], first["run"]["exit_code"]) == ("killed", 137)
    assert first["run"]["steps"] > 5
    again = main(["diagnose", str(tmp_path / "runs/k.html"), "--json", str(tmp_path / "b.json")])
    assert again == (first["verdict"] == "sick")
    assert json.loads((tmp_path / "b.json").read_text()) == first


def test_a_script_may_delete_the_folder_of_the_record(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import shutil; shutil.rmtree('gradclinic-runs'); print(1)")
    ended = gradclinic("run", "train.py", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, b"1\n")
    assert ended.stderr.startswith(b"gradclinic: nothing to judge: the folder of the record, ")
    assert ended.stderr.count(b"\n") == 1


def test_each_rank_of_a_launcher_has_its_record_and_the_first_is_reported(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN + "train(3)\nprint([n for n in os.environ if 'GRADCLINIC' in n])\n")
    ended = gradclinic("run", "--name", "d", "torchrun", "--nproc-per-node", "2", "train.py", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(b"[]") == 2
    names = sorted(path.name for path in (tmp_path / "gradclinic-runs").iterdir())
    assert names == ["d-rank0.db", "d-rank0.html", "d-rank1.db"]
    assert b"3 steps" in ended.stderr


@pytest.mark.parametrize(
    ("flags", "code", "reason"),
    [
        ((), "print(1)", b"the script did not import torch"),
        (("-I",), "print(1)", b"Python was started with -I"),
        (("-S",), "print(1)", b"Python was started with -S"),
    ],
)
def test_where_nothing_is_seen_one_line_says_why(
    tmp_path: Path, flags: tuple[str, ...], code: str, reason: bytes
) -> None:
    (tmp_path / "plain.py").write_text(code)
    # Under -I and -S gradclinic itself must still be found, as it is where it is installed for everybody.
    launch = (
        f"import sys; sys.path[:] = {sys.path!r}; sys.orig_argv[:] = {['python', *flags, '-m', 'gradclinic']!r}\n"
        "from gradclinic.cli import main; sys.exit(main())"
    )
    argv = [sys.executable, "-c", launch, "run", "plain.py"]
    ended = subprocess.run(argv, capture_output=True, check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, b"1\n")
    assert reason in ended.stderr
    assert ended.stderr.count(b"\n") == 1


def test_a_script_that_is_not_watched_still_gets_its_json(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("import sys; sys.exit(3)")
    ended = gradclinic("run", "--json", "a.json", "--quiet", "plain.py", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (3, b"")
    report = json.loads((tmp_path / "a.json").read_text())
    assert (report["verdict"], report["run"]["exit_code"]) == ("undecided", 3)
    assert "did not import torch" in report["headline"]


@pytest.mark.parametrize(
    ("code", "verdict", "fail_on_sick", "status"),
    [(0, "sick", True, 1), (0, "sick", False, 0), (3, "sick", True, 3), (-9, "sick", True, -9), (0, "healthy", True, 0),
     (0, None, True, 0)],
)  # fmt: skip
def test_only_a_sick_run_that_would_exit_with_0_fails(
    code: int, verdict: str | None, fail_on_sick: bool, status: int
) -> None:
    answer: Any = verdict and SimpleNamespace(report=SimpleNamespace(verdict=verdict))
    assert Outcome(code, answer).status(fail_on_sick=fail_on_sick) == status
