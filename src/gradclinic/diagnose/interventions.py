"""What the tests on copies say of a cause: does taking it away help?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isfinite, log10
from typing import Any, Final

from gradclinic.schema.finding import CauseId, Finding
from gradclinic.schema.record import Event

#: The change that takes a cause away, where there is one.
CHANGE_FOR: Final[dict[str, str]] = {
    "weight_scale_small": "weight_scale",
    "weight_scale_large": "weight_scale",
    "normalization_depth": "normalization",
    "normalization_placement": "normalization",
    "precision_overflow": "precision",
    "precision_underflow": "precision",
    "precision_rounding": "precision",
} | {
    name: name
    for name in (
        "saturating_activation", "unbounded_activation", "missing_shortcut", "learning_rate_high",
        "learning_rate_low", "optimizer_epsilon", "weight_decay_high", "input_scale", "target_scale",
        "loss_reduction", "output_activation",
    )
}  # fmt: skip

#: A change that brings the first layer's gradient up by a decade gives it what an optimizer that does not divide by
#: the gradient's size would need ten times the learning rate for.
DECADE = 1.0
#: A loss moves where the few steps of a trial took a hundredth of it: at that pace a hundred steps halve it.
MOVES = 0.01
#: And a change helps where it makes the loss move so many times faster.
FASTER = 5.0


@dataclass(frozen=True)
class Examined:
    """One change, beside the step as it was."""

    data: dict[str, Any]
    plain: dict[str, Any]

    @property
    def stabilises(self) -> bool:
        """The loss rose (or left the numbers) in a few steps, and does not with the change."""
        return _rises(self.plain) and bool(self.data["losses"]) and not _rises(self.data)

    @property
    def moves(self) -> bool:
        """The loss stood still, and falls with the change."""
        before, after = _progress(self.plain), _progress(self.data)
        if before is None or after is None or _rises(self.plain):
            return False
        return after > MOVES and after > FASTER * max(before, 0.0)

    @property
    def times_as_fast(self) -> float:
        """How many times as much of the loss the trial took away with the change as without; inf where only with it."""
        before, after = _progress(self.plain) or 0.0, _progress(self.data) or 0.0
        return after / before if before > 0 else inf

    @property
    def restores(self) -> bool:
        """The first layer's gradient was a decade or more below the last one's, and comes back by a decade."""
        lost, gained = self.plain.get("decades"), self.gained
        return lost is not None and gained is not None and lost < -DECADE and gained > DECADE

    @property
    def makes_finite(self) -> bool:
        return not _finite(self.plain) and _finite(self.data)

    @property
    def gained(self) -> float | None:
        """Decades by which the first layer's gradient is larger with the change."""
        before, after = self.plain.get("first"), self.data.get("first")
        if not before or not after or not isfinite(before) or not isfinite(after):
            return None
        return log10(after / before)

    @property
    def helps(self) -> bool:
        return self.stabilises or self.moves or self.restores or self.makes_finite

    def sentence(self) -> str:
        """What was changed and what it did."""
        parts = []
        # A few steps from a revived gradient need not show in the loss yet, and a plain step's loss may even have
        # fallen further, by its last layer alone: then the gradient is what the test has to say.
        told_by_the_loss = self.stabilises or self.moves or not self.helps
        if told_by_the_loss and self.data["losses"] and self.plain["losses"]:
            count, as_it_is = len(self.data["losses"]) - 1, _span(self.plain)
            parts.append(f"{count} steps take its loss from {_span(self.data)}; as it is, from {as_it_is}")
        if self.gained is not None and abs(self.gained) >= DECADE:
            parts.append(f"the first layer's gradient is 10^{self.gained:+.1f} times as large")
        if self.makes_finite:
            parts.append("everything stays finite")
        told = "; ".join(parts) or "nothing changes"
        return f"Tested on a copy of step {self.data['of']}, {self.data['what']}: {told}."


class Interventions:
    """The tests that a run carries, by the change; ``stale`` ones no longer speak of how the run ended."""

    def __init__(self, events: tuple[Event, ...], stale: frozenset[str] = frozenset()) -> None:
        self._all = [event.data for event in events if event.data["change"] not in stale]

    @cached_property
    def plain(self) -> dict[str, Any] | None:
        """The step as it was."""
        return next((data for data in self._all if not data["change"]), None)

    def of(self, cause: CauseId) -> Examined | None:
        """The test that takes this cause away; None where it was not tested."""
        wanted = CHANGE_FOR.get(cause)
        return self.changed(wanted) if wanted else None

    def changed(self, change: str) -> Examined | None:
        """The test of a change, by its name; None where it was not made."""
        data = next((data for data in self._all if data["change"] == change), None)
        return Examined(data, self.plain) if data is not None and self.plain is not None else None

    def confirms(self, cause: CauseId) -> bool:
        """Whether taking the cause away was tried, and helped."""
        tested = self.of(cause)
        return tested is not None and tested.helps

    def tell(self, finding: Finding) -> Finding:
        """The finding with what its cause's test said."""
        tested = self.of(finding.cause)
        if tested is None:
            return finding
        numbers = {key: tested.data[key] for key in ("what", "where", "of", "losses", "first", "decades")}
        as_it_is = {key: tested.plain[key] for key in ("losses", "first", "decades")}
        evidence = finding.evidence | {"intervention": numbers | {"as_it_is": as_it_is, "helps": tested.helps}}
        if tested.plain.get("shares") and finding.condition in ("vanishing_gradient", "exploding_gradient"):
            evidence["intervention"]["decades_brought_back"] = tested.plain["shares"]
        # A confirmed cause leaves half of its doubt, since something else may help as well; an unconfirmed one may
        # still be right where five steps are too few to show it.
        confidence = (1 + finding.confidence) / 2 if tested.helps else finding.confidence * 0.7
        explanation = f"{finding.explanation} {tested.sentence()}"
        return replace(finding, evidence=evidence, confidence=confidence, explanation=explanation)


def _finite(data: dict[str, Any]) -> bool:
    return all(value is not None and isfinite(value) for value in (data["loss"], data["gradient"], *data["losses"]))


def _rises(data: dict[str, Any]) -> bool:
    losses = data["losses"]
    return bool(losses) and not (isfinite(losses[-1]) and losses[-1] <= losses[0])


def _progress(data: dict[str, Any]) -> float | None:
    """Share of the loss that the trial took away."""
    losses = data["losses"]
    if len(losses) < 2 or not all(isfinite(loss) for loss in losses) or losses[0] == 0:
        return None
    return float((losses[0] - losses[-1]) / abs(losses[0]))


def _span(data: dict[str, Any]) -> str:
    return f"{data['losses'][0]:.4g} to {data['losses'][-1]:.4g}"
