"""``gradclinic tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from gradclinic.errors import UserError
from gradclinic.workflows.child import end_like
from gradclinic.workflows.place import FOLDER
from gradclinic.workflows.tune import Searched, SearchOptions, TuneOptions, Tuning, run_search, run_tune

from .options import FILE, JOBS, ON

COUNT = click.IntRange(min=1)


@click.command("tune", short_help="Choose the learning rate by a grid, or several settings by a search.")
@click.option("--grid", type=click.IntRange(min=2), help="How many rates are trained; by default 9.")
@click.option("--search", metavar="NAMES", help="Search these instead: lr,momentum,weight-decay,schedule.")
@click.option("--trials", type=COUNT, help="Trials of a search; by default 30.")
@click.option(
    "--seeds", type=COUNT, default=3, show_default=True, help="Trainings of each rate in a round, or of each finalist."
)
@click.option("--folds", type=click.IntRange(min=2), help="Cross-validate with so many folds, in place of seeds.")
@click.option(
    "--range", "rates", type=(float, float), metavar="LOW HIGH", help="Rates to try; by default the window's."
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    help="What the trials may cost, in full training runs; by default 3, of a search 10.",
)
@JOBS
@ON
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random numbers.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the recipe, page and trials.")
@click.option("--name", help="Name of their files; by default the target's name and the time.")
@click.option("--recipe", type=FILE, help="Where to write the recipe; by default in the folder.")
@click.option("--html", type=FILE, help="Where to write the page; by default in the folder.")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--json", type=FILE, help="Write all of it as JSON too.")
@click.option("--no-live", is_flag=True, help="No progress bar.")
@click.argument("target", metavar="FILE.py:NAME")
def command(
    target: str,
    grid: int | None,
    search: str | None,
    trials: int | None,
    seeds: int,
    folds: int | None,
    rates: tuple[float, float] | None,
    budget: float | None,
    jobs: int,
    on: Literal["processes", "ray"],
    seed: int,
    out: Path,
    name: str | None,
    recipe: Path | None,
    html: Path | None,
    no_html: bool,
    json: Path | None,
    no_live: bool,
) -> int:
    """Choose the learning rate, or several settings, say why, and write it as a recipe.

    \b
      gradclinic tune model.py:task
      gradclinic tune model.py:task --grid 13 --seeds 5 --budget 10
      gradclinic tune model.py:task --folds 5 --json tuned.json
      gradclinic tune model.py:task --search lr,momentum,weight-decay,schedule --trials 50 --jobs 4

    NAME is a function without arguments that returns a mapping: model, batches, loss, optimizer, steps (and metric;
    for --folds also folds).  A search that was killed goes on where it was when the same command is given again.

    Exit status: 0 chosen (or nothing beats what you have), 2 could not run.
    """
    if search is not None:
        if grid is not None or folds is not None:
            raise UserError("--grid and --folds are of a learning rate alone: with --search, give --trials and --seeds")
        chosen = SearchOptions(
            tuple(search.split(",")), trials or 30, seeds, rates, budget, seed, out, name, recipe, not no_html, html,
            json, not no_live, jobs, on,
        )  # fmt: skip
        return _shown(*run_search(target, chosen))
    if trials is not None:
        raise UserError("--trials is of a search: give --search lr,momentum or so too")
    options = TuneOptions(
        grid or 9,
        seeds,
        folds or 0,
        rates,
        budget,
        seed,
        out,
        name,
        recipe,
        not no_html,
        html,
        json,
        not no_live,
        jobs,
        on,
    )
    return _shown(*run_tune(target, options))


def _shown(answer: Tuning | Searched, page: Path | None, recipe: Path | None) -> int:
    answer.show(Console(highlight=False), recipe=recipe, page=page)
    return end_like(-2) if answer.interrupted else 0
