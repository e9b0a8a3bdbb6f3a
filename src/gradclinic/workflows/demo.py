"""``gradclinic demo``: two scripts that know nothing of gradclinic, one sick and one healthy, run and told apart."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from gradclinic.errors import UserError

from .command import Command
from .place import make_folder, seen_from_here
from .run import RunOptions, run

if TYPE_CHECKING:
    from rich.console import Console

SCRIPTS = Path(__file__).absolute().parent.parent / "demo"

#: Script, the verdict that it deserves, and what to say before it.
PATIENTS = (
    ("sick", "A classifier of handwritten digits: 20 layers with sigmoids between them. It will not learn."),
    ("healthy", "The same digits, layers that fit their activation. It learns, and gradclinic stays quiet."),
)

NEEDS = {"torch": "torch", "sklearn": "scikit-learn"}


def run_demo(out: Path, console: Console | None = None) -> bool:
    """Runs both patients and reports on each to ``console`` (default: standard error).

    Returns whether both were judged rightly.

    Raises:
        UserError: what the scripts need is not installed, or ``out`` cannot be written.
    """
    from rich.console import Console as RichConsole

    missing = [name for module, name in NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"the demo needs {' and '.join(missing)}: pip install 'gradclinic[demo]'")
    make_folder(out)
    console = console or RichConsole(stderr=True, highlight=False)
    right = True
    for name, sentence in PATIENTS:
        script = seen_from_here(SCRIPTS / f"{name}.py")
        console.print(f"\n{sentence}\n$ gradclinic run {script}", highlight=False, markup=False, soft_wrap=True)
        outcome = run(Command(str(script), False, ()), RunOptions(out=out), console)
        verdict = outcome.answer.report.verdict if outcome.answer else "undecided"
        if outcome.code != 0 or verdict != name:
            right = False
            said = f"exit status {outcome.code}, verdict {verdict}; expected {name}"
            console.print(f"The demo did not go as it should: {said}.", highlight=False, markup=False, soft_wrap=True)
    return right
