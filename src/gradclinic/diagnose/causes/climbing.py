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
#: What may stand between a critic's last layer and its mean without turning the sign.
_PASSED_ON: Final = frozenset({"Mean", "Squeeze", "View", "Select", "Slice", "UnsafeView", "ReshapeAlias", "T"})
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
    """What is rewarded, likely or near, and is made rare, unlikely or far."""
    if any(value is True for value in evidence.settings("maximize")):
        return None
    for event in evidence.events("turned_similarity"):
        return _farthest(event.data["what"])
    for event in evidence.events("probabilities"):
        found = _against_reward(event.data["moved"]) or _against_data(event.data["moved"], evidence)
        if found is not None:
            return found
    return _against_critic(evidence)


def _farthest(what: str) -> Climb:
    """A softmax over distances picks what is farthest, whatever it is trained to pick."""
    return Climb(
        f"the logits of the softmax are {'distances' if what == 'distance' else 'similarities with a minus'}, so that"
        " what belongs together is pushed apart",
        f"Give the softmax {'minus the distances' if what == 'distance' else 'the similarities themselves'}.",
        0.9,
        {"logits": what},
    )


def _against_critic(evidence: Evidence) -> Climb | None:
    """An actor that minimises the mean of what a critic, trained by another optimizer, predicts of a reward."""
    words = [word.lower() for event in evidence.events("script_words") for word in event.data["words"]]
    if not any("reward" in word for word in words) or any("cost" in word for word in words):
        return None
    owners = {name: p.optimizer for p in evidence.parameters for name in (p.name, *p.aliases)}
    stepping = {step.tick: step.optimizer for step in evidence.steps}
    errors = {stepping.get(tick) for tick, o in evidence.objectives if o.classes is None and (o.sign or 0) > 0}
    for row in evidence.ledgers:
        actor = stepping.get(row.tick)
        entries = sorted(row.ledger.entries, key=lambda entry: entry.sequence)
        weights = [entry for entry in entries if entry.kind == "weight" and entry.parameters]
        if row.ledger.objective is not None or len(weights) < 2:
            continue
        critic = owners.get(weights[-1].parameters[0])
        after = {entry.op for entry in entries if entry.sequence > weights[-1].sequence}
        mine = owners.get(weights[0].parameters[0])
        if critic is None or critic == actor or mine != actor or critic not in errors or "Mean" not in after:
            continue
        if after <= _PASSED_ON:
            return Climb(
                "the mean of what the critic predicts, a reward, is minimised: the actor looks for the worst action",
                "Put a minus before the critic's mean in the actor's loss.",
                0.8,
                {"actor": int(actor or 0), "critic": int(critic)},
            )
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
