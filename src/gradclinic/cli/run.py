"""``gradclinic run``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradclinic.errors import UserError
from gradclinic.workflows.child import end_like
from gradclinic.workflows.command import interpreter_flags, parse_command
from gradclinic.workflows.place import FOLDER
from gradclinic.workflows.run import RunOptions, run

from .options import FILE


@click.command(
    "run",
    short_help="Run a script and say what is wrong with its training.",
    context_settings={"allow_interspersed_args": False},
)
@click.option("-m", "module", is_flag=True, help="Run a module, as python -m does.")
@click.option("--out", type=FILE, default=FOLDER, show_default=True, help="Folder for the record and the page.")
@click.option("--name", help="Name of the record; by default the script's name and the time.")
@click.option("--steps", type=click.IntRange(min=1), help="How many steps the whole training is meant to take.")
@click.option("--html", type=FILE, help="Where to write the page; by default beside the record.")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--json", type=FILE, help="Write the report as JSON too.")
@click.option("--fail-on", type=click.Choice(["sick"]), help="Exit with 1 if the script exits with 0 but is sick.")
@click.option("--quiet", is_flag=True, help="Print nothing; write the files.")
@click.option("--no-live", is_flag=True, help="No status line while the script runs.")
@click.option("--guard", is_flag=True, help="Treat the training while it runs: skip, clip, go back.")
@click.option(
    "--guard-times", type=click.IntRange(min=0), metavar="N", help="How often the guard may go back.  [default: 5]"
)
@click.option("--guard-dir", type=FILE, help="Keep the states to go back to in this folder, not in memory.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGUMENTS]...")
def command(
    module: bool,
    out: Path,
    name: str | None,
    steps: int | None,
    html: Path | None,
    no_html: bool,
    json: Path | None,
    fail_on: str | None,
    quiet: bool,
    no_live: bool,
    guard: bool,
    guard_times: int | None,
    guard_dir: Path | None,
    words: tuple[str, ...],
) -> int:
    """Run a training script as it is, and say at its end what is wrong with it.

    \b
      gradclinic run train.py --lr 0.1
      gradclinic run --json report.json -m package.train --epochs 3
      gradclinic run torchrun --nproc-per-node 2 train.py

    The script behaves as under python: same output, same input, same exit status. The report goes to stderr.
    """
    if not guard and (guard_times is not None or guard_dir is not None):
        raise UserError("--guard-times and --guard-dir are settings of --guard; add --guard")
    options = RunOptions(
        out, name, steps, not no_html, html, json, quiet, not no_live, fail_on == "sick", guard, guard_times, guard_dir
    )
    outcome = run(parse_command(words, module=module, flags=interpreter_flags(sys.orig_argv)), options)
    return end_like(outcome.status(fail_on_sick=options.fail_on_sick))
