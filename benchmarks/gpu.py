"""gradclinic on a GPU: cost of watching, speed of the vitals, no synchronisation, the same bits.

    python benchmarks/gpu.py --json benchmarks/results/gpu.json

``--device cpu`` tries the script itself where there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch
from workloads import Workload, workload

from gradclinic.capture import Monitor
from gradclinic.measure import vitals
from gradclinic.schema.record import LedgerRow, Row, Step


class Rows:
    def __init__(self) -> None:
        self.all: list[Row] = []

    def put(self, row: Row) -> None:
        self.all.append(row)


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def seconds(action: Callable[[], Any], device: str, repeats: int) -> float:
    """Median time of one call, the device's work included."""
    times = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        action()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def vitals_speed(device: str) -> list[dict[str, Any]]:
    """Bytes per second of the vitals beside a plain norm and a copy of the same tensors."""
    results = []
    for label, count, shape in (("100 x 256x256", 100, (256, 256)), ("16 x 4096x4096", 16, (4096, 4096))):
        tensors = [torch.randn(shape, device=device) for _ in range(count)]
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        entry: dict[str, Any] = {"tensors": label, "bytes": size}
        for name, action in (
            ("vitals", lambda t=tensors: vitals.measure(t)),
            ("vitals_with_exponents", lambda t=tensors: vitals.measure(t, exponents=True)),
            ("vector_norm_foreach", lambda t=tensors: torch.nn.utils.get_total_norm(t)),
            ("copy", lambda t=tensors: [tensor.clone() for tensor in t]),
        ):
            action()
            entry[f"{name}_ms"] = 1e3 * seconds(action, device, 10)
        results.append(entry)
    return results


def train(work: Workload, steps: int) -> list[float]:
    return [work.step() for _ in range(steps)]


def same_bits(name: str, device: str, steps: int) -> dict[str, Any]:
    """Losses of the same training with and without a monitor."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    plain = train(workload(name, device), steps)
    again = train(workload(name, device), steps)
    work = workload(name, device)
    rows = Rows()
    monitor = Monitor(rows)
    monitor.start([work.model], [work.optimizer])
    watched = train(work, steps)
    monitor.stop()
    seen = [row.loss for row in rows.all if isinstance(row, Step)]
    return {
        "workload": name,
        "deterministic_itself": plain == again,
        "same_bits": plain == watched,
        "losses_recorded_right": seen == watched,
        "ledgers": sum(isinstance(row, LedgerRow) for row in rows.all),
    }


def overhead(name: str, device: str, blocks: int, size: int) -> dict[str, Any]:
    """Watched over plain steps, in blocks that alternate.  The loop itself does not wait for the device."""
    work = workload(name, device, read_loss=False)
    monitor = Monitor(Rows())
    train(work, 5)
    ratios, plains = [], []
    for _ in range(blocks):
        plain = seconds(lambda: train(work, size), device, 1)
        monitor.start([work.model], [work.optimizer])
        watched = seconds(lambda: train(work, size), device, 1)
        monitor.pause()
        ratios.append(watched / plain)
        plains.append(plain / size)
    monitor.stop()
    return {
        "workload": name,
        "plain_step_ms": 1e3 * statistics.median(plains),
        "median_ratio": statistics.median(ratios),
        "mean_ratio": statistics.mean(ratios),
        "training_thread_share": monitor.seconds / (sum(plains) * size),
    }


def synchronisations(name: str, device: str, steps: int) -> dict[str, Any]:
    """Whether a step that is not looked at closely makes the host wait for the device anywhere."""
    work = workload(name, device, read_loss=False)
    rows = Rows()
    monitor = Monitor(rows)
    monitor.start([work.model], [work.optimizer])
    train(work, steps)
    looks = sum(isinstance(row, LedgerRow) for row in rows.all)
    error = None
    if device == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        train(work, 1)
    except RuntimeError as failure:
        error = str(failure).splitlines()[0]
    finally:
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    monitor.stop()
    failures = [row for row in rows.all if getattr(row, "kind", "") == "capture_failure"]
    looked = sum(isinstance(row, LedgerRow) for row in rows.all) > looks
    return {
        "workload": name,
        "error": error,
        "capture_failures": [failure.data for failure in failures],  # type: ignore[union-attr]
        "was_a_close_look": looked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device here; --device cpu tries the script itself")
    vitals.prepare(wait=True)
    names = ("mlp", "conv", "gpt")
    answer: dict[str, Any] = {
        "command": "python benchmarks/gpu.py --json FILE",
        "date": date.today().isoformat(),
        "machine": platform.platform(),
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "torch": torch.__version__,
        "same_bits": [same_bits(name, options.device, options.steps) for name in names],
        "synchronisations": [synchronisations(name, options.device, options.steps) for name in names],
        "overhead": [overhead(name, options.device, 10, options.steps) for name in names],
        "vitals": vitals_speed(options.device),
    }
    print(json.dumps(answer, indent=1))
    if options.json:
        options.json.write_text(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main()
