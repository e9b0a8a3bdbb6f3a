"""Runs an experiment: every condition with every seed, each measured once and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .cache import Cache
from .experiment import Experiment, Row, Settings
from .outcome import Outcome

#: Told before each row: how many are done, of how many, and which comes.
Tell = Callable[[int, int, str], None]


def run(
    experiment: Experiment,
    settings: Settings | None = None,
    *,
    seeds: int = 1,
    folder: Path | None = None,
    tell: Tell = lambda done, count, what: None,
) -> Outcome:
    """Measures what is not yet kept in ``folder`` (None: keeps nothing), and judges.

    ``settings``: ``experiment.quick`` by default.  The generators of Python, numpy and torch are left as they were.

    Raises:
        UserError: ``folder`` cannot be written, or what the experiment needs is not installed.
    """
    chosen = experiment.quick if settings is None else settings
    cache = None if folder is None else Cache(folder, experiment.name)
    wanted = [{**condition, "seed": seed} for condition in experiment.conditions(chosen) for seed in range(seeds)]
    rows = []
    for done, setting in enumerate(wanted):
        tell(done, len(wanted), ", ".join(f"{name} {value}" for name, value in setting.items()))
        row = cache.get(setting) if cache else None
        if row is None:
            row = _measure(experiment, setting)
            if cache:
                cache.put(row)
        rows.append(row)
    return Outcome(experiment, rows, seeds)


def _measure(experiment: Experiment, setting: Mapping[str, Any]) -> Row:
    import torch

    began = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setting["seed"])
        values = experiment.measure(**setting)
    return Row(setting, values, time.perf_counter() - began)
