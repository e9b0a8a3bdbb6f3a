"""A search as its report has it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from gradclinic.cure import Recipe
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Interval, Outcome, paired_interval
from gradclinic.cure.tuning.choose import metric_decides, value
from gradclinic.cure.tuning.rounds import recipe_of
from gradclinic.cure.tuning.search import Search, Wanted
from gradclinic.measure.range_test import smoothed
from gradclinic.schema.tuning import RangeCurve, RateRow, RoundRows, TuningReport


def tuning_report(
    search: Search, wanted: Wanted, purse: Purse, name: str, steps: int, own: float, *, interrupted: bool
) -> TuningReport:
    """All of it, in plain data."""
    choice = None if interrupted else search.choice
    recipe = recipe_of(choice.lr) if choice else Recipe()
    return TuningReport(
        target=name,
        headline=_headline(search, wanted, steps, interrupted=interrupted),
        steps=steps,
        lr=choice.lr if choice else None,
        own=own,
        by_metric=choice.by_metric if choice else True,
        interval=_numbers(choice.interval) if choice else None,
        plateau=choice.plateau if choice else (),
        at_edge=choice.at_edge if choice else False,
        replicates=wanted.folds or wanted.seeds,
        folds=wanted.folds,
        window=window_of(search),
        range_test=curve_of(search),
        rounds=tuple(RoundRows(part.steps, _rows(part.trained)) for part in search.rounds),
        recipe=recipe.to_dict() if choice else None,
        code=recipe.code(),
        spent=dict(purse.spent),
        interrupted=interrupted,
    )


def _headline(search: Search, wanted: Wanted, steps: int, *, interrupted: bool) -> str:
    choice = search.choice
    if interrupted or choice is None:
        done = sum(len(outcomes) for part in search.rounds for outcomes in part.trained.values())
        return f"Interrupted after {done} trials: the same command goes on from here."
    what = f"metric {choice.interval.mean:.3g}" if choice.by_metric else f"loss {-choice.interval.mean:.3g}"
    over = f"{wanted.folds} folds" if wanted.folds else f"{wanted.seeds} seeds"
    said = f"Learning rate {choice.lr:.3g}: {what} after {search.rounds[-1].steps:,} of {steps:,} steps, {over}"
    if len(choice.plateau) > 1:
        said += f"; {choice.plateau[0]:.3g} to {choice.plateau[-1]:.3g} cannot be told apart"
    return said + "."


def window_of(search: Search) -> dict[str, Any]:
    """The window; empty where it was not measured."""
    window = search.window
    return {key: getattr(window, key) for key in ("lr", "low", "stable", "start", "why")} if window else {}


def curve_of(search: Search) -> RangeCurve | None:
    """The range test; None where there was none."""
    curve = search.curve
    if curve is None:
        return None
    return RangeCurve(curve.rates, curve.losses, tuple(smoothed(curve.losses)), search.found.to_dict(), curve.diverged)


def _rows(trained: dict[float, list[Outcome]]) -> tuple[RateRow, ...]:
    by_metric = metric_decides([outcome for those in trained.values() for outcome in those])
    return tuple(
        RateRow(
            lr,
            tuple(outcome.metric for outcome in those),
            tuple(outcome.loss for outcome in those),
            tuple(outcome.ended for outcome in those),
            _interval(those, by_metric=by_metric),
        )
        for lr, those in sorted(trained.items())
    )


def _interval(those: Sequence[Outcome], *, by_metric: bool) -> tuple[float, float, float] | None:
    values = [value(outcome, by_metric=by_metric) for outcome in those]
    if not all(map(isfinite, values)):
        return None
    return _numbers(paired_interval(values, [0.0] * len(values)))


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return interval.mean, interval.low, interval.high
