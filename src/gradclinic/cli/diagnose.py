"""``gradclinic diagnose``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gradclinic.workflows.diagnose import STATUS, diagnose_run

from .options import FILE


@click.command("diagnose", short_help="Say again what is wrong with a recorded run.")
@click.option("--html", type=FILE, help="Write the page.")
@click.option("--json", type=FILE, help="Write the report as JSON.")
@click.argument("run", required=False)
def command(run: str | None, html: Path | None, json: Path | None) -> int:
    """Say again what is wrong with a recorded run. Needs no torch.

    \b
      gradclinic diagnose                                  the newest run
      gradclinic diagnose gradclinic-runs/train-20250101-120000.db --json report.json

    Exit status: 0 healthy or undecided, 1 sick, 2 could not run.
    """
    answer = diagnose_run(run, html=html, json=json)
    answer.show(Console(highlight=False), html)
    return STATUS[answer.report.verdict]
