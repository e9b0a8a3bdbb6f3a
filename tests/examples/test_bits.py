"""Watching never changes a run: the losses of every example are the same to the last bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
DRIVER = Path(__file__).with_name("losses_of.py")


def losses(folder, name, mode, script, *launcher):
    out = folder / name
    command = [sys.executable, *launcher, str(DRIVER), str(out), mode, str(script)]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def test_there_are_examples():
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_losses_are_bit_identical(script, tmp_path):
    plain = losses(tmp_path, "plain", "plain", script)["losses"]
    assert len(plain) >= 10
    watched = losses(tmp_path, "watch", "watch", script)
    assert watched["losses"] == plain
    assert watched["steps"] > 0
    report = tmp_path / "report.json"
    launcher = ("-m", "gradclinic", "run", "--quiet", "--no-html", "--json", str(report))
    assert losses(tmp_path, "run", "plain", script, *launcher)["losses"] == plain
    assert json.loads(report.read_text())["run"]["steps"] > 0
