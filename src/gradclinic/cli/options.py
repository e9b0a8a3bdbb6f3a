"""What several verbs take."""

from __future__ import annotations

from pathlib import Path

import click

#: A file to write; whether it can be written is the workflow's question.
FILE = click.Path(path_type=Path)

#: Where trials run.
JOBS = click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Trials at a time.")
ON = click.option(
    "--on",
    type=click.Choice(["processes", "ray"]),
    default="processes",
    show_default=True,
    help="Where: on this machine, or a Ray cluster (RAY_ADDRESS).",
)
