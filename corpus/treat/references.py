"""The best that good practice makes of each task: corpus/treat/references.json.

    python -m corpus.treat.references --keep FOLDER [--jobs 2] [--only NAME ...]

Every recipe trains for a fifth of the steps; the most promising ones train to the end, on two seeds, and so does the
task as it is.  What is in FOLDER already is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

from gradclinic.cure import Recipe
from gradclinic.cure.trials import Outcome, Trial
from gradclinic.task import own_generators

from . import kept
from .evaluate import is_classifier
from .families import ALL, find_row
from .full import Run, train
from .pool import spread
from .practice import HAND, practice
from .row import Row

REFERENCES = Path(__file__).with_name("references.json")
SEEDS = (11, 12)
#: Share of the steps after which most are left out, and how many go on besides the better of those written by hand.
PART, KEPT = 0.2, 3
#: A sick task ends at least so many points below its reference, a healthy one at most so many.
SICK, HEALTHY = 10.0, 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is not in the folder yet, and writes all that is."""
    parser = argparse.ArgumentParser(prog="python -m corpus.treat.references", description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[row.name for row in ALL])
    options = parser.parse_args(arguments)
    missing = [name for name in options.only if not kept.load(options.keep, name)]
    spread(measure, missing, options.keep, options.jobs)
    found = {row.name: kept.load(options.keep, row.name) for row in ALL}
    write({name: data for name, data in found.items() if data})
    return 0


def measure(name: str, folder: Path) -> str:
    """One task; returns what to tell of it."""
    row = find_row(name)
    data = reference(row)
    kept.save(folder, name, data)
    said = "" if as_claimed(row, data) else f", not {'sick' if row.sick else 'healthy'}"
    return f"{name}: {mean(data['untreated'])} untreated, {mean(best(data)['metrics'])} at best{said}"


def reference(row: Row) -> dict[str, Any]:
    """All recipes that were trained to the end, and the names of the others."""
    with own_generators():
        classes = is_classifier(row)
        tries = practice(row, SEEDS[0])
        trials = {name: Trial(target, recipe, SEEDS[0]) for name, recipe, target in tries}
        early = {name: trial.advance(round(PART * row.steps)) for name, trial in trials.items()}
        going = _going(early)
        recipes = {}
        for name, recipe, target in tries:
            if name in going:
                runs = [Run.of(trials[name].advance(row.steps), classes)]
                runs += [train(target, recipe, seed, row.steps, classes) for seed in SEEDS[1:]]
                changes = [change.to_dict() for change in recipe.changes]
                size = None if name.startswith(HAND) else recipe.size
                recipes[name] = {"metrics": [run.metric for run in runs], "size": size, "changes": changes}
        untreated = [train(row.target, Recipe(), seed, row.steps, classes) for seed in SEEDS]
    return {
        "classes": classes,
        "untreated": [run.metric for run in untreated],
        "seconds": untreated[0].seconds,
        "recipes": recipes,
        "left_out": [name for name in early if name not in going],
    }


def best(data: dict[str, Any]) -> dict[str, Any]:
    """The recipe of the best mean, its name with it; a healthy task may be best as it is."""
    tries = {"as it is": {"metrics": data["untreated"], "size": 0, "changes": []}, **data["recipes"]}
    name = max(tries, key=lambda name: mean(tries[name]["metrics"]))
    return {"name": name, **tries[name]}


def as_claimed(row: Row, data: dict[str, Any]) -> bool:
    """Whether a sick task is sick and a healthy one healthy."""
    short = mean(best(data)["metrics"]) - mean(data["untreated"])
    return short >= SICK if row.sick else short <= HEALTHY


def mean(values: Sequence[float]) -> float:
    """Of the seeds, to a hundredth of a point."""
    return round(sum(values) / len(values), 2)


def load(path: Path = REFERENCES) -> dict[str, dict[str, Any]]:
    """What :func:`write` wrote."""
    return dict(json.loads(path.read_text("utf-8"))["tasks"])


def write(tasks: dict[str, dict[str, Any]], path: Path = REFERENCES) -> None:
    """One task a line."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(data)}" for name, data in sorted(tasks.items()))
    made_by = json.dumps("python -m corpus.treat.references --keep FOLDER")
    path.write_text(f'{{"made_by": {made_by}, "seeds": {list(SEEDS)}, "tasks": {{\n{lines}\n}}}}\n', "utf-8")


def _going(early: dict[str, Outcome]) -> set[str]:
    """By the sum of the ranks in metric and in loss: early on the metric may be at chance for all."""
    losses = sorted(outcome.loss for outcome in early.values())
    metrics = sorted((_metric(outcome) for outcome in early.values()), reverse=True)
    ranked = sorted(early, key=lambda name: losses.index(early[name].loss) + metrics.index(_metric(early[name])))
    by_hand = [name for name in ranked if name.startswith(HAND)][:1]
    return {*ranked[:KEPT], *by_hand}


def _metric(outcome: Outcome) -> float:
    return -inf if outcome.metric is None else outcome.metric


if __name__ == "__main__":
    sys.exit(main())
