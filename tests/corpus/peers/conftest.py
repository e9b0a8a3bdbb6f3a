"""The peers' view of a hand-made record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from corpus.peers import PEERS, Symptom
from gradclinic.diagnose import Evidence
from gradclinic.schema.record import Record, Step
from tests.diagnose import handmade as hand

#: Falls in each of ten parts of the run, and without noise.
FALLING: list[float | None] = [2.3 * 0.99**i for i in range(200)]

Check = Callable[[Record], dict[str, Symptom]]


def checker(name: str) -> Check:
    """The named peer's rules over ten epochs, as symptoms by name, the first of each."""
    (peer,) = (peer for peer in PEERS if peer.name == name)

    def check(record: Record) -> dict[str, Symptom]:
        first: dict[str, Symptom] = {}
        for symptom in peer.rules(Evidence(record), 10):
            first.setdefault(symptom.name, symptom)
        return first

    return check


def between(low: float, high: float) -> tuple[Step, ...]:
    """The steps of a falling loss whose first gradient's mean magnitude is bounded by these; the others' are 1."""
    table = hand.gradients([1.0] * 4)
    count = int(table[0]["count"])
    # Σg²/max|g| bounds the mean from below, √(Σg²/n) from above.
    for row, (lower, upper) in enumerate([(low, high), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]):
        table[row] = (count, 0, 0, 0, 0.0, count * upper**2, 0, 1e-30, upper**2 / lower)
    return tuple(replace(step, gradients=table) for step in hand.steps(FALLING, [1.0] * 4))


@pytest.fixture
def autotrainer() -> Check:
    return checker("AutoTrainer")


@pytest.fixture
def deepdiagnosis() -> Check:
    return checker("DeepDiagnosis")


@pytest.fixture
def sagemaker() -> Check:
    return checker("SageMaker Debugger")
