"""``gradclinic compare``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gradclinic.workflows.child import end_like
from gradclinic.workflows.compare import CompareOptions, run_compare
from gradclinic.workflows.compare.verb import GD_RUNS
from gradclinic.workflows.place import FOLDER

from .options import FILE

POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("compare", short_help="Optimizers side by side, each at its own learning rate; SGD beside GD.")
@click.option(
    "--optimizers",
    default="",
    metavar="NAME,...",
    help="Of gd, sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, nadam, radam and own (the task's); by default"
    " gd,sgd,momentum,rmsprop,adagrad,adam.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Trainings of each.")
@click.option("--grid", type=click.IntRange(min=2), default=9, show_default=True, help="Rates tried for each.")
@click.option("--budget", type=POSITIVE, help="What each search may cost, in full training runs; by default 3.")
@click.option(
    "--gd-runs",
    type=POSITIVE,
    default=GD_RUNS,
    show_default=True,
    help="What one training by gd may cost, in training runs; it has fewer steps where that is too little.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random numbers.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the page and trials.")
@click.option("--name", help="Name of their files; by default the target's name and the time.")
@click.option("--html", type=FILE, help="Where to write the page; by default in the folder.")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--json", type=FILE, help="Write all of it as JSON too.")
@click.option("--no-live", is_flag=True, help="No progress bar.")
@click.argument("target", metavar="FILE.py:NAME")
def command(
    target: str,
    optimizers: str,
    seeds: int,
    grid: int,
    budget: float | None,
    gd_runs: float,
    seed: int,
    out: Path,
    name: str | None,
    html: Path | None,
    no_html: bool,
    json: Path | None,
    no_live: bool,
) -> int:
    """Train with several optimizers, each at its own tuned learning rate, for equally many steps.

    \b
      gradclinic compare model.py:task
      gradclinic compare model.py:task --optimizers gd,sgd --gd-runs 40
      gradclinic compare model.py:task --optimizers own,adam --seeds 5

    NAME is a function without arguments that returns a mapping: model, batches, loss, optimizer, steps (and metric).
    gd is full-batch gradient descent.  An optimizer that diverges is a row of the table.  Ctrl-C reports what is known;
    searches that were made are not made again when the same command is given again.

    Exit status: 0 compared, 2 could not run.
    """
    names = tuple(optimizers.split(","))
    options = CompareOptions(
        names, seeds, grid, budget, gd_runs, seed, out, name, not no_html, html, json, not no_live
    )  # fmt: skip
    comparison, page = run_compare(target, options)
    comparison.show(Console(highlight=False), page=page)
    return end_like(-2) if comparison.interrupted else 0
