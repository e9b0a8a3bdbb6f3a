"""The rate that `gradclinic tune` chooses against what two range tests suggest, by the metric after the whole training.

    python -m benchmarks.tune --out benchmarks/results/tune.json [--tasks NAME ...] [--seeds 5]

Each rule sees the same task and seed; then the task trains to its end with the rule's rate, on a seed that no rule has
seen.  The rules of pytorch-lr-finder and Lightning are written after their sources (davidtvs/pytorch-lr-finder at
00abb90: ``range_test`` and ``plot`` with the README's ``end_lr=100``, from 1e-7; Lightning-AI/pytorch-lightning at
0012782: ``lr_find`` and ``suggestion``).  Rows that the file has already are not measured again.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gradclinic
from corpus.treat.families import ALL
from gradclinic.cure import Change, Recipe
from gradclinic.cure.trials import Trial
from gradclinic.cure.trials.trial import one_step
from gradclinic.task import Target, own_generators

#: Chosen before anything was measured: one or more of each kind of network, healthy ones and wrong rates.
TASKS = (
    "healthy-digits", "healthy-digits-sgd", "healthy-digits-momentum", "healthy-images-norm", "healthy-rows-gru",
    "healthy-adding", "healthy-first", "healthy-autoencoder", "healthy-friedman", "digits-rate-low",
    "convolution-4-rate-high", "embedding-rate-low",
)  # fmt: skip
#: The final training's seeds begin here.
FRESH = 1000
STEPS = 100


def lr_finder(target: Target, seed: int) -> float | None:
    """pytorch-lr-finder: np.gradient of the smoothed losses, argmin, after ten points are cut off and before five."""
    rates, losses, best = list[float](), list[float](), 0.0

    def stop(rate: float, loss: float) -> bool:
        nonlocal best
        if losses:
            loss = 0.05 * loss + 0.95 * losses[-1]
        best = min(best, loss) if losses else loss
        rates.append(rate)
        losses.append(loss)
        return loss > 5 * best

    sweep(target, seed, 1e-7, 100.0, stop)
    kept, at = losses[10:-5], rates[10:-5]
    return at[int(np.gradient(np.array(kept)).argmin())] if len(kept) > 1 else None


def lightning(target: Target, seed: int) -> float | None:
    """Lightning: torch.gradient over the rate, argmin, after ten points and before the last."""
    rates, losses, mean, best = list[float](), list[float](), 0.0, 0.0

    def stop(rate: float, loss: float) -> bool:
        nonlocal mean, best
        mean = 0.98 * mean + 0.02 * loss
        smooth = mean / (1 - 0.98 ** (len(losses) + 1))
        away = len(losses) > 0 and smooth > 4.0 * best
        best = smooth if not losses or smooth < best else best
        rates.append(rate)
        losses.append(smooth)
        return away

    sweep(target, seed, 1e-8, 1.0, stop)
    kept, at = torch.tensor(losses[10:-1]), torch.tensor(rates[10:-1])
    kept, at = kept[kept.isfinite()], at[kept.isfinite()]
    return float(at[torch.gradient(kept, spacing=[at])[0].argmin()]) if len(kept) > 1 else None


def sweep(target: Target, seed: int, low: float, high: float, stop: Callable[[float, float], bool]) -> None:
    """One hundred steps at rates that rise geometrically in every group, until ``stop(rate, loss)``."""
    with own_generators():
        task = target.build(seed)
        optimizer, batches = task.new_optimizer(), task.stream()
        for step in range(STEPS):
            rate = low * (high / low) ** (step / (STEPS - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            if stop(rate, one_step(task, task.model, optimizer, next(batches))):
                return


def tuned(target: Target, seed: int) -> float | None:
    """gradclinic tune, as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return gradclinic.tune(target, seed=seed * 100, out=folder).lr
        except gradclinic.UserError as error:
            print(f"  refused: {error}")
            return None


RULES = {"gradclinic": tuned, "lr_finder": lr_finder, "lightning": lightning, "as it is": None}


def measure(target: Target, rule: str, seed: int) -> dict[str, Any]:
    """The rule's rate and what it comes to; without one, the task's own, as the rules' users would go on."""
    began = time.perf_counter()
    find = RULES[rule]
    lr = find(target, seed) if find else None
    searched = time.perf_counter() - began
    recipe = Recipe.of(Change("learning_rate", {"lr": lr})) if lr is not None else Recipe()
    with own_generators():
        task = target.build(seed)
        outcome = Trial(target, recipe, FRESH + seed).advance(task.steps)
    metric = outcome.metric if outcome.metric is not None and isfinite(outcome.metric) else None
    return {
        "rule": rule, "seed": seed, "lr": lr, "metric": metric, "ended": outcome.ended,
        "search_seconds": round(searched, 2), "training_seconds": round(outcome.seconds, 2),
    }  # fmt: skip


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By task: the mean metric of each rule; a training that ended counts as the worst of its task."""
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(row["task"] for row in rows):
        own = [row for row in rows if row["task"] == name]
        worst = min((row["metric"] for row in own if row["metric"] is not None), default=0.0)
        found[name] = {}
        for rule in RULES:
            values = [worst if row["metric"] is None else row["metric"] for row in own if row["rule"] == rule]
            if values:
                found[name][rule] = round(sum(values) / len(values), 2)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is missing, a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = json.loads(options.out.read_text("utf-8"))["rows"] if options.out.exists() else []
    done = {(row["task"], row["rule"], row["seed"]) for row in rows}
    targets = {row.name: row.target for row in ALL}
    for name in options.tasks:
        for seed in range(options.seeds):
            for rule in RULES:
                if (name, rule, seed) in done:
                    continue
                rows.append({"task": name, **measure(targets[name], rule, seed)})
                write(options.out, rows)
                print(name, seed, rule, rows[-1]["lr"], rows[-1]["metric"], flush=True)
    write(options.out, rows)
    print(json.dumps(summary(rows), indent=1))
    return 0


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """All of it, or the old file."""
    shown = ",\n  ".join(json.dumps(row) for row in rows)
    facts = {
        "command": f"python {' '.join(sys.orig_argv[1:])}",  # the last one: rows of earlier ones are kept
        "torch": torch.__version__.partition("+")[0],
        "python": platform.python_version(),
    }
    text = json.dumps({**facts, "summary": summary(rows)}, indent=1)[:-2] + f',\n "rows": [\n  {shown}\n ]\n}}\n'
    beside = path.with_suffix(".tmp")
    beside.write_text(text, "utf-8")
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
