"""A treatment of a script that gradclinic has never seen: each trial runs it again, with the recipe put in."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

from gradclinic.cure import Recipe
from gradclinic.cure.candidates import Candidate
from gradclinic.cure.course import Course, try_out
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Case, Outcome, Ward
from gradclinic.errors import UserError

from ..answer import read_ended
from ..bar import Tell
from ..child import environment
from ..command import Command
from ..place import records_of
from .plan import Plan
from .results import ResultsFile, unfinished
from .told import concluded
from .treatment import Treatment

#: What a trial of a script leaves where it could not be run to its steps.
BROKEN = "the script ended before its first step"


def treat_script(command: Command, plan: Plan, tell: Tell) -> Treatment:
    """Runs ``command`` once as it is, recorded; then for each trial, for a part of its steps.

    Raises:
        UserError: it does not train, or no optimizer of torch steps in it.
    """
    tell("the script as it is", 0.0)
    done = subprocess.run(
        command.argv,
        env=environment(plan.record, steps=None, launches_ranks=False),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    records = records_of(plan.record)
    if not records:
        last = (done.stderr.strip().splitlines() or ["it did not import torch"])[-1]
        raise UserError(f"{command.target} could not be watched: {last}")
    answer = read_ended(records[0], done.returncode)
    steps = len({row.tick for row in answer.record.steps if row.optimizer == 0})
    if not steps:
        raise UserError(f"no optimizer of torch steps in {command.target}: nothing to treat")
    purse = Purse.of(plan.budget, steps)
    purse.spend("as it is", steps)
    digest = hashlib.sha256(Path(command.target).read_bytes()).hexdigest() if Path(command.target).is_file() else ""
    results = ResultsFile(
        unfinished(plan.record.parent, f"treat-{plan.stem}", command.argv, digest, plan.seed, plan.budget)
    )
    course, interrupted = Course(), False
    with tempfile.TemporaryDirectory() as folder:
        trainer = InScript(command, Path(folder), plan.places.jobs)
        try:
            tell("what may be changed", 0.1)
            told = trainer.look([dataclasses.asdict(finding) for finding in answer.findings], steps)
            ranked = [
                Candidate(Recipe.from_dict(one["recipe"]), float(one["promise"]), usual=bool(one["usual"]))
                for one in told["candidates"]
            ]
            pool = [Recipe.from_dict(data) for data in told["pool"]]
            constant = answer.report.run.get("constant_loss")
            ward = Ward(trainer, purse, results)
            try_out(course, ward, ranked, pool, purse, steps, plan.seed + 1, tell, constant)
        except KeyboardInterrupt:
            interrupted = True
    return concluded(course, purse, steps, answer, command.target, results, plan.recipe, interrupted=interrupted)


class InScript:
    """Trains by running the script anew each time; ``folder`` is for what is handed to it and back."""

    def __init__(self, command: Command, folder: Path, jobs: int = 1) -> None:
        self._command, self._folder, self._jobs = command, folder, jobs

    def look(self, findings: list[dict[str, Any]], steps: int) -> dict[str, Any]:
        """What may be changed, seen at the first call of the model; nothing is trained.

        Raises:
            UserError: the model was not found.
        """
        done = self._run({"look": True, "findings": findings, "steps": steps})
        if "candidates" not in done:
            raise UserError(f"{self._command.target}: {done.get('ended') or BROKEN}")
        return done

    def advance(self, cases: Sequence[Case], steps: int) -> Iterator[tuple[Case, Outcome]]:
        """The outcomes after ``steps`` steps from the start, several at a time."""
        with ThreadPoolExecutor(self._jobs) as pool:
            yield from pool.map(lambda case: (case, self._one(case, steps)), cases)

    def _one(self, case: Case, steps: int) -> Outcome:
        recipe, seed = case
        done = self._run({"recipe": recipe.to_dict(), "seed": seed, "steps": steps})
        losses = tuple(float(loss) for loss in done.get("losses", ()))
        ended = str(done.get("ended", "")) or ("" if len(losses) >= steps else self._early(losses))
        return Outcome(len(losses), losses, None, ended, float(done.get("seconds", 0.0)))

    def free(self, kept: Iterable[Case] = ()) -> None:
        """Nothing is kept between two runs."""

    def _early(self, losses: tuple[float, ...]) -> str:
        if losses and not losses[-1] < inf:
            return "diverged"
        return BROKEN if not losses else "the script ended by itself"

    def _run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Runs the script with ``task`` put before it; what it left, and the last line of its complaint."""
        own = Path(tempfile.mkdtemp(dir=self._folder))
        given, left = own / "task.json", own / "left.json"
        given.write_text(json.dumps({**task, "left": str(left)}), encoding="utf-8")
        env = environment(left, steps=None, launches_ranks=False) | {"GRADCLINIC_TRIAL": str(given)}
        done = subprocess.run(
            self._command.argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if left.is_file():
            found: dict[str, Any] = json.loads(left.read_text(encoding="utf-8"))
            return found
        last = (done.stderr.strip().splitlines() or [BROKEN])[-1]
        return {"ended": last[:300]}
