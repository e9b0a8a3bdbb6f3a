import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gradclinic.cli.app import VERBS

#: Trainings that can be tuned, or not.
SMALL = """
import torch

X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))

def task(steps=60, scale=1.0):
    return {
        "model": torch.nn.Linear(3, 1),
        "batches": lambda: iter(X.split(16)),
        "loss": lambda model, batch: scale * (model(batch) - batch.sum(1, keepdim=True)).square().mean(),
        "optimizer": lambda parameters: torch.optim.SGD(parameters, 0.1),
        "steps": steps,
    }

def nan():
    return task(scale=float("nan"))

def short():
    return task(steps=10)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").touch()
    (tmp_path / "model.py").write_text("def task():\n    return {'model': 1}\n\nNUMBER = 3\n")
    (tmp_path / "small.py").write_text(SMALL)
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("not a record " * 1000)
    connection = sqlite3.connect(tmp_path / "foreign.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a user starts it: this one's stdout is pytest's."""
    return python("-m", "gradclinic", *words)


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("run", "name a script"),
        ("run -m", "name a module"),
        ("run tran.py", "did you mean train.py?"),
        ("run .", "is a folder; name the script in it"),
        ("run --stpes 3 train.py", "did you mean --steps?"),
        ("run --steps", "requires an argument"),
        ("run --steps many train.py", "see gradclinic run --help"),
        ("run --fail-on healthy train.py", "sick"),
        ("run --out train.py/runs train.py", "choose another with --out"),
        ("run --guard-times 3 train.py", "add --guard"),
        ("run --guard --guard-times -1 train.py", "see gradclinic run --help"),
        ("run --guard --guard-dir train.py/states train.py", "choose another with --guard-dir"),
        ("run --name a/b train.py", "choose the folder with --out"),
        ("run --json nowhere/a.json train.py", "there is no folder"),
        ("run --html . train.py", "name a file in it"),
        ("run python train.py", "gradclinic run train.py"),
        ("train.py --lr 1", "gradclinic run train.py --lr 1"),
        ("rnu train.py", "did you mean 'run'?"),
        ("frobnicate", "run, checkup, diagnose, treat, tune, compare, report, lab, demo"),
        ("lab gradient-decent", "did you mean 'gradient-descent'?"),
        ("lab nonsense", "the experiments are gradient-descent"),
        ("lab --html nowhere/a.html gradient-descent", "there is no folder"),
        ("lab --out train.py gradient-descent", "choose another with --out"),
        ("lab --seeds 0 gradient-descent", "see gradclinic lab --help"),
        ("checkup", "see gradclinic checkup --help"),
        ("checkup model.py", "file.py:name"),
        ("checkup modle.py:task", "did you mean model.py?"),
        ("checkup model.py:tsak", "did you mean task?"),
        ("checkup model.py:NUMBER", "is not callable"),
        ("checkup model.py:task", "lacks batches, loss, optimizer, steps"),
        ("checkup --seed -1 model.py:task", "see gradclinic checkup --help"),
        ("checkup --html . model.py:task", "name a file in it"),
        ("treat", "see gradclinic treat --help"),
        ("treat model.py:tsak", "did you mean task?"),
        ("treat model.py:task", "lacks batches, loss, optimizer, steps"),
        ("treat model.py:task --budget 0", "see gradclinic treat --help"),
        ("treat model.py:task --lr 1", "no such option: --lr"),
        ("treat model.py:task 3", "arguments are for a script"),
        ("treat nothing.py --lr 1", "no such file: nothing.py"),
        ("treat --budget 0 model.py:task", "see gradclinic treat --help"),
        ("treat --recipe . model.py:task", "name a file in it"),
        ("tune", "see gradclinic tune --help"),
        ("tune model.py:tsak", "did you mean task?"),
        ("tune model.py:task", "lacks batches, loss, optimizer, steps"),
        ("tune --grid 1 model.py:task", "see gradclinic tune --help"),
        ("tune --folds 1 model.py:task", "see gradclinic tune --help"),
        ("tune --budget 0 model.py:task", "see gradclinic tune --help"),
        ("tune --range 1 0.1 model.py:task", "from a lower to a higher"),
        ("tune --recipe . model.py:task", "name a file in it"),
        ("tune small.py:nan", "nan at the first step"),
        ("tune small.py:short", "16 at least"),
        ("tune --budget 0.1 small.py:task", "too few to tell them apart: give --budget"),
        ("tune --search momentun small.py:task", "did you mean momentum?"),
        ("tune --search lr,batch-size small.py:task", "the batch size is the task's own"),
        ("tune --search lr --grid 5 small.py:task", "give --trials and --seeds"),
        ("tune --trials 5 small.py:task", "give --search"),
        ("tune --search lr --seeds 1 small.py:task", "give --seeds 2 or more"),
        ("tune --search lr --range 1e6 1e9 --trials 2 small.py:task", "every one of the 2 trials diverges"),
        ("tune --folds 3 small.py:task", "needs a task with the key folds"),
        ("tune --range 1e6 1e9 --grid 2 --seeds 1 small.py:task", "diverges; the window of this training is"),
        ("tune --range 1e-12 1e-11 --grid 2 --seeds 1 small.py:task", "lowers the loss within"),
        ("compare", "see gradclinic compare --help"),
        ("compare model.py:tsak", "did you mean task?"),
        ("compare model.py:task", "lacks batches, loss, optimizer, steps"),
        ("compare --optimizers sgd,adm small.py:task", "did you mean adam? there are gd, adam"),
        ("compare --grid 1 small.py:task", "see gradclinic compare --help"),
        ("compare --gd-runs 0 small.py:task", "see gradclinic compare --help"),
        ("compare --html . small.py:task", "name a file in it"),
        ("compare --optimizers sgd,adam small.py:nan", "nan at the first step"),
        ("compare small.py:short", "16 at least"),
        ("compare --budget 0.1 small.py:task", "too few to tell them apart: give --budget"),
        ("--verison", "did you mean --version?"),
        ("diagnose", "record one first: gradclinic run train.py"),
        ("diagnose nothing", "no such run: nothing"),
        ("diagnose empty.db", "empty.db is empty"),
        ("diagnose text.db", "text.db is not a gradclinic record"),
        ("diagnose foreign.db", "another program's database"),
        ("diagnose a b", "see gradclinic diagnose --help"),
        ("report text.db --html a.html", "text.db is not a gradclinic record"),
        ("demo --out train.py", "choose another with --out"),
    ],
)
@pytest.mark.usefixtures("here")
def test_one_line_says_what_to_do(line: str, advice: str) -> None:
    done = ask(*line.split())
    assert done.returncode == 2
    assert done.stderr.startswith("gradclinic: ")
    assert done.stderr.count("\n") == 1
    assert advice in done.stderr
    assert "Traceback" not in done.stderr
    assert "$ gradclinic" not in done.stdout


@pytest.mark.usefixtures("here")
def test_a_name_with_line_breaks_is_still_one_line() -> None:
    done = ask("run", "two\nlines.py")
    assert done.returncode == 2
    assert done.stderr.startswith("gradclinic: no such file: two lines.py")


@pytest.mark.parametrize("line", ["", "--help", "-h", *(f"{verb} --help" for verb in VERBS)])
def test_help_leads_with_examples(line: str) -> None:
    done = ask(*line.split())
    assert (done.returncode, done.stderr) == (0, "")
    verb = line.partition(" ")[0] if line.endswith(" --help") else ""
    assert f"    gradclinic {verb}" in done.stdout.partition("Options:")[0]


def test_version() -> None:
    assert ask("--version").stdout.startswith("gradclinic ")


UNFORESEEN = """
import sys, tempfile
import gradclinic.workflows.diagnose
from gradclinic.cli import main

def fail(path):
    raise RuntimeError("two\\nlines")

tempfile.tempdir = "."
gradclinic.workflows.diagnose.read_answer = fail
sys.exit(main(["diagnose", "text.db"]))
"""


def test_what_nobody_foresaw_is_one_line_and_a_file(here: Path) -> None:
    done = python("-c", UNFORESEEN)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "RuntimeError: two lines" in done.stderr
    (saved,) = here.glob("gradclinic-*.txt")
    assert saved.name in done.stderr
    assert "in fail" in saved.read_text()
