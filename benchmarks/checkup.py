"""What a check-up costs: seconds, runs of torch's engine, and memory beside that of a training.

    python benchmarks/checkup.py --json benchmarks/results/checkup.json

Each workload is trained for a few steps in one process and checked in another; the peaks of both are compared, the
model included, less what a process holds that has checked a tiny model: torch, compiled kernels.  Most runs of the
engine go through the loss alone, or carry four samples (the spectra); the passes of whole batches through the model
are counted in tests/workflows/checkup/test_cost.py: at most 40.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

NAMES = ("gpt", "conv", "mlp")
STEPS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--child", nargs=2, metavar=("NAME", "MODE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child)))
        return
    found = {name: compare(name) for name in NAMES if options.only in (None, name)}
    for name, row in found.items():
        print(f"{name:5}", "  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    if options.json:
        head = {
            "date": date.today().isoformat(),
            "machine": f"{os.cpu_count()} cores",
            "python": platform.python_version(),
        }
        options.json.write_text(
            json.dumps(head | {"command": "python benchmarks/checkup.py", "rows": found}, indent=1) + "\n"
        )


def compare(name: str) -> dict[str, float]:
    """One workload trained and checked, each in a process of its own."""
    train, look = (run(name, mode) for mode in ("train", "checkup"))
    return {
        "parameters": train["parameters"],
        "step_seconds": train["seconds"] / STEPS,
        "checkup_seconds": look["seconds"],
        "engine_runs": look["passes"],
        "engine_runs_of_spectra": look["small"],
        "training_mb": train["memory"],
        "checkup_mb": look["memory"],
        "memory_ratio": look["memory"] / train["memory"],
    }


def run(name: str, mode: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, "--child", name, mode], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def child(name: str, mode: str) -> dict[str, Any]:
    """In the process itself: everything is loaded and warm before the workload is made."""
    import torch
    from torch.nn import functional as F
    from workloads import workload

    import gradclinic
    from gradclinic.workflows.checkup import at_start, examine, recorded, verb  # noqa: F401

    tiny = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    data = [(torch.randn(8, 4), torch.randn(8, 1)) for _ in range(4)]
    warm = gradclinic.Task(
        tiny, lambda: iter(data), lambda m, b: F.mse_loss(m(b[0]), b[1]), lambda p: torch.optim.Adam(p, 1e-3), 100
    )
    with tempfile.TemporaryDirectory() as folder:
        gradclinic.checkup(warm, out=folder)
    loaded = resident()
    torch.manual_seed(0)
    work = workload(name)
    shape = {"gpt": (8, 129), "conv": (64, 3, 32, 32), "mlp": (256, 256)}[name]

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(4):
            if name == "gpt":
                text = torch.randint(0, 2048, shape)
                yield text[:, :-1], text[:, 1:].reshape(-1)
            else:
                yield torch.randn(shape), torch.randint(0, 10, shape[:1])

    def loss(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        logits = model(batch[0])
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch[1])

    kind, settings = type(work.optimizer), {"lr": work.optimizer.param_groups[0]["lr"]}
    task = gradclinic.Task(work.model, batches, loss, lambda p: kind(p, **settings), 1000)
    counts = {"whole": 0, "small": 0, "where": "whole"}
    began = time.perf_counter()
    if mode == "train":
        optimizer, stream = task.new_optimizer(), task.stream()
        for _ in range(STEPS):
            optimizer.zero_grad()
            task.loss_of(next(stream)).backward()
            optimizer.step()
    else:
        counting(counts, at_start)
        with tempfile.TemporaryDirectory() as folder:
            gradclinic.checkup(task, out=folder)
    return {
        "seconds": time.perf_counter() - began,
        "memory": (peak() - loaded) / 1024,
        "parameters": sum(p.numel() for p in work.model.parameters()),
        "passes": counts["whole"],
        "small": counts["small"],
    }


def counting(counts: dict[str, Any], at_start: Any) -> None:
    """Counts runs of torch's engine, those of the spectra apart."""
    from torch.autograd import graph

    engine, spectra = graph._engine_run_backward, at_start.spectra

    def counted(*args: Any, **kwargs: Any) -> Any:
        counts[counts["where"]] += 1
        return engine(*args, **kwargs)

    def small(*args: Any) -> Any:
        counts["where"] = "small"
        try:
            return spectra(*args)
        finally:
            counts["where"] = "whole"

    import torch.autograd

    graph._engine_run_backward = torch.autograd._engine_run_backward = counted
    at_start.MEASUREMENTS = tuple(
        (what, kind, small if measure is spectra else measure) for what, kind, measure in at_start.MEASUREMENTS
    )
    from gradclinic.workflows.checkup import examine

    examine.MEASUREMENTS = at_start.MEASUREMENTS


def resident() -> int:
    """KiB of resident memory now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def peak() -> int:
    """KiB of resident memory at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
