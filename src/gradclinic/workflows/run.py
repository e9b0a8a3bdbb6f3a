"""``gradclinic run``: runs an unmodified script, watches it, and says at its end whether the training is sick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradclinic.errors import UserError

from .child import environment, run_child
from .command import Command
from .describe import own_rank
from .failure import describe_failure, say
from .place import FOLDER, make_folder, new_record, records_of, writable
from .progress import status_line

# What diagnoses and shows is imported when the script has ended: the script must start at once.
if TYPE_CHECKING:
    from rich.console import Console

    from .answer import Answer


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user may choose."""

    out: Path = FOLDER
    name: str | None = None
    steps: int | None = None  #: steps that the user means to train
    page: bool = True  #: whether to write the HTML report
    html: Path | None = None  #: where; beside the record by default
    json: Path | None = None
    quiet: bool = False
    live: bool = True  #: a status line while the script runs, on a terminal
    fail_on_sick: bool = False
    guard: bool = False  #: treat the training while it runs
    guard_times: int | None = None  #: how often the guard may go back; None: its default
    guard_folder: Path | None = None  #: where it keeps states to go back to; in memory by default


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the script ended and what was found."""

    code: int  #: the child's exit code; ``-N``: killed by signal N
    answer: Answer | None  #: None where nothing was recorded, and on every rank but the first
    page: Path | None = None  #: the HTML report, where one was written

    def status(self, *, fail_on_sick: bool) -> int:
        """The exit code to end with: the script's own, unless it was 0 and the training sick."""
        sick = self.answer is not None and self.answer.report.verdict == "sick"
        return 1 if fail_on_sick and sick and self.code == 0 else self.code


def run(command: Command, options: RunOptions, console: Console | None = None) -> Outcome:
    """Runs ``command`` as ``python`` would and reports on it; the script's output is not touched.

    Prints to ``console`` (default: standard error).  Only the first rank of a distributed job reports.

    Raises:
        UserError: an output cannot be written, or Python cannot be started; nothing was run then.
    """
    rank = own_rank()
    path = new_record(options.out, options.name, command.name, rank)
    html, json = (chosen and writable(chosen) for chosen in (options.html, options.json))
    folder = options.guard_folder and make_folder(options.guard_folder, "--guard-dir")
    env = environment(
        path, steps=options.steps, launches_ranks=command.launches_ranks, guard=options.guard,
        guard_times=options.guard_times, guard_folder=folder,
    )  # fmt: skip
    with status_line(path, shown=options.live and not options.quiet and not rank) as idle:
        try:
            code = run_child(command.argv, env, idle)
        except OSError as error:
            raise UserError(f"cannot start {command.argv[0]} ({error.strerror}); check the installation") from error
    if rank:
        return Outcome(code, None)
    outcome = Outcome(code, None)
    try:
        records = records_of(path)
        if records:
            # A rank's own ending stands: the code is its launcher's.
            outcome = _report(records[0], code if records[0] == path else None, code, options.page, html, json)
            if not options.quiet and outcome.answer:
                outcome.answer.show(console or _console(), outcome.page)
        else:
            reason = _nothing(command, path)
            if json:
                outcome = Outcome(code, _empty(command, code, reason, json))
            if not options.quiet:
                say(reason)
    except BrokenPipeError:
        pass  # nobody listens any more; the script's exit code still counts
    except UserError as error:
        say(str(error))
    except Exception as error:
        say(describe_failure(error))
    return outcome


def _report(
    record: Path, known: int | None, code: int, wants_page: bool, html: Path | None, json: Path | None
) -> Outcome:
    """Diagnoses what was recorded and writes the files."""
    from .answer import read_ended

    answer = read_ended(record, known)
    if json:
        answer.save_json(json)
    page = (html or record.with_suffix(".html")) if wants_page else None
    if page:
        answer.save_html(page)
    return Outcome(code, answer, page)


def _empty(command: Command, code: int, reason: str, json: Path) -> Answer:
    from .answer import no_answer

    answer = no_answer(command, code, reason)
    answer.save_json(json)
    return answer


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _nothing(command: Command, path: Path) -> str:
    """Why there is no record."""
    if command.blind:
        return f"nothing was watched: {command.blind}"
    failed = path.with_name(f"{path.name}.failed")  # left by gradclinic.inject.gradclinic_arrival
    if failed.exists():
        said = failed.read_text(encoding="utf-8")
        failed.unlink()
        return f"nothing was watched, because gradclinic could not start in the script ({said}); please report it"
    if not path.parent.is_dir():
        return f"nothing to judge: the folder of the record, {path.parent}, is gone"
    return "nothing to judge: the script did not import torch"
