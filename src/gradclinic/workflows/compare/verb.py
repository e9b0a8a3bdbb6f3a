"""The verb: for each optimizer a search and its trainings, then the report."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..place import FOLDER, file_stem, new_record, writable

if TYPE_CHECKING:
    from gradclinic.task import Target

    from .comparison import Comparison

#: Training runs that one training by full-batch descent may cost: as much as the five others of the default together.
GD_RUNS = 5.0


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the user may choose."""

    optimizers: tuple[str, ...] = ()  #: none: the default ones
    seeds: int = 3
    grid: int = 9  #: rates of each search
    budget: float | None = None  #: of a search, in training runs; None: three
    gd_runs: float = GD_RUNS
    seed: int = 0
    out: Path = FOLDER
    name: str | None = None
    page: bool = True
    html: Path | None = None
    json: Path | None = None
    live: bool = True  #: a progress bar, on a terminal


def compare(
    target: Any,
    *,
    optimizers: Sequence[str] | str | None = None,
    seeds: int = 3,
    grid: int = 9,
    budget: float | None = None,
    gd_runs: float = GD_RUNS,
    seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
) -> Comparison:
    """Trains a task with several optimizers, each at a learning rate of its own, for equally many steps.

    ``target`` is ``"file.py:name"`` or a callable that builds a :class:`~gradclinic.Task` (or a mapping with its keys)
    anew at each call; a task or mapping itself is copied.  ``optimizers`` are names, in a list or with commas between:
    ``gd`` (full-batch gradient descent), ``sgd``, ``momentum``, ``nesterov``, ``rmsprop``, ``adagrad``, ``adam``,
    ``adamw``, ``nadam``, ``radam`` from torch.optim with their usual settings, and ``own``, the task's; by default
    gd, sgd, momentum, rmsprop, adagrad and adam.

    Each gets its rate by the means of :func:`gradclinic.tune`, the window, a range test and trials of ``grid`` rates on
    ``seeds`` seeds, planned for ``budget`` training runs (default: three), by the loss.  Then it trains for the task's
    steps on as many fresh seeds (``seed`` + 1000 and so on), the same for all.  One training by full-batch descent may
    cost ``gd_runs`` training runs, and has fewer steps where that does not suffice.  The gradient noise scale (in
    samples) is measured at the start and along the first training of each.  The page, with ``html``, and the trials
    go to ``out`` (default ``gradclinic-runs``).  Model and generators are left as they were.

    Raises :class:`gradclinic.errors.UserError` when an optimizer is not known; the target cannot be had, is no task or
    fails with all of them; its training or the budget is too small; or ``out`` cannot be written.
    """
    names = optimizers.split(",") if isinstance(optimizers, str) else optimizers or ()
    folder = FOLDER if out is None else Path(out)
    options = CompareOptions(tuple(names), seeds, grid, budget, gd_runs, seed, folder, name, page=html, live=False)
    return run_compare(target, options)[0]


def run_compare(target: Any, options: CompareOptions) -> tuple[Comparison, Path | None]:
    """The same with all options; also gives the page that was written.

    Raises:
        UserError: see :func:`compare`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("a comparison trains and needs torch: pip install torch")
    from gradclinic.task import find_target, own_generators

    names = _names(options)
    found = find_target(target)
    html, json = (chosen and writable(chosen) for chosen in (options.html, options.json))
    path = new_record(options.out, options.name, f"compare-{file_stem(found.name)}")
    with own_generators():
        comparison = _compared(found, names, options, path)
    page = (html or path.with_suffix(".html")) if options.page else None
    if page:
        comparison.save_html(page)
    if json:
        comparison.save_json(json)
    return comparison, page


def _names(options: CompareOptions) -> list[str]:
    """Those that are asked for, each once, in order.

    Raises:
        UserError: one is not known, or another option is no use.
    """
    from gradclinic.cure.comparing import DEFAULT, NAMES

    if options.grid < 2 or options.seeds < 1 or not options.gd_runs > 0:
        raise UserError("a comparison needs at least 2 rates and 1 seed, and more than 0 training runs for gd")
    names = list(dict.fromkeys(name.strip().lower() for name in options.optimizers if name.strip())) or list(DEFAULT)
    for name in names:
        if name not in NAMES:
            close = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UserError(f"no such optimizer: {name}; {hint}there are {', '.join(NAMES)}")
    return names


def _compared(found: Target, names: Sequence[str], options: CompareOptions, path: Path) -> Comparison:
    from gradclinic.cure.comparing import Entry, Terms, compare_all, contestants
    from gradclinic.cure.comparing.probe import Probe
    from gradclinic.cure.tuning.halving import plan

    from ..checkup.user_code import told_in_one_line
    from ..treat.results import ResultsFile, source_of, unfinished
    from .comparison import Comparison
    from .told import comparison_report

    terms = Terms(options.grid, options.seeds, options.budget, options.seed)
    with told_in_one_line():
        task = found.build(options.seed)
        task.new_optimizer()
        plan(options.grid, options.seeds, task.steps, options.budget, together=True)  # too small is told at once
        probe = Probe.of(found, options.seed)
        those = contestants(found, names, options.seed, options.gd_runs)
    kept: dict[str, ResultsFile] = {}

    def results(name: str) -> ResultsFile:
        facts = (found.name, source_of(found.name), name, terms, options.gd_runs)
        kept[name] = ResultsFile(unfinished(path.parent, f"compare-{file_stem(found.name)}", *facts))
        return kept[name]

    entries, interrupted = list[Entry](), False
    with progress_bar("comparing", shown=options.live) as tell:
        try:
            with told_in_one_line():
                compare_all(entries, those, probe, terms, tell, results)
        except KeyboardInterrupt:
            interrupted = True
    if not interrupted:
        for name, file in kept.items():
            file.finish(path.with_suffix(f".{name}.jsonl"))
    return Comparison(comparison_report(entries, probe, terms, found.name, task.steps, interrupted=interrupted))
