"""What watching costs: time of the watched step over the unwatched one, interleaved in one process.

    python benchmarks/overhead.py --json benchmarks/results/overhead.json

Blocks of plain and watched steps alternate, so that the machine's drift hits both.  On a shared machine wall
time cannot resolve differences under about 5%, so the time spent inside gradclinic is measured as well: on the
training thread (its callbacks and, on closely looked-at steps, the longer backward pass), and by the writer thread.
Peers run at their defaults and at every step in the same way.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from workloads import Workload, workload

from gradclinic.capture import Monitor
from gradclinic.store import Writer
from gradclinic.workflows.record import run_info


class Gradclinic:
    """gradclinic at its default settings: the same monitor all along, detached during the plain blocks."""

    name = "gradclinic"

    def __init__(self, work: Workload, folder: Path) -> None:
        self.writer = Writer(folder / f"{work.name}.db", run_info())
        self.monitor = Monitor(self.writer)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        self.monitor.start()
        try:
            yield
        finally:
            self.monitor.pause()

    def after_step(self) -> None:
        pass

    def close(self) -> dict[str, Any]:
        self.monitor.stop()
        answer = {"training_thread_s": self.monitor.seconds, "other_threads_cpu_s": cpu_of_own_threads()}
        self.writer.close(None)
        return answer


def cpu_of_own_threads() -> float | None:
    """CPU seconds of gradclinic's threads (the writer; the kernel's loader), where /proc tells."""
    total = 0.0
    for thread in threading.enumerate():
        stat = Path(f"/proc/self/task/{thread.native_id}/stat")
        if thread.name.startswith("gradclinic") and stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


class Wandb:
    """``wandb.watch(log="gradients")``, offline, at its default frequency (1000) or at every step."""

    def __init__(self, work: Workload, folder: Path, every: int) -> None:
        import wandb

        self.name = f"wandb.watch every {every}"
        self.run = wandb.init(mode="offline", dir=str(folder), project="overhead", reinit=True)
        self.work, self.every = work, every

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        self.run.watch(self.work.model, log="gradients", log_freq=self.every)
        try:
            yield
        finally:
            self.run.unwatch(self.work.model)

    def after_step(self) -> None:
        self.run.log({})

    def close(self) -> dict[str, Any]:
        self.run.finish()
        return {}


class TensorBoard:
    """A histogram of each gradient through ``SummaryWriter``, every ``every`` steps."""

    def __init__(self, work: Workload, folder: Path, every: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.name = f"TensorBoard histograms every {every}"
        self.writer = SummaryWriter(str(folder))
        self.work, self.every, self.count = work, every, 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        yield

    def after_step(self) -> None:
        if self.count % self.every == 0:
            for name, parameter in self.work.model.named_parameters():
                self.writer.add_histogram(name, parameter.grad, self.count)
        self.count += 1

    def close(self) -> dict[str, Any]:
        self.writer.close()
        return {}


def measure(work: Workload, tool: Any, blocks: int, size: int) -> dict[str, Any]:
    plain: list[float] = []
    watched: list[float] = []
    ratios: list[float] = []
    for _ in range(3):
        work.step()
    for block in range(blocks):
        pair: dict[bool, list[float]] = {}
        for watching in (False, True) if block % 2 else (True, False):
            times = []
            with tool.watching() if watching else contextlib.nullcontext():
                for _ in range(size):
                    start = time.perf_counter()
                    work.step()
                    if watching:
                        tool.after_step()
                    times.append(time.perf_counter() - start)
            pair[watching] = times
        plain += pair[False]
        watched += pair[True]
        ratios.append(sum(pair[True]) / sum(pair[False]))
    result = {
        "tool": tool.name,
        "workload": work.name,
        "steps": len(watched),
        "plain_step_ms": 1e3 * statistics.median(plain),
        "ratio_of_medians": statistics.median(watched) / statistics.median(plain),
        "ratio_of_sums": sum(watched) / sum(plain),
        "median_block_ratio": statistics.median(ratios),
    }
    inside = tool.close()
    if inside:
        result |= inside
        result["training_thread_share"] = inside["training_thread_s"] / sum(plain)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--workloads", default="gpt,conv,mlp")
    parser.add_argument("--seconds", type=float, default=60.0, help="time for each workload and tool, about")
    parser.add_argument(
        "--peers", action="store_true", help="wandb and TensorBoard as well (pip install wandb tensorboard)"
    )
    parser.add_argument("--peers-only", action="store_true", help="without gradclinic")
    options = parser.parse_args()
    results = []
    for name in options.workloads.split(","):
        tools: list[Any] = [] if options.peers_only else [Gradclinic]
        if options.peers or options.peers_only:
            tools += [lambda w, f, e=every: Wandb(w, f, e) for every in (1000, 1)]
            tools += [lambda w, f, e=every: TensorBoard(w, f, e) for every in (100, 1)]
        for make in tools:
            work = workload(name)
            start = time.perf_counter()
            for _ in range(3):
                work.step()
            step = (time.perf_counter() - start) / 3
            size = max(2, min(20, int(1.0 / step)))
            blocks = max(4, int(options.seconds / (2 * size * step)))
            with tempfile.TemporaryDirectory() as folder:
                result = measure(work, make(work, Path(folder)), blocks, size)
            results.append(result)
            print(json.dumps(result), flush=True)
    machine = {"machine": platform.platform(), "cores": torch.get_num_threads(), "torch": torch.__version__}
    answer = {
        "command": "python benchmarks/overhead.py --json FILE --peers",
        "date": date.today().isoformat(),
        **machine,
    }
    if options.json:
        options.json.write_text(json.dumps({**answer, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
