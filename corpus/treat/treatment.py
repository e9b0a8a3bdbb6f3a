"""One treatment of one task, and all that is told of it.  Where treatment is asked for, it is asked for here."""

from __future__ import annotations

import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from gradclinic.task import Target, own_generators
from gradclinic.treat.course import Course, run_course
from gradclinic.treat.patient import Patient
from gradclinic.treat.purse import Purse
from gradclinic.workflows.answer import read_answer
from gradclinic.workflows.checkup.recorded import record_examination

#: Gradients that a check-up costs.
CHECKUP = 40
BATCHES = 4
#: The plan in units of one full training, and what a treatment may cost where it is undecided.
PLAN, MOST = 1.0, 2.0


def treat(target: Target, seed: int) -> dict[str, Any]:
    """Verdict, causes, recipe (its changes), whether a cure is claimed, costs, and what was tried."""
    began = time.perf_counter()
    with own_generators(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkup.db"
        record_examination(target.build(seed), seed, path, target.name, _quiet)
        answer = read_answer(path)
        task = target.build(seed)
        patient = Patient(task, task.new_optimizer(), tuple(islice(task.stream(), BATCHES)), answer.findings)
        purse = Purse(PLAN * task.steps, MOST * task.steps)
        purse.spend("checkup", CHECKUP)
        course = run_course(target, patient, purse, seed, _quiet)
    winner = course.winner
    return {
        "verdict": answer.verdict,
        "causes": [finding.cause for finding in answer.findings],
        "cured": course.cured,
        "changes": [change.to_dict() for change in winner.changes] if winner and course.cured else [],
        "best": winner.says() if winner else "",
        "spent": {what: round(gradients) for what, gradients in purse.spent.items()},
        "seconds": round(time.perf_counter() - began, 2),
        "tried": _tried(course),
    }


def _quiet(what: str, share: float) -> None:
    """Nobody listens."""


def _tried(course: Course) -> dict[str, Any]:
    rounds = [
        [[candidate.recipe.says(), round(candidate.promise, 2), outcome.steps, _number(outcome.loss), outcome.metric]
         for candidate, outcome in turn]
        for turn in course.rounds
    ]  # fmt: skip
    proof = course.proof
    arms = [] if proof is None else [[arm.name, [o.metric for o in arm.outcomes]] for arm in proof.arms]
    gains = {} if proof is None else {
        "over_untreated": [proof.gain.mean, proof.gain.low],
        "over_random": [proof.over_random.mean, proof.over_random.low],
        "head_start": proof.head_start,
        "steps": proof.arms[0].outcomes[0].steps,
    }  # fmt: skip
    return {"refused": course.refused, "rounds": rounds, "arms": arms, "proof": gains}


def _number(value: float) -> float | None:
    return value if abs(value) < 1e30 else None
