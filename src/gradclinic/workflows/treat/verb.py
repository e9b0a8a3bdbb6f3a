"""The verb: a check-up, then the course of treatment, then the report and the recipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..command import Command, interpreter_flags, parse_command
from ..place import FOLDER, new_record, stem_of, writable
from .plan import Plan

if TYPE_CHECKING:
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
) -> Treatment:
    """Finds the smallest change that cures a training, and proves it on fresh seeds.

    ``target`` is ``"train.py"``, a script that gradclinic has never seen, or ``"file.py:name"`` or a callable that
    builds a :class:`~gradclinic.Task` (or a mapping with its keys)
    anew at each call; trials need fresh models.  ``budget`` is what it is planned to cost, in full training runs; where
    it is undecided then, it may take two and a half times that.  The record of the check-up goes to ``out`` (default
    ``gradclinic-runs``), the recipe beside it.  With several ``jobs`` as many trials run at a time, in processes
    of their own; the target is named then.  The generators of Python, numpy and torch are left as they were.

    Raises :class:`gradclinic.errors.UserError` when the target cannot be had, is no task or fails, or ``out`` cannot be
    written.
    """
    options = TreatOptions(budget, seed, FOLDER if out is None else Path(out), name, page=html, live=False, jobs=jobs)
    return run_treat(target, options)[0]


def run_treat(target: Any, options: TreatOptions) -> tuple[Treatment, Path | None, Path | None]:
    """The same with all options; also gives the page and the recipe that were written.

    Raises:
        UserError: see :func:`treat`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("a treatment trains and needs torch: pip install torch")
    html, json, _ = (chosen and writable(chosen) for chosen in (options.html, options.json, options.recipe))
    script = _script(target, options.arguments)
    with progress_bar("treatment", shown=options.live) as tell:
        if script is None:
            from gradclinic.task import find_target

            from .for_task import treat_task

            if options.jobs > 1 and not isinstance(target, str):
                raise UserError("several jobs are processes that build the target themselves: name it, 'file.py:name'")
            found = find_target(target)
            plan = _plan(options, found.name)
            treatment = treat_task(found, plan, tell)
        else:
            from .for_script import treat_script

            plan = _plan(options, script.name)
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


def _plan(options: TreatOptions, name: str) -> Plan:
    stem = stem_of(name)
    record = new_record(options.out, options.name, f"treat-{stem}")
    recipe = options.recipe or record.with_suffix(".yaml")
    return Plan(record, recipe, stem, options.seed, options.budget, options.jobs)
