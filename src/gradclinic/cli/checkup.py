"""``gradclinic checkup``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gradclinic.workflows.checkup import CheckupOptions, run_checkup
from gradclinic.workflows.diagnose import STATUS
from gradclinic.workflows.place import FOLDER

from .options import FILE


@click.command("checkup", short_help="Say before training whether a model will train.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random numbers.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many, for intervals.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the record and the page.")
@click.option("--name", help="Name of the record; by default the target's name and the time.")
@click.option("--html", type=FILE, help="Where to write the page; by default beside the record.")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--json", type=FILE, help="Write the report as JSON too.")
@click.option("--no-live", is_flag=True, help="No progress bar.")
@click.argument("target", metavar="FILE.py:NAME")
def command(
    target: str,
    seed: int,
    seeds: int,
    out: Path,
    name: str | None,
    html: Path | None,
    no_html: bool,
    json: Path | None,
    no_live: bool,
) -> int:
    """Say before training whether a model will train, and which learning rates would work.

    \b
      gradclinic checkup model.py:task
      gradclinic checkup package.models:task --json report.json

    NAME is a function without arguments that returns a mapping: model, batches, loss, optimizer, steps (and metric).

    Exit status: 0 healthy or undecided, 1 sick, 2 could not run.
    """
    options = CheckupOptions(seed, seeds, out, name, not no_html, html, json, not no_live)
    answer, page = run_checkup(target, options)
    answer.show(Console(highlight=False), page)
    return STATUS[answer.report.verdict]
