"""``gradclinic treat``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from gradclinic.workflows.child import end_like
from gradclinic.workflows.place import FOLDER
from gradclinic.workflows.treat import TreatOptions, run_treat

from .options import FILE, JOBS, ON


class _Command(click.Command):
    """What stands after a script is the script's; after a target, options go on."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = not any(word.endswith(".py") for word in args)
        return super().parse_args(ctx, args)


@click.command(
    "treat",
    cls=_Command,
    short_help="Find the smallest change that cures a training, and prove it.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="What it is planned to cost, in full training runs.",
)
@JOBS
@ON
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random numbers.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the record, recipe and page.")
@click.option("--name", help="Name of the record; by default the target's name and the time.")
@click.option("--recipe", type=FILE, help="Where to write the recipe; by default beside the record.")
@click.option("--html", type=FILE, help="Where to write the page; by default beside the record.")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--json", type=FILE, help="Write the report as JSON too.")
@click.option("--no-live", is_flag=True, help="No progress bar.")
@click.argument("target", metavar="FILE.py:NAME|SCRIPT")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    target: str,
    budget: float,
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
    arguments: tuple[str, ...],
) -> int:
    """Find the smallest change that cures a training, prove it on fresh seeds, and write the recipe.

    \b
      gradclinic treat model.py:task
      gradclinic treat --budget 3 --recipe cure.yaml model.py:task
      gradclinic treat train.py --lr 0.1

    NAME is a function without arguments that returns a mapping: model, batches, loss, optimizer, steps (and metric).
    A script is run once as it is, and again for each trial, with the change put in as it runs.
    A treatment that was killed goes on where it was when the same command is given again.

    Exit status: 0 cured or healthy, 1 not cured, 2 could not run.
    """
    options = TreatOptions(budget, seed, out, name, recipe, not no_html, html, json, not no_live, jobs, on, arguments)
    treatment, page, written = run_treat(target, options)
    treatment.show(Console(highlight=False), page, written)
    if treatment.interrupted:
        return end_like(-2)
    return 0 if treatment.cured or treatment.verdict == "healthy" else 1
