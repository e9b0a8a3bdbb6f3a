"""What the guard costs: time of the guarded step over the watched one, interleaved in one process.

    python benchmarks/guard.py --json benchmarks/results/guard.json

As benchmarks/overhead.py; here both sides are watched, and one of them is guarded too.  On an accelerator the guard
waits for the statistics of each step, so there the loss is not read by the script: what is measured is that wait.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from workloads import workload

from gradclinic.capture import Monitor
from gradclinic.cure.guard import Guard, Keeper
from gradclinic.store import Writer
from gradclinic.workflows.record import run_info


class Timed(Keeper):
    """A keeper that notes the time in its own callbacks."""

    def __init__(self, settings: Guard) -> None:
        super().__init__(settings)
        self.seconds: list[float] = []

    def step_begins(self, optimizer: Any, look: Any) -> None:
        start = time.perf_counter()
        super().step_begins(optimizer, look)
        self.seconds.append(time.perf_counter() - start)


@contextlib.contextmanager
def watching(monitor: Monitor) -> Iterator[None]:
    monitor.start()
    try:
        yield
    finally:
        monitor.pause()


def measure(name: str, device: str, seconds: float, folder: Path) -> dict[str, Any]:
    work = workload(name, device, read_loss=device == "cpu")
    keeper = Timed(Guard())
    writers = [Writer(folder / f"{name}-{side}.db", run_info()) for side in ("plain", "guarded")]
    monitors = [Monitor(writers[0], tests=False), Monitor(writers[1], tests=False, treatment=keeper)]
    start = time.perf_counter()
    for _ in range(5):
        work.step()
    step = (time.perf_counter() - start) / 5
    size = max(2, min(50, int(1.0 / step)))
    times: list[list[float]] = [[], []]
    for block in range(max(6, int(seconds / (2 * size * step)))):
        for side in (0, 1) if block % 2 else (1, 0):
            with watching(monitors[side]):
                start = time.perf_counter()
                for _ in range(size):
                    work.step()
                if device != "cpu":
                    torch.cuda.synchronize()
                times[side].append((time.perf_counter() - start) / size)
    for monitor, writer in zip(monitors, writers, strict=True):
        monitor.stop()
        writer.close(None)
    watched, guarded = times
    return {
        "workload": name,
        "steps": size * len(guarded),
        "watched_step_ms": 1e3 * statistics.median(watched),
        "ratio_of_medians": statistics.median(guarded) / statistics.median(watched),
        "median_block_ratio": statistics.median(g / w for g, w in zip(guarded, watched, strict=True)),
        "own_ms_median": 1e3 * statistics.median(keeper.seconds),
        "own_share_median": statistics.median(keeper.seconds) / statistics.median(watched),
        "state_ms": 1e3 * max(keeper.seconds),  # the step at which a state was kept
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--workloads", default="gpt,conv,mlp")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=40.0, help="time for each workload, about")
    options = parser.parse_args()
    results = []
    for name in options.workloads.split(","):
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(name, options.device, options.seconds, Path(folder)))
        print(json.dumps(results[-1]), flush=True)
    device = platform.processor() if options.device == "cpu" else torch.cuda.get_device_name()
    answer = {
        "command": f"python benchmarks/guard.py --json FILE --device {options.device}",
        "date": date.today().isoformat(),
        "device": device or platform.machine(),
        "cores": torch.get_num_threads(),
        "torch": torch.__version__,
        "results": results,
    }
    if options.json:
        options.json.write_text(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main()
