"""A comparison as its report has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from math import inf

from gradclinic.cure.comparing import Entry, Terms
from gradclinic.cure.comparing.contestants import WHOLE
from gradclinic.cure.comparing.probe import Probe
from gradclinic.cure.comparing.sensitivity import KEPT
from gradclinic.measure.noise_scale import samples_needed, steps_needed
from gradclinic.schema.comparison import ComparisonReport, Duel, LargerBatch, NoiseRow, OptimizerRow

from .rows import Scale, loss_after, row_of
from .says import headline, of_duel, of_noise, of_whole

#: The optimizer whose noise and speed stand beside full-batch gradient descent: the one that differs in nothing else.
PLAIN = "sgd"
#: Batches that are asked about, in units of the one that is used.
TIMES = (2, 4, 8, 16)


def comparison_report(
    entries: Sequence[Entry], probe: Probe, terms: Terms, name: str, steps: int, *, interrupted: bool
) -> ComparisonReport:
    """All of it, in plain data."""
    losses = [run.outcome.loss for entry in entries for run in entry.runs]
    scale = Scale.of(loss for loss in losses if loss < inf)
    rows = _ranked([row_of(entry, scale) for entry in entries], steps, scale)
    plain = next((row for row in rows if row.name == PLAIN and row.noise), None)
    noisy = plain or next((row for row in rows if row.noise), None)
    duels = _duels(entries, steps, scale)
    larger = _larger(noisy.noise[0], probe) if noisy else ()
    return ComparisonReport(
        target=name,
        headline=headline(rows, terms, scale, interrupted=interrupted),
        steps=steps,
        seeds=tuple(terms.fresh),
        search_seeds=tuple(range(terms.seed, terms.seed + terms.seeds)),
        batch=probe.size,
        population=probe.population,
        kept=KEPT,
        ratios=scale.ratios,
        rows=rows,
        noise_of=noisy.name if noisy else None,
        larger=larger,
        duels=duels,
        says=(*of_noise(noisy, larger, probe), *of_whole(plain, probe), *(of_duel(duel, scale) for duel in duels)),
        interrupted=interrupted,
    )


def _ranked(rows: Sequence[OptimizerRow], steps: int, scale: Scale) -> tuple[OptimizerRow, ...]:
    """The lowest loss first, then what had fewer steps, then what did not arrive; each beside the best."""

    def place(row: OptimizerRow) -> tuple[int, float]:
        if row.interval is None:
            return (3 if row.why else 2), 0.0
        return int(row.steps < steps), row.interval[0]

    ordered = sorted(rows, key=place)
    best = ordered[0] if ordered and place(ordered[0])[0] == 0 else None
    if best is None:
        return tuple(ordered)
    return tuple(
        dataclasses.replace(row, behind=scale.interval(row.loss, best.loss))
        if row is not best and place(row)[0] == 0 and len(row.loss) == len(best.loss)
        else row
        for row in ordered
    )


def _larger(noise: NoiseRow, probe: Probe) -> tuple[LargerBatch, ...]:
    if noise.value is None:
        return ()
    sizes = [times * probe.size for times in TIMES]
    if probe.population is not None:
        sizes = [size for size in sizes if size < probe.population] + [probe.population]
    steps, samples = steps_needed(noise.value, probe.size), samples_needed(noise.value, probe.size)
    return tuple(
        LargerBatch(
            size / probe.size,
            size,
            steps_needed(noise.value, size) / steps,
            samples_needed(noise.value, size) / samples,
        )
        for size in sizes
        if size > probe.size and noise.value > 0
    )


def _duels(entries: Sequence[Entry], steps: int, scale: Scale) -> tuple[Duel, ...]:
    """SGD and full-batch descent after equally many steps, and after equally many gradients."""
    named = {entry.contestant.name: entry for entry in entries}
    if PLAIN not in named or WHOLE not in named:
        return ()
    plain, whole = named[PLAIN], named[WHOLE]
    if not plain.runs or len(plain.runs) != len(whole.runs) or any(run.ended for run in plain.runs + whole.runs):
        return ()
    cost, most = whole.contestant.cost, whole.contestant.steps
    found = []
    for equal, amount, gd_steps in (("steps", most, most), ("gradients", steps, min(steps // cost, most))):
        sgd = [loss_after(run, amount) for run in plain.runs]
        # A round that is longer than the training leaves it where it starts.
        gd = [loss_after(run, gd_steps) for run in whole.runs]
        if inf not in (*sgd, *gd):
            found.append(Duel(equal, amount, scale.mean(sgd), scale.mean(gd), gd_steps, scale.interval(sgd, gd)))
    return tuple(found)
