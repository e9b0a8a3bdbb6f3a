"""What a comparison says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from gradclinic.cure.comparing import Terms
from gradclinic.cure.comparing.probe import Probe
from gradclinic.measure.noise_scale import steps_needed
from gradclinic.schema.comparison import Duel, LargerBatch, NoiseRow, OptimizerRow
from gradclinic.show.words import number, plural, share

from .rows import Scale

#: Of a full-batch step's progress that is as good as all of it.
ALIKE = 0.9


def headline(rows: Sequence[OptimizerRow], terms: Terms, scale: Scale, *, interrupted: bool) -> str:
    """The answer in one sentence."""
    arrived = [row for row in rows if row.interval is not None]
    begun = f"Interrupted with {len(arrived)} of them trained: " if interrupted else ""
    if not arrived:
        return begun + ("nothing to compare yet." if interrupted else "None of these optimizers trains this.")
    best = arrived[0]
    assert best.interval is not None  # it arrived
    seeds = f"{len(best.loss)} of {terms.seeds} seeds" if interrupted else plural(terms.seeds, "seed")
    said = f"{best.name} ends lowest, at a loss of {number(best.interval[0])} after {best.steps:,} steps"
    said += f" with learning rate {number(best.lr)} ({seeds})"
    if terms.seeds < 2:
        return f"{begun}{said}; one seed does not tell optimizers apart."
    equal = [row.name for row in arrived[1:] if row.behind is not None and row.behind[1] <= scale.equal]
    if equal:
        said += f"; {', '.join(equal)} cannot be told from it"
    return f"{begun}{said}."


def of_noise(row: OptimizerRow | None, larger: Sequence[LargerBatch], probe: Probe) -> list[str]:
    """What was measured at the start and at the end of ``row``, and what a larger batch would buy."""
    if row is None:
        return [f"The gradient noise scale was not measured: {probe.why}."] if probe.why else []
    said = [_at(row.noise[0], "At the start", probe)]
    if len(row.noise) > 1:
        last = row.noise[-1]
        said.append(_at(last, f"With {row.name}, after {last.step:,} steps", probe))
    if larger:
        twice = larger[0]
        text = (
            f"By the noise at the start, a batch of {twice.size:,} needs {share(twice.steps)} of the steps"
            f" to the same loss and {twice.samples:.2g} times the samples"
        )
        if probe.population == larger[-1].size and len(larger) > 1:
            whole = larger[-1]
            text += f"; all {whole.size:,} at once {share(whole.steps)} and {whole.samples:.2g} times"
        said.append(text + " (each at its own best learning rate; McCandlish et al. 2018).")
    return said


def of_whole(row: OptimizerRow | None, probe: Probe) -> list[str]:
    """When the noise lets SGD do as well as full-batch descent, by the step and by the gradient.

    A step by a batch of B makes 1/(1 + B_noise/B) of the progress, for B of the N samples' work: it gets further by
    each gradient where B_noise + B < N.
    """
    if row is None or probe.population is None:
        return []
    known = [(noise.step, noise.value) for noise in row.noise if noise.value is not None]
    alike = [step for step, value in known if 1 / steps_needed(value, probe.size) >= ALIKE]
    ahead = [step for step, value in known if value + probe.size < probe.population]
    return [
        f"By that, SGD does as well as full-batch descent step for step ({ALIKE:.0%} of its progress or more)"
        f" {_when(alike, len(row.noise))}, and gets further by each gradient (noise scale and batch together below the"
        f" {probe.population:,} samples) {_when(ahead, len(row.noise))}."
    ]


def _when(steps: Sequence[int], looks: int) -> str:
    if not steps:
        return "at no look"
    return (
        f"at {len(steps)} of {looks} looks (step{'s' if len(steps) > 1 else ''} {', '.join(f'{s:,}' for s in steps)})"
    )


def _at(noise: NoiseRow, when: str, probe: Probe) -> str:
    """One measurement, and what a step by a batch is worth beside one by the whole gradient: 1/(1 + B_noise/B)."""
    unit = f"a batch has {probe.size:,}"
    if noise.value is None:
        least = f" It is at least {number(noise.low)} samples ({unit})." if noise.low > 0 else ""
        return f"{when} the noise scale cannot be told: the gradient is zero within its noise.{least}"
    low, worth, high = (share(1 / steps_needed(b, probe.size)) for b in (noise.high, noise.value, noise.low))
    between = f"{number(noise.low)} to {number(noise.high)}; {unit}"
    work = f", for {share(probe.size / probe.population)} of its work" if probe.population else ""
    return (
        f"{when} the noise scale is {number(noise.value)} samples ({between}): a step is worth {worth}"
        f" ({low} to {high}) of one by the whole gradient{work}."
    )


def of_duel(duel: Duel, scale: Scale) -> str:
    """Which of the two is ahead, and with what effort."""
    _, low, high = duel.sgd_behind
    told = (
        "SGD is ahead"
        if high < scale.equal
        else "full-batch descent is ahead"
        if low > scale.equal
        else "the two cannot be told apart"
    )
    effort = (
        f"{duel.amount:,} steps each"
        if duel.equal == "steps"
        else (f"{duel.amount:,} gradients of one batch each ({duel.gd_steps:,} full-batch steps)")
    )
    return f"After {effort}, SGD has a loss of {number(duel.sgd)} and full-batch descent {number(duel.gd)}: {told}."
