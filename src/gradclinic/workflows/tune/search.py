"""The verb with ``--search``: several settings at once, by Optuna."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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

    from .searched import Searched


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What the user may choose."""

    settings: tuple[str, ...]
    trials: int = 30
    seeds: int = 3  #: of each comparison that confirms
    rates: tuple[float, float] | None = None  #: in place of the window
    budget: float | None = None  #: full training runs; None: ten
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


def search(
    target: Any,
    settings: Sequence[str] | str = ("lr", "momentum", "weight-decay", "schedule"),
    *,
    trials: int = 30,
    seeds: int = 3,
    rates: tuple[float, float] | None = None,
    budget: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
    jobs: int = 1,
    on: Literal["processes", "ray"] = "processes",
) -> Searched:
    """Searches several ``settings`` at once, in ``trials`` that Optuna's TPE sampler proposes (Bergstra et al. 2011).

    ``settings`` are names, in a list or with commas between: ``lr``, ``momentum`` (beta1 of Adam and its kin),
    ``weight-decay``, ``schedule``.  Learning rates come from the window and a range test, or from ``rates``, the lowest
    and the highest.  A trial is looked at after a ninth and a third of its steps, and stopped where it does worse than
    the median.  The best three train beside the user's own settings on ``seeds`` fresh seeds, and the best of them once
    more on others: only where the 95% interval of that gain lies above zero is it called better.  ``budget`` is what
    all of it is planned to cost, in full training runs (default: ten).  For the rest see :func:`gradclinic.tune`.

    Raises :class:`gradclinic.errors.UserError` when Optuna is not installed; a setting is not known or the optimizer
    has none; the target cannot be had, is no task or fails; no trial trains; the budget is too small; or ``out`` cannot
    be written.
    """
    names = tuple(settings.split(",") if isinstance(settings, str) else settings)
    folder = FOLDER if out is None else Path(out)
    options = SearchOptions(
        names, trials, seeds, rates, budget, seed, folder, name, page=html, live=False, jobs=jobs, on=on
    )
    return run_search(target, options)[0]


def run_search(target: Any, options: SearchOptions) -> tuple[Searched, Path | None, Path | None]:
    """The same with all options; also gives the page and the recipe that were written.

    Raises:
        UserError: see :func:`search`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("tuning trains and needs torch: pip install torch")
    if find_spec("optuna") is None:
        raise UserError("--search needs Optuna: pip install 'gradclinic[tune]'")
    from gradclinic.cure.trials import Places
    from gradclinic.task import find_target, own_generators

    names = _names(options)
    places = Places(options.jobs, options.on)
    places.refuse(target)
    found = find_target(target)
    html, json, yaml = (chosen and writable(chosen) for chosen in (options.html, options.json, options.recipe))
    stem = file_stem(found.name)
    path = new_record(options.out, options.name, f"tune-{stem}")
    with own_generators():
        searched = _searched(found, names, options, places, path, stem)
    page = (html or path.with_suffix(".html")) if options.page else None
    if page:
        searched.save_html(page)
    if json:
        searched.save_json(json)
    recipe = (yaml or path.with_suffix(".yaml")) if searched.recipe.changes else None
    if recipe:
        searched.recipe.save(recipe)
    return searched, page, recipe


def _names(options: SearchOptions) -> tuple[str, ...]:
    from gradclinic.cure.searching import check_names

    names = check_names(options.settings)
    if options.trials < 1 or options.seeds < 2:
        raise UserError("a search needs at least 1 trial, and 2 seeds to tell luck from gain: give --seeds 2 or more")
    if options.rates is not None:
        low, high = options.rates
        if not 0 < low < high < float("inf"):
            raise UserError(
                f"a range goes from a lower to a higher learning rate above 0, not from {low:g} to {high:g}"
            )
        if "lr" not in names:
            raise UserError("--range is of learning rates: give --search lr too")
    return names


def _searched(
    found: Target, names: tuple[str, ...], options: SearchOptions, places: Places, path: Path, stem: str
) -> Searched:
    from gradclinic.cure.purse import Purse
    from gradclinic.cure.searching import Found, Wanted
    from gradclinic.cure.searching import search as run
    from gradclinic.cure.tuning.grid import Span

    from ..checkup.user_code import told_in_one_line
    from ..treat.results import ResultsFile, source_of, unfinished
    from .searched import Searched, search_report

    with told_in_one_line():
        steps = found.build(options.seed).steps
    purse = Purse(float("inf"), float("inf"))
    span = Span(*options.rates) if options.rates else None
    wanted = Wanted(names, options.trials, options.seeds, options.budget, span, options.seed, options.jobs)
    results = ResultsFile(unfinished(path.parent, f"tune-{stem}", found.name, source_of(found.name), wanted))
    journal = results.path.with_suffix(".optuna")
    all_found, interrupted = Found(), False
    with progress_bar("tuning", shown=options.live) as tell:
        try:
            with told_in_one_line():
                run(all_found, found, wanted, purse, tell, journal, results, places)
        except KeyboardInterrupt:
            interrupted = True
    report, recipe = search_report(all_found, wanted, purse, found.name, steps, interrupted=interrupted)
    if not interrupted:
        results.finish(path.with_suffix(".trials.jsonl"))
        journal.replace(path.with_suffix(".optuna"))
    return Searched(report, dataclasses.replace(recipe, target=found.name, note=report.headline))
