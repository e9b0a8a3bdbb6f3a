"""A treatment of a target: check-up, screening, trials in this process."""

from __future__ import annotations

from itertools import islice

from gradclinic.cure import Recipe
from gradclinic.cure.candidates import proposals
from gradclinic.cure.course import Course, screened_candidates, try_out
from gradclinic.cure.patient import Patient
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Ward
from gradclinic.schema.report import Report
from gradclinic.task import Target, own_generators

from ..answer import read_answer
from ..bar import Tell
from ..checkup.recorded import record_examination
from ..checkup.user_code import told_in_one_line
from .plan import Plan
from .results import ResultsFile, source_of, unfinished
from .told import concluded
from .treatment import Treatment

#: Batches that recipes are screened on.
BATCHES = 4
#: Gradients that a check-up costs: its bar is forty (tests/workflows/checkup/test_cost.py counts).
CHECKUP = 40


def treat_task(target: Target, plan: Plan, tell: Tell) -> Treatment:
    """Of a target in this process.

    Raises:
        UserError: the target's own code fails in the check-up.
    """
    with own_generators():
        with told_in_one_line():
            task = target.build(plan.seed)
        record_examination(task, plan.seed, plan.record, target.name, lambda what, share: tell(what, 0.1 * share))
        answer = read_answer(plan.record)
        with told_in_one_line():
            task = target.build(plan.seed)
            batches = tuple(islice(task.stream(), BATCHES))
            patient = Patient(task, task.new_optimizer(), batches, answer.findings, _constant(answer.report))
        purse = Purse.of(plan.budget, task.steps)
        purse.spend("check-up", CHECKUP)
        results = ResultsFile(
            unfinished(
                plan.record.parent, f"treat-{plan.stem}", target.name, source_of(target.name), plan.seed, plan.budget
            )
        )
        course, interrupted = Course(), False
        try:
            ranked = screened_candidates(course, target, patient, purse, plan.seed, tell)
            pool = [Recipe.of(change) for change in proposals(patient)]
            with plan.places.trainer(target) as trainer:
                ward = Ward(trainer, purse, results)
                try_out(course, ward, ranked, pool, purse, task.steps, plan.seed, tell, patient.constant)
        except KeyboardInterrupt:
            interrupted = True
    return concluded(course, purse, task.steps, answer, target.name, results, plan.recipe, interrupted=interrupted)


def _constant(report: Report) -> float | None:
    shown = (report.checkup or {}).get("explained", ())
    return next((float(data["constant"]) for data in shown if data["constant"] is not None), None)
