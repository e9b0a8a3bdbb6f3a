"""What a check-up's record foretells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from gradclinic.schema.record import Record
from gradclinic.schema.window import Window

from .probability import fitted
from .signs import Point, Signs, point, signs
from .window import window_of

#: From even odds on it is said to train.
EVEN = 0.5
#: A loss twice that of a constant prediction, and twice its own beginning, was thrown up by the steps: mini-batches
#: scatter by less.
THROWN = 2.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """One check-up's."""

    steps: int  #: the budget T
    taken: int  #: real steps behind it
    probability: float | None  #: that it takes a tenth of the constant prediction's loss away; None: not known
    window: Window | None
    signs: tuple[Signs, ...]  #: one for each seed
    constant: float | None  #: loss of the best constant prediction
    explained: float | None  #: share of it that the outputs explain after the real steps
    thrown: bool  #: the steps threw the loss up

    @property
    def trains(self) -> bool | None:
        """Whether it is foreseen to train."""
        return None if self.probability is None else self.probability >= EVEN

    def numbers(self) -> dict[str, Any]:
        """For a finding's evidence."""
        found: dict[str, Any] = {"probability": self.probability}
        if self.window is not None:
            found |= {"lr_min": self.window.low.median, "lr_max": self.window.high.median}
        return found


def forecast(record: Record) -> Forecast | None:
    """None for a run that was no check-up."""
    if record.info.kind != "checkup":
        return None
    steps = record.info.steps_planned or 1
    ends = [event.data for event in record.events if event.kind == "window_ends"]
    probes = _probes([event.data for event in record.events if event.kind == "baseline"])
    by_seed = [_signs(points, [e for e in ends if e["seed"] == seed], steps) for seed, points in probes.items()]
    known = tuple(found for found in by_seed if found is not None)
    probability = fmean(fitted().probability(found) for found in known) if known else None
    wrecked = thrown([event.data for event in record.events if event.kind == "baseline"])
    last = [points[-1] for sets in probes.values() for points in sets if points]
    constants = [e.data["constant"] for e in record.events if e.kind == "baseline" and e.data["constant"] is not None]
    return Forecast(
        steps,
        max((step.step + 1 for step in record.steps), default=0),
        probability,
        window_of(ends, steps, survived=probability is not None and probability >= EVEN, thrown=wrecked),
        known,
        fmean(constants) if constants else None,
        fmean(each.explained for each in last) if last else None,
        wrecked,
    )


def thrown(shown: Sequence[dict[str, Any]]) -> bool:
    """Whether the steps threw the loss up, from the data of ``baseline`` events; a loss that is no number counts."""
    return any(data["loss"] is None for data in shown) or any(
        _rose(points) for sets in _probes(shown).values() for points in sets
    )


def _probes(shown: Sequence[dict[str, Any]]) -> dict[int, list[list[Point]]]:
    """Seed → the points of each set of batches, in order of the steps."""
    found: dict[int, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    constants: dict[tuple[int, str], float] = {}
    for data in shown:
        place = (data["seed"], data["probe"])
        if data["constant"] is not None:
            constants[place] = data["constant"]
        # Outputs that are no numbers any more leave the constant prediction what it was.
        made = point(data | {"constant": constants.get(place)})
        if made is not None:
            found[data["seed"]][data["probe"]].append(made)
    return {seed: list(sets.values()) for seed, sets in found.items()}


def _signs(points: list[list[Point]], ends: Sequence[dict[str, Any]], steps: int) -> Signs | None:
    speeds = [(e["at"], e["speed"] * e["gain"]) for e in ends]
    return signs(points, speeds, ends[0]["lr"] if ends else 0.0, steps)


def _rose(points: Sequence[Point]) -> bool:
    if not points:
        return False
    first, last = (1 - p.explained + p.excess for p in (points[0], points[-1]))
    return last > THROWN * max(first, 1.0)
