"""``gradclinic report``."""

from __future__ import annotations

from pathlib import Path

import click

from gradclinic.workflows.report import write_report

from .options import FILE


@click.command("report", short_help="Write the page of a recorded run.")
@click.option("--html", type=FILE, help="Where to write the page; by default beside the record.")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@click.argument("run", required=False)
def command(run: str | None, html: Path | None, show: bool) -> None:
    """Write the page of a recorded run: one file, which works offline.

    \b
      gradclinic report --open                             the newest run
      gradclinic report train-20250101-120000 --html report.html
    """
    click.echo(write_report(run, html, show=show))
