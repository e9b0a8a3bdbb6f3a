"""What every condition owes: an outcome for any record, and findings that can be checked and acted on."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradclinic.diagnose import Condition, Evidence, diagnose
from gradclinic.diagnose.conditions import BUILT_IN, all_conditions
from gradclinic.diagnose.verdict import stage
from gradclinic.schema.finding import CAUSES, CONDITIONS, Finding, Healthy, NotEnoughData
from gradclinic.schema.ledger import Objective
from gradclinic.schema.record import Event, Record

from . import handmade as hand

nan = float("nan")

SPREAD = Objective("MseLoss", (128, 1), (128,), broadcast=((128, 1), (128,)))


def same_units(record: Record) -> Record:
    """All output units of every weight are the same."""
    flags = np.ones(len(record.parameters))
    return replace(record, updates=tuple(replace(row, same_units=flags) for row in record.updates))


#: For each condition a record that has it.
SICK: dict[str, Record] = {
    "rank_collapse": same_units(hand.record(hand.falling(200, end=0.5))),
    "vanishing_gradient": hand.record(
        hand.flat(), depth=12, moved=1e-9,
        book=hand.ledger(12, activation="Sigmoid", slope=-0.65, sigma=1.0, objective=hand.cross_entropy()),
    ),
    "exploding_gradient": hand.record(
        hand.flat(), depth=12, book=hand.ledger(12, sigma=5.0, objective=hand.cross_entropy())
    ),
    "non_finite": hand.record([*hand.flat(20), *[nan] * 20], lr=1e-3),
    "zero_gradient": hand.record(hand.flat(), norms=[0.0] * 4),
    "disconnected_parameter": hand.record(hand.flat(), norms=[None, None, 0.5, 0.5]),
    "dead_units": hand.record(
        hand.flat(), book=hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1, dead=1.0)])
    ),
    "saturated_units": hand.record(
        hand.flat(),
        book=hand.ledger(4, activation="Tanh", slope=-0.2, sigma=5.0, weight=0.2, objective=hand.cross_entropy(),
                         activities=[hand.activity(1, op="Tanh", saturated=0.97)]),
    ),
    "divergence": hand.record([2.3, 40.0, 90.0, *np.linspace(90, 400, 97)], moved=2.0),
    "loss_spike": hand.record([*hand.falling(100, end=1.0), *hand.flat(100, 9.0)], book=hand.ledger(4)),
    "oscillation": hand.record([2.0 if step % 2 else 2.6 for step in range(200)]),
    "stalled_update": hand.record(hand.flat(), lr=1e-7, moved=1e-9),
    "plateau": hand.record(hand.flat()),
    "wrong_objective": hand.record(book=hand.ledger(4, objective=SPREAD)),
    "wrong_gradient": hand.record(
        events=[Event(0, "wrong_backward", {"function": "Swish", "file": "a.py", "line": 7, "relative_error": 0.5})]
    ),
    "initial_scale": replace(
        hand.record(hand.flat(24), book=hand.ledger(4, input_rms=100.0), events=[
            Event(0, "model_input", {"given": True, "dtype": "float32", "rms": 100.0}),
        ]),
        info=replace(hand.INFO, kind="checkup", steps_planned=1000),
    ),
    "precision_headroom": hand.record(events=[
        Event(0, "headroom", {"modules": [{
            "module": "layers.1", "dtype": "float16", "largest": 3e4, "function": "linear", "gradient_largest": 1e-3,
            "gradient_typical": 1e-4}]}),
    ]),
    "converged": hand.record(hand.falling(400, end=0.001)),
}  # fmt: skip

ODD: dict[str, Record] = {
    "empty": Record(hand.INFO, None),
    "no gradients": hand.record(steps=()),
    "one step": hand.record([2.3]),
    "all nan": hand.record([nan] * 60, norms=[nan] * 4),
    "no losses": hand.record([None] * 60),
    "no ledgers": hand.record(ledgers=()),
    "no parameters": hand.record(parameters=()),
    "fewer rows than parameters": hand.record(norms=[0.5]),
    "nothing held by an optimizer": hand.record(parameters=hand.parameters(4, optimizer=None)),
    "infinite losses": hand.record([1e308, float("inf"), -1e308] * 30),
}


@pytest.mark.parametrize("condition", BUILT_IN, ids=lambda condition: condition.id)
def test_its_finding_can_be_checked_and_acted_on(condition: Condition):
    outcomes = condition.check(Evidence(SICK[condition.id]))
    findings = [item for item in (outcomes if isinstance(outcomes, list) else [outcomes]) if isinstance(item, Finding)]
    assert findings, outcomes
    for finding in findings:
        assert finding.condition == condition.id
        assert finding.cause in CAUSES
        assert finding.where
        assert all(finding.where)
        assert finding.evidence
        assert finding.source
        assert finding.action.endswith(".")
        assert finding.explanation.endswith(".")
        assert 0 < finding.confidence <= 1
        assert finding.step is None or finding.step >= 0


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("condition", BUILT_IN, ids=lambda condition: condition.id)
@pytest.mark.filterwarnings("error")
def test_it_answers_for_any_record(condition: Condition, name: str):
    outcomes = condition.check(Evidence(ODD[name]))
    for outcome in outcomes if isinstance(outcomes, list) else [outcomes]:
        assert isinstance(outcome, Finding | Healthy | NotEnoughData)
        assert outcome.condition == condition.id


@pytest.mark.parametrize("condition", BUILT_IN, ids=lambda condition: condition.id)
def test_it_says_what_it_looks_for_and_where_its_limits_come_from(condition: Condition):
    assert condition.id in CONDITIONS
    assert condition.looks_for
    assert condition.thresholds
    for threshold in condition.thresholds:
        assert len(threshold.why.split()) > 3, threshold


@pytest.mark.parametrize("condition", BUILT_IN, ids=lambda condition: condition.id)
def test_it_says_nothing_critical_of_a_run_that_learns(condition: Condition):
    report = diagnose(hand.record(), [condition])
    assert report.verdict == "healthy"
    assert not report.findings


def test_each_condition_has_one_file_and_one_place_in_the_tuple():
    folder = Path(inspect.getfile(all_conditions)).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "common"}
    assert files == {condition.id for condition in BUILT_IN} == set(SICK)


def test_every_cause_has_its_place_in_the_order_of_events():
    def finding(cause: str) -> Finding:
        return Finding("plateau", cause, ("m",), 0, "critical", 1.0, {"n": 1}, "e.", "a.")  # type: ignore[arg-type]

    unknown = {cause for cause in CAUSES if stage(finding(cause)) == stage(finding("unknown"))}
    assert unknown == {"unknown", "convergence"}


def test_another_package_can_add_a_condition(monkeypatch: pytest.MonkeyPatch):
    fewer = tuple(condition for condition in BUILT_IN if condition.id != "loss_spike")
    monkeypatch.setattr("gradclinic.diagnose.conditions.BUILT_IN", fewer)
    extra = Condition("loss_spike", "spikes", lambda evidence: Healthy("loss_spike", "none"))
    monkeypatch.setattr("gradclinic.diagnose.conditions.entry_points", lambda group: [_Point(extra)])
    assert all_conditions()[-1] is extra
    twin = Condition("plateau", "again", lambda evidence: Healthy("plateau", "none"))
    monkeypatch.setattr("gradclinic.diagnose.conditions.entry_points", lambda group: [_Point(twin)])
    with pytest.raises(ValueError, match="plateau"):
        all_conditions()


class _Point:
    name = "extra"

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def load(self) -> Condition:
        return self._condition
