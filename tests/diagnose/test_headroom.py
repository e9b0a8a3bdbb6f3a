"""Room in a number format: each limit, and the nearest value that is none."""

from __future__ import annotations

from typing import Any

from gradclinic.diagnose import diagnose
from gradclinic.schema.finding import Finding
from gradclinic.schema.record import Event

from . import handmade as hand


def findings(*rows: dict[str, Any], losses: list[float | None] | None = None) -> list[Finding]:
    usual = {"module": "a", "dtype": "float16", "largest": 10.0, "function": "linear", "gradient_largest": 1e-2,
             "gradient_typical": 1e-4}  # fmt: skip
    event = Event(0, "headroom", {"modules": [usual | row for row in rows]})
    report = diagnose(hand.record(losses, events=[event]))
    return [finding for finding in report.findings if finding.condition == "precision_headroom"]


def test_values_two_doublings_below_the_end_are_named_worst_first() -> None:
    (found,) = findings({"largest": 17e3}, {"module": "b", "largest": 40e3}, {"module": "c", "largest": 16e3})
    assert (found.cause, found.severity, found.where) == ("precision_overflow", "warning", ("b", "a"))
    assert 1.6 < found.evidence["factor_left"] < 1.7
    assert findings({"largest": 16e3}) == []


def test_a_gradient_near_the_end_counts_as_well() -> None:
    (found,) = findings({"gradient_largest": 30e3})
    assert "gradient" in found.explanation
    assert found.cause == "precision_overflow"


def test_gradients_of_a_few_units_are_named_smallest_first() -> None:
    unit = 2.0**-24
    (found,) = findings({"gradient_typical": 3 * unit}, {"module": "b", "gradient_typical": unit})
    assert (found.cause, found.severity, found.where) == ("precision_underflow", "note", ("b", "a"))
    assert found.evidence["factor_below_normal"] == 2.0**10
    assert findings({"gradient_typical": 4 * unit}) == []
    assert findings({"gradient_typical": None}) == []
    (sick,) = findings({"gradient_typical": unit}, losses=hand.flat())
    assert sick.severity == "warning"


def test_bfloat16_has_the_range_of_float32() -> None:
    assert findings({"dtype": "bfloat16", "largest": 1e37, "gradient_typical": 1e-30}) == []
    assert findings({"dtype": "bfloat16", "largest": 1e38})[0].cause == "precision_overflow"


def test_what_belongs_to_no_module_is_named_by_its_function() -> None:
    assert findings({"module": "", "function": "sum", "largest": 5e4})[0].where == ("sum",)
