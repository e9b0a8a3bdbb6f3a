"""The verb: a check-up, then the course of treatment, then the report and the recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..place import FOLDER, new_record, writable

if TYPE_CHECKING:
    from gradclinic.schema.report import Report
    from gradclinic.task import Target

    from .treatment import Treatment

#: Batches that recipes are screened on.
BATCHES = 4
#: What a treatment may cost where it is undecided, in units of what it is planned for.
UNDECIDED = 2.5


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


def treat(
    target: Any,
    *,
    budget: float = 1.0,
    seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
) -> Treatment:
    """Finds the smallest change that cures a training, and proves it on fresh seeds.

    ``target`` is ``"file.py:name"`` or a callable that builds a :class:`~gradclinic.Task` (or a mapping with its keys)
    anew at each call; trials need fresh models.  ``budget`` is what it is planned to cost, in full training runs; where
    it is undecided then, it may take two and a half times that.  The record of the check-up goes to ``out`` (default
    ``gradclinic-runs``), the recipe beside it.  The generators of Python, numpy and torch are left as they were.

    Raises :class:`gradclinic.errors.UserError` when the target cannot be had, is no task or fails, or ``out`` cannot be
    written.
    """
    options = TreatOptions(budget, seed, FOLDER if out is None else Path(out), name, page=html, live=False)
    return run_treat(target, options)[0]


def run_treat(target: Any, options: TreatOptions) -> tuple[Treatment, Path | None, Path | None]:
    """The same with all options; also gives the page and the recipe that were written.

    Raises:
        UserError: see :func:`treat`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("a treatment trains and needs torch: pip install torch")
    from gradclinic.task import find_target, own_generators

    found = find_target(target)
    html, json, yaml = (chosen and writable(chosen) for chosen in (options.html, options.json, options.recipe))
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in found.name).strip("-") or "model"
    path = new_record(options.out, options.name, f"treat-{stem}")
    with own_generators():
        treatment = _treated(found, options, path, stem)
    page = (html or path.with_suffix(".html")) if options.page else None
    if page:
        treatment.save_html(page)
    if json:
        treatment.save_json(json)
    recipe = (yaml or path.with_suffix(".yaml")) if treatment.recipe.changes else None
    if recipe:
        treatment.recipe.save(recipe)
    return treatment, page, recipe


def _treated(found: Target, options: TreatOptions, path: Path, stem: str) -> Treatment:
    from gradclinic.cure import Recipe
    from gradclinic.cure.course import Course, run_course
    from gradclinic.cure.patient import Patient
    from gradclinic.cure.purse import Purse

    from ..answer import read_answer
    from ..checkup.recorded import record_examination
    from ..checkup.user_code import told_in_one_line
    from .results import ResultsFile, source_of, unfinished
    from .told import headline, treatment_report
    from .treatment import Treatment

    with progress_bar("treatment", shown=options.live) as tell:
        with told_in_one_line():
            task = found.build(options.seed)
        record_examination(task, options.seed, path, found.name, lambda what, share: tell(what, 0.1 * share))
        answer = read_answer(path)
        with told_in_one_line():
            task = found.build(options.seed)
            batches = tuple(islice(task.stream(), BATCHES))
            patient = Patient(task, task.new_optimizer(), batches, answer.findings, _constant(answer.report))
        purse = Purse(options.budget * task.steps, UNDECIDED * options.budget * task.steps)
        purse.spend("check-up", CHECKUP)
        results = ResultsFile(
            unfinished(path.parent, f"treat-{stem}", found.name, source_of(found.name), options.seed, options.budget)
        )
        course, interrupted = Course(), False
        try:
            run_course(course, found, patient, purse, options.seed, tell, results)
        except KeyboardInterrupt:
            interrupted = True
    recipe = dataclasses.replace(course.winner or Recipe(), target=found.name)
    told = treatment_report(course, purse, task.steps, recipe, interrupted=interrupted)
    report = dataclasses.replace(answer.report, kind="treat", treatment=told, headline=headline(answer.report, told))
    recipe = dataclasses.replace(recipe, note=report.headline)
    if not interrupted:
        results.finish(path.with_suffix(".trials.jsonl"))
    return Treatment(answer.record, report, path, recipe)


#: Gradients that a check-up costs: its bar is forty (tests/workflows/checkup/test_cost.py counts).
CHECKUP = 40


def _constant(report: Report) -> float | None:
    shown = (report.checkup or {}).get("explained", ())
    return next((float(data["constant"]) for data in shown if data["constant"] is not None), None)
