"""``gradclinic lab``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from .options import FILE


@click.command("lab", short_help="Reproduce an experiment of the literature.")
@click.option("--quick", is_flag=True, help="A small version: a minute or two on two cores.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many, for the spread.")
@click.option(
    "--out", type=FILE, default="gradclinic-runs/lab", show_default=True, help="Folder that keeps what was measured."
)
@click.option("--html", type=FILE, help="Write the page.")
@click.option("--json", type=FILE, help="Write all of it as JSON.")
@click.option("--no-live", is_flag=True, help="No progress bar.")
@click.argument("experiment", required=False)
def command(
    experiment: str | None, quick: bool, seeds: int, out: Path, html: Path | None, json: Path | None, no_live: bool
) -> int:
    """Reproduce an experiment of the literature: the paper's claims beside what is measured here.

    \b
      gradclinic lab                                       which experiments there are
      gradclinic lab init --quick --html init.html
      gradclinic lab depth-scale --seeds 3

    What was measured is kept: an experiment that was stopped goes on where it was.

    Exit status: 0 every claim holds, 1 not every one, 2 could not run.
    """
    from gradclinic.lab.terminal import show_list
    from gradclinic.lab.verb import LabOptions, run_experiment

    console = Console(highlight=False)
    if experiment is None:
        show_list(console)
        return 0
    outcome = run_experiment(experiment, LabOptions(quick, seeds, out, html, json, not no_live), console)
    return 0 if outcome.verdict == "reproduced" else 1
