"""The verb: a check-up, then the course of treatment, then the report and the recipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..command import Command, interpreter_flags, parse_command
from ..place import FOLDER, file_stem, new_record, writable
from .plan import Plan

if TYPE_CHECKING:
    from gradclinic.cure.trials import Places

    from .treatment import Treatment


@dataclass(frozen=True, slots=True)
class TreatOptions:
    """What the user may choose."""

    budget: float = 1.0  #: what it is planned to cost, in full training runs
    seed: int = 0
    out: Path = FOLDER
    name: str | None = None
    recipe: Path | None = None  #: where; beside the record by default
    page: bool = True
    html: Path | None = None
    json: Path | None = None
    live: bool = True  #: a progress bar, on a terminal
    jobs: int = 1  #: trials at a time, each in a process of its own
    on: Literal["processes", "ray"] = "processes"
    arguments: tuple[str, ...] = ()  #: of a script


def treat(
    target: Any,
    *,
    budget: float = 1.0,
    seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
    jobs: int = 1,
    on: Literal["processes", "ray"] = "processes",
) -> Treatment:
    """Finds the smallest change that cures a training, and proves it on fresh seeds.

    ``target`` is ``"train.py"``, a script that gradclinic has never seen, or ``"file.py:name"`` or a callable that
    builds a :class:`~gradclinic.Task` (or a mapping with its keys) anew at each call; trials need fresh models.
    ``budget`` is what it is planned to cost, in full training runs; where it is undecided then, it may take two and a
    half times that.  The record of the check-up goes to ``out`` (default ``gradclinic-runs``), the recipe beside it.
    With several ``jobs`` as many trials run at a time, in processes of their own or on a Ray cluster (``on="ray"``: the
    one that RAY_ADDRESS names, else one on this machine); the target is named then.  The generators of Python, numpy
    and torch are left as they were.

    Raises :class:`gradclinic.errors.UserError` when the target cannot be had, is no task or fails, or ``out`` cannot be
    written.
    """
    folder = FOLDER if out is None else Path(out)
    options = TreatOptions(budget, seed, folder, name, page=html, live=False, jobs=jobs, on=on)
    return run_treat(target, options)[0]


def run_treat(target: Any, options: TreatOptions) -> tuple[Treatment, Path | None, Path | None]:
    """The same with all options; also gives the page and the recipe that were written.

    Raises:
        UserError: see :func:`treat`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("a treatment trains and needs torch: pip install torch")
    from gradclinic.cure.trials import Places

    places = Places(options.jobs, options.on)
    html, json, _ = (chosen and writable(chosen) for chosen in (options.html, options.json, options.recipe))
    script = _script(target, options.arguments)
    with progress_bar("treatment", shown=options.live) as tell:
        if script is None:
            from gradclinic.task import find_target

            from .for_task import treat_task

            places.refuse(target)
            found = find_target(target)
            plan = _plan(options, places, found.name)
            treatment = treat_task(found, plan, tell)
        else:
            from .for_script import treat_script

            if options.on == "ray":
                raise UserError("a script's trials run on this machine: --on ray takes a target, file.py:name")
            plan = _plan(options, places, script.name)
            treatment = treat_script(script, plan, tell)
    page = (html or plan.record.with_suffix(".html")) if options.page else None
    if page:
        treatment.save_html(page)
    if json:
        treatment.save_json(json)
    recipe = plan.recipe if treatment.recipe.changes else None
    if recipe:
        treatment.recipe.save(recipe)
    return treatment, page, recipe


def _script(target: Any, arguments: Sequence[str]) -> Command | None:
    """The command to run where the target is a script, and not a function in a file.

    Raises:
        UserError: there is no such file, or arguments are given for what is no script.
    """
    if isinstance(target, str) and target.endswith(".py"):
        command = parse_command([target, *arguments], flags=interpreter_flags(sys.orig_argv))
        if command.blind:
            raise UserError(command.blind)
        return command
    if arguments:
        raise UserError(f"arguments are for a script, and {target} is none: gradclinic treat train.py {arguments[0]}")
    return None


def _plan(options: TreatOptions, places: Places, name: str) -> Plan:
    stem = file_stem(name)
    record = new_record(options.out, options.name, f"treat-{stem}")
    recipe = options.recipe or record.with_suffix(".yaml")
    return Plan(record, recipe, stem, options.seed, options.budget, places)
