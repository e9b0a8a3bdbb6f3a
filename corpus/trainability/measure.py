"""Trains every set-up to its end and lets a check-up look at its beginning.

    python -m corpus.trainability.measure --keep FOLDER [--jobs 2]

The records of the check-ups and the outcomes stay in FOLDER; what is there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import torch

from gradclinic.task import seed_all
from gradclinic.workflows.checkup.recorded import record_examination

from .outcome import Outcome, train
from .setups import Setup, all_setups


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is not in the folder yet."""
    parser = argparse.ArgumentParser(prog="python -m corpus.trainability.measure", description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    options.keep.mkdir(parents=True, exist_ok=True)
    measure_all(all_setups(), options.keep, options.jobs)
    return 0


def measure_all(setups: Sequence[Setup], folder: Path, jobs: int) -> None:
    """Each set-up's record and outcome, in processes of one thread each."""
    missing = [setup for setup in setups if not outcome_path(folder, setup).exists()]
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for place, name in enumerate(pool.map(measure, missing, [folder] * len(missing)), start=1):
            sys.stderr.write(f"\r{place} of {len(missing)}: {name}   ")
    sys.stderr.write("\n")


def measure(setup: Setup, folder: Path) -> str:
    """One set-up; returns its name."""
    outcome = train(setup)
    seed_all(0)
    path = record_path(folder, setup)
    path.unlink(missing_ok=True)
    record_examination(setup.task(), 0, path, setup.name, lambda what, share: None)
    outcome_path(folder, setup).write_text(json.dumps(asdict(outcome)), "utf-8")
    return setup.name


def record_path(folder: Path, setup: Setup) -> Path:
    """Where a set-up's check-up is recorded."""
    return folder / f"{setup.name}.db"


def outcome_path(folder: Path, setup: Setup) -> Path:
    """Where a set-up's outcome is kept; written last."""
    return folder / f"{setup.name}.json"


def outcome_of(folder: Path, setup: Setup) -> Outcome:
    """What became of a set-up that was measured."""
    return Outcome(**json.loads(outcome_path(folder, setup).read_text("utf-8")))


if __name__ == "__main__":
    sys.exit(main())
