"""A course of treatment as the report has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from gradclinic.cure import Recipe
from gradclinic.cure.course import Course
from gradclinic.cure.patch import patch
from gradclinic.cure.proof import Proof
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Interval, Outcome, paired_interval
from gradclinic.schema.report import Report
from gradclinic.schema.treatment import ScreenRow, TreatmentReport, TrialRow

from ..answer import Answer
from ..place import seen_from_here
from .results import ResultsFile
from .treatment import Treatment


def concluded(
    course: Course,
    purse: Purse,
    steps: int,
    answer: Answer,
    name: str,
    results: ResultsFile,
    recipe_file: Path,
    *,
    interrupted: bool,
) -> Treatment:
    """The answer, and the trials' file beside the record; kept where it is if the treatment is to go on."""
    recipe = dataclasses.replace(course.winner or Recipe(), target=name)
    told = treatment_report(course, purse, steps, recipe, interrupted=interrupted)
    told = dataclasses.replace(told, diff=_diff(recipe, name, recipe_file))
    report = dataclasses.replace(answer.report, kind="treat", treatment=told, headline=headline(answer.report, told))
    if not interrupted and answer.path is not None:
        results.finish(answer.path.with_suffix(".trials.jsonl"))
    return Treatment(answer.record, report, answer.path, dataclasses.replace(recipe, note=report.headline))


def _diff(recipe: Recipe, name: str, recipe_file: Path) -> str:
    """Of the user's file, where the target is in one."""
    script = Path(name)
    place, within = (script, "") if script.suffix == ".py" else (Path(name.rpartition(":")[0]), name.rpartition(":")[2])
    if place.suffix != ".py" or not place.is_file():
        return ""
    source = place.read_text(encoding="utf-8", errors="replace")
    return patch(source, str(place), recipe, str(seen_from_here(recipe_file)), within)


def treatment_report(course: Course, purse: Purse, steps: int, recipe: Recipe, *, interrupted: bool) -> TreatmentReport:
    """All of it, in plain data."""
    proof = course.proof
    return TreatmentReport(
        cured=course.cured,
        steps=steps,
        remedy=recipe.says() if recipe.changes else "",
        recipe=recipe.to_dict() if recipe.changes else None,
        code=recipe.code(),
        by_metric=proof.by_metric if proof else True,
        gain=_numbers(proof.gain) if proof else None,
        over_random=_numbers(proof.over_random) if proof else None,
        head_start=proof.head_start if proof else False,
        proof=_proof_rows(proof) if proof else (),
        rounds=tuple(
            tuple(_row([candidate.recipe], (number,), [outcome]) for candidate, outcome in results)
            for number, results in enumerate(course.rounds)
        ),
        screened=tuple(ScreenRow(s.recipe.says(), s.width, s.low, s.stable, s.why) for s in course.screened),
        refused=dict(course.refused),
        spent=dict(purse.spent),
        interrupted=interrupted,
    )


def headline(report: Report, told: TreatmentReport) -> str:
    """The answer in one sentence."""
    if told.interrupted:
        done = sum(len(rows) for rows in told.rounds)
        return f"Interrupted after {done} trials: the same command goes on from here."
    if not told.proof:
        same = "nothing did better than leaving it as it is"
        return f"Healthy: {same}." if report.verdict == "healthy" else f"Not cured: {same}."
    what = "metric" if told.by_metric else "loss"
    treated, untreated = (_mean(row, by_metric=told.by_metric) for row in told.proof[:2])
    seeds, steps = len(told.proof[0].seeds), told.proof[0].steps
    shown = (
        f"{what} {treated:.3g} against {untreated:.3g} untreated after {steps:,} of {told.steps:,} steps, {seeds} seeds"
    )
    if told.cured:
        return f"Cured by: {told.remedy} ({shown})."
    if told.head_start:
        return f"Trains as it is; faster with: {told.remedy} ({shown}); what it changes in the end is not proven."
    return f"Not proven: {told.remedy} ({shown})."


def _mean(row: TrialRow, *, by_metric: bool) -> float:
    values = [value for value in (row.metric if by_metric else row.loss) if value is not None]
    return sum(values) / len(values) if values else float("nan")


def _proof_rows(proof: Proof) -> tuple[TrialRow, ...]:
    rows = []
    for arm, values in zip(proof.arms, proof.values, strict=True):
        over = paired_interval(values, proof.values[1])
        interval = None if arm.name == "untreated" else (over.low, over.high)
        rows.append(_row(arm.recipes, arm.seeds, arm.outcomes, arm.name, interval))
    return tuple(rows)


def _row(
    recipes: Sequence[Recipe],
    seeds: Iterable[int],
    outcomes: Sequence[Outcome],
    arm: str | None = None,
    interval: tuple[float, float] | None = None,
) -> TrialRow:
    return TrialRow(
        remedy=recipes[0].says(),
        changes=tuple(change.to_dict() for change in recipes[0].changes),
        seeds=tuple(seeds),
        metric=tuple(outcome.metric for outcome in outcomes),
        loss=tuple(outcome.loss for outcome in outcomes),
        ended=tuple(outcome.ended for outcome in outcomes),
        steps=max((outcome.steps for outcome in outcomes), default=0),
        cost=float(sum(outcome.steps for outcome in outcomes)),
        curves=tuple(outcome.losses for outcome in outcomes),
        interval=interval,
        arm=arm,  # type: ignore[arg-type]  # an arm of a proof has one of the names
    )


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return interval.mean, interval.low, interval.high
