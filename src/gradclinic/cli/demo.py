"""``gradclinic demo``."""

from __future__ import annotations

from pathlib import Path

import click

from gradclinic.workflows.demo import run_demo
from gradclinic.workflows.place import FOLDER

from .options import FILE


@click.command("demo", short_help="Watch a sick network and a healthy one.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the records and the pages.")
def command(out: Path) -> int:
    """Watch two classifiers of handwritten digits: a sick one, then a healthy one.

    \b
      gradclinic demo

    Exit status: 0 if gradclinic told them apart.
    """
    return 0 if run_demo(out) else 1
