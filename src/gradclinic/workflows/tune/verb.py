"""The verb: a search, then its report and the recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..place import FOLDER, file_stem, new_record, writable

if TYPE_CHECKING:
    from gradclinic.cure.trials import Places
    from gradclinic.task import Target

    from .tuning import Tuning


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What the user may choose."""

    grid: int = 9  #: rates
    seeds: int = 3
    folds: int = 0  #: 0: no cross-validation
    rates: tuple[float, float] | None = None  #: in place of the window
    budget: float | None = None  #: full training runs; None: three, or what the shortest trials take
    seed: int = 0
    out: Path = FOLDER
    name: str | None = None
    recipe: Path | None = None  #: where; in ``out`` by default
    page: bool = True
    html: Path | None = None
    json: Path | None = None
    live: bool = True  #: a progress bar, on a terminal
    jobs: int = 1  #: trials at a time, each in a process of its own
    on: Literal["processes", "ray"] = "processes"


def tune(
    target: Any,
    *,
    grid: int = 9,
    seeds: int = 3,
    folds: int = 0,
    rates: tuple[float, float] | None = None,
    budget: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
    jobs: int = 1,
    on: Literal["processes", "ray"] = "processes",
) -> Tuning:
    """Chooses a learning rate: the window, a range test, and ``grid`` rates in rounds over ``seeds`` or ``folds``.

    ``target`` is ``"file.py:name"`` or a callable that builds a :class:`~gradclinic.Task` (or a mapping with its keys)
    anew at each call; a task or mapping itself is copied.  ``rates`` are the lowest and the highest to try, in place of
    what the window says.  ``budget`` is what the rounds are planned to cost, in full training runs (default: three).
    With several ``jobs`` as many trials run at a time, in processes or on a Ray cluster (``on="ray"``); the target is
    named then.  The recipe goes to ``out`` (default ``gradclinic-runs``).  Model and generators are left as they were.

    Raises :class:`gradclinic.errors.UserError` when the target cannot be had, is no task or fails; no rate trains; the
    budget is too small; or ``out`` cannot be written.
    """
    folder = FOLDER if out is None else Path(out)
    options = TuneOptions(
        grid, seeds, folds, rates, budget, seed, folder, name, page=html, live=False, jobs=jobs, on=on
    )
    return run_tune(target, options)[0]


def run_tune(target: Any, options: TuneOptions) -> tuple[Tuning, Path | None, Path | None]:
    """The same with all options; also gives the page and the recipe that were written.

    Raises:
        UserError: see :func:`tune`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("tuning trains and needs torch: pip install torch")
    from gradclinic.cure.trials import Places
    from gradclinic.task import find_target, own_generators

    _check(options)
    places = Places(options.jobs, options.on)
    places.refuse(target)
    found = find_target(target)
    html, json, yaml = (chosen and writable(chosen) for chosen in (options.html, options.json, options.recipe))
    stem = file_stem(found.name)
    path = new_record(options.out, options.name, f"tune-{stem}")
    with own_generators():
        tuning = _tuned(found, options, places, path, stem)
    page = (html or path.with_suffix(".html")) if options.page else None
    if page:
        tuning.save_html(page)
    if json:
        tuning.save_json(json)
    recipe = (yaml or path.with_suffix(".yaml")) if tuning.recipe.changes else None
    if recipe:
        tuning.recipe.save(recipe)
    return tuning, page, recipe


def _check(options: TuneOptions) -> None:
    if options.grid < 2 or options.seeds < 1 or options.folds < 0 or options.folds == 1:
        raise UserError("tuning needs at least 2 rates, 1 seed, and 2 folds where there are any")
    if options.rates is not None and not 0 < options.rates[0] < options.rates[1] < float("inf"):
        low, high = options.rates
        raise UserError(f"a range goes from a lower to a higher learning rate above 0, not from {low:g} to {high:g}")


def _tuned(found: Target, options: TuneOptions, places: Places, path: Path, stem: str) -> Tuning:
    from gradclinic.cure import Recipe
    from gradclinic.cure.purse import Purse
    from gradclinic.cure.tuning.grid import Span
    from gradclinic.cure.tuning.rounds import recipe_of
    from gradclinic.cure.tuning.search import Search, Wanted, run_search

    from ..checkup.user_code import told_in_one_line
    from ..treat.results import ResultsFile, source_of, unfinished
    from .told import tuning_report
    from .tuning import Tuning

    with told_in_one_line():
        task = found.build(options.seed)
        own = max(float(group["lr"]) for group in task.new_optimizer().param_groups)
    purse = Purse(float("inf"), float("inf"))
    span = Span(*options.rates) if options.rates else None
    wanted = Wanted(options.grid, options.seeds, options.folds, options.budget, span, options.seed)
    results = ResultsFile(unfinished(path.parent, f"tune-{stem}", found.name, source_of(found.name), wanted))
    search, interrupted = Search(), False
    with progress_bar("tuning", shown=options.live) as tell:
        try:
            with told_in_one_line():
                run_search(search, found, wanted, purse, tell, results, places)
        except KeyboardInterrupt:
            interrupted = True
    report = tuning_report(search, wanted, purse, found.name, task.steps, own, interrupted=interrupted)
    recipe = recipe_of(report.lr) if report.lr is not None else Recipe()
    if not interrupted:
        results.finish(path.with_suffix(".trials.jsonl"))
    return Tuning(report, dataclasses.replace(recipe, target=found.name, note=report.headline))
