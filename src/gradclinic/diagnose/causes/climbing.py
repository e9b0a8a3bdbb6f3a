"""A loss whose form says that its steps make likely what should become unlikely: part of ``wrong_objective``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from ..evidence import Evidence

#: What scripts call the quantity that a policy should get more of, and what they call its opposite.
_GAINS: Final = re.compile(
    r"^(r|R|G|A|rew|ret|adv|gae)s?$|reward|return|advantage|payoff|utility|profit", re.IGNORECASE
)
_COSTS: Final = re.compile(r"cost|regret|penalty|distance", re.IGNORECASE)
#: A log-likelihood that falls by more than its own size does not settle at a best value: it runs away from it.
RUNS_AWAY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Climb:
    """What goes the wrong way, why that is known, and what to do."""

    because: str
    action: str
    confidence: float
    numbers: dict[str, Any]


def climbing(evidence: Evidence) -> Climb | None:
    """A policy that is pushed away from what its script calls the reward, or a likelihood that is minimised."""
    if any(value is True for value in evidence.settings("maximize")):
        return None
    for event in evidence.events("probabilities"):
        return _against_reward(event.data["moved"]) or _against_data(event.data["moved"], evidence)
    return None


def _against_reward(moved: list[dict[str, Any]]) -> Climb | None:
    """A logarithm of a probability, times a reward: with a plus before it, descent makes what is rewarded rare.

    That the weight is a reward, and not a cost, is only known from what the script itself calls it.
    """
    named = [(name, sign) for item in moved for name, sign in item["names"]]
    gains = {(name, sign) for name, sign in named if _GAINS.search(name) and not _COSTS.search(name)}
    costs = {(name, sign) for name, sign in named if _COSTS.search(name) and not _GAINS.search(name)}
    signs = {sign for _, sign in gains} | {-sign for _, sign in costs}
    if signs != {1}:
        return None
    name = sorted(name for name, _ in gains or costs)[0]
    verb = ("rewarded", "rare") if gains else ("costly", "likely")
    return Climb(
        f"the loss adds the logarithm of each action's probability times `{name}` with a"
        f" {'plus' if gains else 'minus'} before it, so that steps downhill make {verb[1]} what is {verb[0]}",
        f"Turn the sign of the term with `{name}` round: the loss of a policy is"
        f" {'minus' if gains else 'plus'} log-probability times {name}.",
        0.85,
        {"weight": name, "sign": 1 if gains else -1},
    )


def _against_data(moved: list[dict[str, Any]], evidence: Evidence) -> Climb | None:
    """Every likelihood of data in the loss has a plus before it, and the loss runs away below.

    With several optimizers that may be meant: an adversary makes data unlikely on purpose.
    """
    first, last = evidence.learning.first, evidence.learning.last
    if len(evidence.optimizers) != 1 or first is None or last is None:
        return None
    of_data = [item for item in moved if item["known"] and item["steady"]]
    if len(of_data) < len(moved) or any(item["sign"] != 1 for item in of_data):
        return None
    if not first - last > RUNS_AWAY * max(abs(first), 1.0) or last >= 0:
        return None
    return Climb(
        "the loss is the log-likelihood of the data itself and not its negative: it went from"
        f" {first:.4g} to {last:.4g}, which makes the data ever less likely",
        "Put a minus before the log-likelihood.",
        0.9,
        {"loss_first_window": first, "loss_last_window": last},
    )
