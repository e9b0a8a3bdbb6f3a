"""`gradclinic run --guard` as a user runs it."""

import json
import re
import subprocess
import sys

import pytest

from gradclinic.cure.guard.settings import TIMES

TRAIN = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(80):
    x = torch.randn(32, 8)
    if step == 60:
        x[0, 0] = float("nan")
    loss = (model(x) - x[:, :1]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
"""


def gradclinic(folder, *words):
    argv = [sys.executable, "-m", "gradclinic", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("extra", [(), ("--guard-times", "2", "--guard-dir", "states")], ids=["", "settings"])
def test_a_script_is_treated_and_the_report_says_so(tmp_path, extra):
    (tmp_path / "train.py").write_text(TRAIN)
    ended = gradclinic(tmp_path, "run", "--guard", *extra, "--no-html", "--json", "a.json", "train.py")
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) < 1.0
    assert "1 step held back" in ended.stderr
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["run"]["guard"]["times"] == (2 if extra else TIMES)
    assert not extra or list((tmp_path / "states").iterdir()) == []
    without = gradclinic(tmp_path, "run", "--quiet", "--no-html", "train.py")
    assert without.stdout == "nan\n"


def test_the_help_tells_the_real_default(tmp_path):
    help_text = gradclinic(tmp_path, "run", "--help").stdout
    assert f"--guard-times N How often the guard may go back. [default: {TIMES}]" in re.sub(r"\s+", " ", help_text)
