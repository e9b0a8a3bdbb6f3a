"""Times the vitals of one step's gradients on the CPU, beside a norm and a copy of the same bytes.

Run: python benchmarks/vitals.py [--json FILE] [--repeats N]

Each figure is the median over interleaved repetitions, so that a busy moment hits all columns alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from gradclinic.measure import vitals
from gradclinic.measure.vitals import direct, engine, operands, reference, threads

CASES = {
    "50 x (256 x 256) + biases, float32": (torch.float32, 50, (256, 256), 256),
    "the same, bfloat16": (torch.bfloat16, 50, (256, 256), 256),
    "the same, float64": (torch.float64, 50, (256, 256), 256),
    "150 x (16 x 16) + biases, float32": (torch.float32, 150, (16, 16), 16),
    "one of 12 million, float32": (torch.float32, 1, (3000, 4000), 1),
}


def gradients(dtype: torch.dtype, layers: int, weight: tuple[int, int], bias: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [shape for _ in range(layers) for shape in (weight, (bias,))]
    return [(1e-3 * torch.randn(shape, generator=generator)).to(dtype) for shape in shapes]


def ways(tensors: list[torch.Tensor]) -> dict[str, Callable[[], object]]:
    kernel = engine.kernel()
    assert kernel is not None, engine.failure()
    helper = threads.Helper()
    flat = [tensor.reshape(-1) for tensor in tensors]
    copies = [torch.empty_like(tensor) for tensor in tensors]
    table, _ = operands.sort(tensors, with_kernel=True)

    def copy() -> None:
        for source, target in zip(tensors, copies, strict=True):
            target.copy_(source)

    found: dict[str, Callable[[], object]] = {
        "measure": lambda: vitals.measure(tensors),
        "measure + exponents": lambda: vitals.measure(tensors, exponents=True),
        "addresses only": lambda: operands.sort(tensors, with_kernel=True),
        "vector_norm, each": lambda: [torch.linalg.vector_norm(tensor) for tensor in tensors],
        "copy, each": copy,
    }
    for exponents, suffix in ((False, ""), (True, " + exponents")):
        found |= {
            f"kernel, 1 thread{suffix}": partial(direct.on_one, kernel, table, exponents),
            f"kernel, 2 threads{suffix}": partial(direct.on_two, kernel, table, exponents, tensors, helper),
            f"reference{suffix}": partial(reference.launch, flat, exponents),
        }
    return found


def medians(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Milliseconds per call."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeats", type=int, default=31)
    options = parser.parse_args()
    start = time.perf_counter()
    vitals.prepare(wait=True)
    loaded = time.perf_counter() - start
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads on {threads.cores()} cores")
    print(f"kernel loaded (or compiled) in {loaded:.2f} s; path in use: {vitals.path_in_use()}\n")
    milliseconds: dict[str, dict[str, float]] = {}
    for name, case in CASES.items():
        tensors = gradients(*case)
        times = medians(ways(tensors), options.repeats)
        size = sum(tensor.numel() for tensor in tensors)
        milliseconds[name] = times
        print(f"{name}: {size:,} elements in {len(tensors)} tensors")
        for way, elapsed in times.items():
            print(f"  {way:<32} {elapsed:9.3f} ms {1e6 * elapsed / size:8.3f} ns per element")
    if options.json:
        results = {"load_seconds": loaded, "cores": threads.cores(), "milliseconds": milliseconds}
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
