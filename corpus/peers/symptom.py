"""What a peer's rule says, and how it is scored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symptom:
    """One rule that fired."""

    name: str
    step: int | None
    causes: frozenset[str]  #: our identifiers for all that the tool advises to change then
    certain: bool = True  #: False where the record does not settle whether the rule would have fired


@dataclass(frozen=True, slots=True)
class Call:
    """A peer's answer for one script."""

    sick: bool
    symptom: str  #: the first; "" where there is none
    cause_right: bool


def call(symptoms: Sequence[Symptom], faulty: bool, accepted: Collection[str]) -> Call:
    """Scores the symptoms of one script, in doubt for the peer.

    A possible symptom counts in a faulty script and not in another.  The first symptom is the first certain one or any
    possible one before it, and its cause is right where one of the causes that its advice stands for is accepted.
    """
    heard = [symptom for symptom in symptoms if faulty or symptom.certain]
    if not heard:
        return Call(False, "", False)
    until = next((i for i, symptom in enumerate(heard) if symptom.certain), len(heard) - 1)
    first = heard[: until + 1]
    right = next((symptom for symptom in first if symptom.causes & set(accepted)), None)
    return Call(True, (right or first[0]).name, faulty and right is not None)
