"""Each optimizer of a comparison as a row of its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, isfinite, log
from statistics import fmean, median

from gradclinic.cure.comparing import Entry
from gradclinic.cure.comparing.run import Run
from gradclinic.cure.comparing.sensitivity import band, before
from gradclinic.cure.trials import Outcome, paired_interval
from gradclinic.schema.comparison import Curve, Interval, NoiseRow, OptimizerRow, TrialRow

#: Points of a curve: one for each few pixels.
POINTS = 80
#: Share of the updates, counted from the last, that stand for the end.
TAIL = 0.25
#: Logarithms beyond this are no float.
MOST = 700.0


def row_of(entry: Entry, scale: Scale) -> OptimizerRow:
    """All of it but how far it is behind the best."""
    contestant, search = entry.contestant, entry.search
    part = search.rounds[-1] if search.rounds else None
    good = band(part) if part and not entry.why else None
    complete = bool(entry.runs) and not any(run.ended for run in entry.runs)
    losses = tuple(run.outcome.loss for run in entry.runs)
    updates = _updates(entry.runs)
    margins = [run.margin for run in entry.runs if run.margin is not None]
    return OptimizerRow(
        name=contestant.name,
        why=entry.why,
        lr=search.choice.lr if search.choice else None,
        at_edge=search.choice.at_edge if search.choice else False,
        steps=contestant.steps,
        cost=contestant.cost,
        window={key: getattr(search.window, key) for key in ("low", "stable", "start", "why")} if search.window else {},
        trial_steps=part.steps if part else 0,
        start=before(part) if part else None,
        trials=tuple(_trial(lr, those) for lr, those in sorted(part.trained.items())) if part else (),
        band=(good.low, good.high) if good else None,
        band_ends=good.ends if good else (False, False),
        decades=good.decades if good else None,
        loss=losses,
        interval=scale.interval(losses) if complete else None,
        metric=tuple(run.metric for run in entry.runs),
        ended=tuple(run.ended for run in entry.runs),
        curve=_curve(entry.runs),
        seconds=median(s for run in entry.runs for s in run.seconds)
        if any(run.seconds for run in entry.runs)
        else None,
        updates=updates,
        update=median(ratio for _, ratio in updates[-max(1, round(TAIL * len(updates))) :]) if updates else None,
        margin=median(margins) if margins else None,
        noise=tuple(
            NoiseRow(step, found.signal, found.noise, found.value, found.low, found.high)
            for run in entry.runs
            for step, found in run.noise
        ),
        spent={
            # The window is measured on single batches, whatever a step costs.
            what: steps * (1 if what == "window" else contestant.cost)
            for what, steps in entry.purse.spent.items()
        },
    )


def loss_after(run: Run, steps: int) -> float:
    """The mean of the last losses of the first ``steps``, at least one of them."""
    part = tuple(run.losses[: max(steps, 1)])
    return Outcome(len(part), part, None).loss if len(part) == max(steps, 1) else inf


@dataclass(frozen=True, slots=True)
class Scale:
    """How losses are averaged and held against each other.

    By their ratios where all are above 0: optimizers and seeds differ by factors, and a mean of such losses is that of
    the largest.  By their differences where one is not.
    """

    ratios: bool

    @classmethod
    def of(cls, losses: Iterable[float]) -> Scale:
        """For all the losses of a comparison, those that are inf left out."""
        return cls(all(loss > 0 for loss in losses))

    def mean(self, losses: Sequence[float]) -> float:
        """Geometric, or arithmetic."""
        return self.interval(losses)[0]

    def interval(self, losses: Sequence[float], less: Sequence[float] | None = None) -> Interval:
        """The mean and its 95% t interval; ``less``: of the ratios to others on the same seeds, or the differences."""
        if not self.ratios:
            found = paired_interval(losses, [0.0] * len(losses) if less is None else less)
            return found.mean, found.low, found.high
        logs = [log(loss) for loss in losses]
        found = paired_interval(logs, [0.0] * len(logs) if less is None else [log(loss) for loss in less])
        return exp(found.mean), exp(found.low), exp(found.high) if found.high < MOST else inf

    @property
    def equal(self) -> float:
        """What neither of two is ahead by."""
        return 1.0 if self.ratios else 0.0


def _trial(lr: float, those: Sequence[Outcome]) -> TrialRow:
    return TrialRow(lr, fmean(each.loss for each in those), next((each.ended for each in those if each.ended), ""))


def _curve(runs: Sequence[Run]) -> Curve | None:
    """Where one ended the others go on."""
    longest = max((len(run.losses) for run in runs), default=0)
    if not longest:
        return None
    edges = sorted({round(longest * place / POINTS) for place in range(POINTS + 1)})
    columns = []
    for begin, end in pairwise(edges):
        means = [fmean(run.losses[begin:end]) for run in runs if len(run.losses) >= end]
        means = [mean for mean in means if isfinite(mean)]
        if means:
            columns.append((end, fmean(means), min(means), max(means)))
    if not columns:
        return None
    steps, mean, low, high = zip(*columns, strict=True)
    return Curve(steps, mean, low, high)


def _updates(runs: Sequence[Run]) -> tuple[tuple[int, float], ...]:
    found: dict[int, list[float]] = {}
    for run in runs:
        for step, ratio in run.updates:
            found.setdefault(step, []).append(ratio)
    return tuple((step, median(ratios)) for step, ratios in sorted(found.items()))
