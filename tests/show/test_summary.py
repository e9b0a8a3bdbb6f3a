"""The ledger in one sentence and the facts of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.schema.ledger import Ledger, Line
from gradclinic.schema.record import Event
from gradclinic.show.summary import account, facts, headline, run_line

from . import handmade


def ledger(*lines):
    made = tuple(Line(-i, kind, "m", op, decades) for i, (kind, op, decades) in enumerate(lines))
    return Ledger((), made, sum(line.decades for line in made if line.kind != "loss"), 0.0)


def test_one_kind_took_nearly_all():
    made = ledger(
        ("loss", "NllLoss", -5.0), *[("activation", "Sigmoid", -2.17)] * 20, *[("weight", "Addmm", -0.005)] * 20
    )
    assert (
        account(made) == "43.4 of 43.5 decades went to activations between the head and the first layer: Sigmoid × 20."
    )


def test_kinds_that_work_against_each_other_are_both_named():
    made = ledger(*[("activation", "Tanh", -32.35 / 30)] * 30, *[("weight", "Addmm", 48.20 / 30)] * 30)
    said = account(made)
    assert said.startswith("The gradient gains 15.8 decades")
    assert "weights +48.2 (Addmm × 30)" in said
    assert "activations −32.4 (Tanh × 30)" in said


def test_a_second_kind_with_a_real_part_is_named():
    made = ledger(*[("activation", "Sigmoid", -0.61)] * 19, *[("weight", "Addmm", -0.24)] * 19)
    assert account(made).endswith("Sigmoid × 19; 4.6 to weights.")
    assert account(made).startswith("11.6 of 16.2 decades went to activations")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Sick: the loss is nan.", "The loss is nan."), ("The loss is nan.", "The loss is nan."), ("sick: ", "sick: ")],
)
def test_the_headline_does_not_say_the_verdict_twice(text, shown):
    assert headline(handmade.report("sick", text)) == shown


def test_growth_comes_from_a_kind():
    said = account(ledger(("weight", "Mm", 7.0), ("weight", "Mm", 2.0), ("activation", "Relu", 0.1)))
    assert said.startswith("9.0 of 9.1 decades came from weights")


def test_a_gradient_that_keeps_its_size_is_said_to():
    assert "keeps its size" in account(ledger(("weight", "Mm", 0.02)))
    balanced = account(handmade.chain(6, "Relu", -0.15, 0.149))
    assert "keeps its size between the head and the first layer: −0.01 decades over 10 operations" in balanced
    assert "activations −0.75 (Relu × 5), weights +0.74 (Addmm × 5)" in balanced


@pytest.mark.parametrize("made", [None, Ledger((), (), None, 0.0), ledger(("loss", "NllLoss", 1.0))])
def test_no_account_no_sentence(made):
    assert account(made) is None


def test_facts_of_a_run():
    report, record = handmade.sick()
    known = facts(report, record)
    assert (known.command, known.steps, known.planned, known.exit_code) == ("train.py --lr 0.1", 60, 60, 0)
    assert known.seconds == pytest.approx(1.6)
    assert known.parameters == 20 * (64 * 64 + 64)
    assert run_line(known) == [
        "60 steps in 1.6 s", "loss 2.503 → 2.303", "finished, exit status 0", "watching cost 18 ms (1%)",
    ]  # fmt: skip


def test_a_record_without_an_ending_says_so():
    report, record = handmade.sick()
    known = facts(report, replace(record, ending=None))
    assert known.status == "killed, or still running"
    assert known.seconds == pytest.approx(0.02 * 59)


def test_the_record_tells_what_a_bare_report_does_not():
    report, record = handmade.sick()
    known = facts(replace(report, cost={}, run={}), record)
    assert known.watching == pytest.approx(0.018)
    assert known.watching_share == pytest.approx(0.018 / 1.6)
    assert known.steps == 60


def test_what_could_not_be_seen_is_named_once():
    report, record = handmade.healthy()
    event = Event(0, "compiled", {"what": "Model"})
    failure = Event(3, "capture_failure", {"where": "ledger", "error": "TypeError"})
    known = facts(report, replace(record, events=(event, event, failure)))
    assert known.unseen == ("compiled region: Model", "gradclinic failed in ledger: TypeError")


def test_a_report_without_a_record_still_has_its_facts():
    known = facts(handmade.report("healthy", "fine"), None)
    assert (known.steps, known.seconds, known.losses) == (60, 1.6, ())
