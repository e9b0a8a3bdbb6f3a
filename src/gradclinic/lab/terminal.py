"""An outcome, and the list of experiments, on the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .catalogue import NAMES
from .outcome import Outcome

STYLES = {"reproduced": "bold green", "partly reproduced": "bold yellow", "not reproduced": "bold red"}
#: More lines than this are for the page and the JSON file.
LINES = 40


def show(outcome: Outcome, console: Console) -> None:
    """Verdict, claims beside measurements, and the table of means."""
    experiment = outcome.experiment
    console.print()
    verdict = Text(f" {outcome.verdict.upper()} ", style=STYLES[outcome.verdict])
    console.print(Text.assemble(verdict, "  ", experiment.title))
    console.print(Text(f" {experiment.paper}", style="dim"))
    claims = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("", "claim", "paper", "measured"):
        claims.add_column(name, overflow="fold")
    for claim in outcome.claims:
        sign = Text("✓", style="green") if claim.holds else Text("✗", style="red")
        claims.add_row(sign, Text(claim.says), Text(claim.expected), Text(claim.measured))
    console.print(claims)
    headings, lines = outcome.table()
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in headings:
        table.add_column(Text(name), justify="right")
    for line in lines[:LINES]:
        table.add_row(*map(Text, line))
    console.print(table)
    if len(lines) > LINES:
        console.print(f" {len(lines) - LINES} more lines in the page and the JSON file")
    seeds = "1 seed" if outcome.seeds == 1 else f"{outcome.seeds} seeds"
    console.print(f" {len(outcome.rows)} rows, {seeds}, measured in {outcome.seconds:.0f} s\n", highlight=False)


def show_list(console: Console) -> None:
    """What experiments there are."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, about in NAMES.items():
        table.add_row(f"  {name}  ", about)
    console.print("The experiments, each by gradclinic lab NAME (with --quick in a minute or two):\n", highlight=False)
    console.print(table, highlight=False)
