"""The verb: examines a target, writes the record, and diagnoses it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradclinic.errors import UserError

from ..bar import progress_bar
from ..place import FOLDER, file_stem, new_record, writable

if TYPE_CHECKING:
    from ..answer import Answer


@dataclass(frozen=True, slots=True)
class CheckupOptions:
    """What the user may choose."""

    seed: int = 0
    seeds: int = 1  #: how many, from ``seed`` on
    out: Path = FOLDER
    name: str | None = None
    page: bool = True  #: whether to write the HTML report
    html: Path | None = None  #: where; beside the record by default
    json: Path | None = None
    live: bool = True  #: a progress bar, on a terminal


def checkup(
    target: Any,
    *,
    seed: int = 0,
    seeds: int = 1,
    out: str | Path | None = None,
    name: str | None = None,
    html: bool = False,
) -> Answer:
    """Says whether a model will train, before it is trained.

    ``target`` is ``"file.py:name"``, a callable that returns a :class:`~gradclinic.Task` or a mapping with its keys, or
    such a task itself (whose model is copied, and left as it is).  A callable is called again for each of ``seeds``,
    which shows how much depends on chance: the window gets intervals, and the probability is the mean.  The record goes
    to ``out`` (default ``gradclinic-runs``) under ``name``; ``html`` writes the page beside it.  The generators of
    Python, numpy and torch are left as they were.

    Raises :class:`gradclinic.errors.UserError` when the target cannot be had, is no task or fails, or ``out`` cannot be
    written.
    """
    options = CheckupOptions(seed, seeds, FOLDER if out is None else Path(out), name, html)
    return run_checkup(target, options)[0]


def run_checkup(target: Any, options: CheckupOptions) -> tuple[Answer, Path | None]:
    """The same with all options; also gives the page that was written.

    Raises:
        UserError: see :func:`checkup`; or an output cannot be written.
    """
    if find_spec("torch") is None:
        raise UserError("a check-up trains for a few steps and needs torch: pip install torch")
    from gradclinic.task import find_target, own_generators

    from ..answer import read_answer
    from .recorded import record_examination
    from .user_code import told_in_one_line

    found = find_target(target)
    html, json = (chosen and writable(chosen) for chosen in (options.html, options.json))
    path = new_record(options.out, options.name, f"checkup-{file_stem(found.name)}")
    with own_generators(), progress_bar("check-up", shown=options.live) as tell:
        tell("building the model", 0.0)
        with told_in_one_line():
            task = found.build(options.seed)
        others = [
            (other, partial(found.build, other)) for other in range(options.seed + 1, options.seed + options.seeds)
        ]
        record_examination(task, options.seed, path, found.name, tell, others if found.fresh else ())
    answer = read_answer(path)
    page = (html or path.with_suffix(".html")) if options.page else None
    if page:
        answer.save_html(page)
    if json:
        answer.save_json(json)
    return answer, page
