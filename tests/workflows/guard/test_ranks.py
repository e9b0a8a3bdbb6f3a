"""Two processes decide together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
import torch.distributed as dist

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
if sys.argv[1] != "apart":
    model = DistributedDataParallel(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
torch.manual_seed(rank)
for step in range(160):
    x = torch.randn(16, 8)
    if sys.argv[1] == "weights" and step == 120 and rank == 1:
        with torch.no_grad():
            next(model.parameters())[0, 0] = float("nan")
    loss = (model(x) - x[:, :1]).pow(2).mean()
    if sys.argv[1] == "apart" and step == 100 and rank == 1:
        loss = loss * float("nan")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if sys.argv[1] == "apart":
        for parameter in model.parameters():
            dist.all_reduce(parameter.data)
            parameter.data /= 2
total = sum(parameter.double().sum() for parameter in model.parameters())
sys.stdout.write(f"{rank} {total.item().hex()} {loss.item()}\\n")  # at once: print may write the line's end apart
sys.stdout.flush()
dist.destroy_process_group()
"""

FAILS_ON_RANK_1 = """
import os, torch  # torch first, as in any script: gradclinic begins when it has arrived
import gradclinic.cure.guard.retreat as retreat
if os.environ["RANK"] == "1":
    retreat.Retreat.keep = lambda *_: 1 / 0
"""


def launch(folder: Path, script: str, how: str) -> tuple[dict[str, list[str]], list[dict]]:
    (folder / "train.py").write_text(script)
    run = [sys.executable, "-m", "gradclinic", "run", "--guard", "--quiet", "--no-html", "--name", "d"]
    words = [*run, "torchrun", "--standalone", "--nproc-per-node", "2", "train.py", how]
    done = subprocess.run(words, capture_output=True, check=False, cwd=folder, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    reports = []
    for rank in (0, 1):
        out = folder / f"{rank}.json"
        again = [sys.executable, "-m", "gradclinic", "diagnose", f"gradclinic-runs/d-rank{rank}.db", "--json", str(out)]
        subprocess.run(again, capture_output=True, check=False, cwd=folder)
        reports.append(json.loads(out.read_text())["run"]["guard"])
    return lines, reports


@pytest.mark.parametrize("how", ["apart", "weights"])
def test_what_one_rank_sees_all_do(how: str, tmp_path: Path) -> None:
    lines, (first, second) = launch(tmp_path, SCRIPT, how)
    assert lines["0"][0] == lines["1"][0]  # the weights are the same to the bit
    assert all(float(line[1]) < 1.0 for line in lines.values())
    assert [(act["step"], act["act"]) for act in first["acts"]] == [(act["step"], act["act"]) for act in second["acts"]]
    if how == "apart":
        assert [(act["step"], act["act"]) for act in first["acts"]] == [(100, "skip")]
    else:
        assert (first["rolled_back"], second["rolled_back"]) == (1, 1)
        assert first["acts"][0]["to"] == second["acts"][0]["to"]


def test_a_guard_that_fails_on_one_rank_is_off_on_all_and_nobody_waits(tmp_path: Path) -> None:
    _, (first, second) = launch(tmp_path, FAILS_ON_RANK_1 + SCRIPT, "apart")
    assert [act["act"] for act in first["acts"]] == ["off"]
    assert first["acts"][0]["why"] == "the guard of another rank failed"
    assert second["acts"][0]["why"] == "ZeroDivisionError: division by zero"
