from dataclasses import replace

import pytest

from gradclinic.diagnose import diagnose
from gradclinic.schema.ledger import Entry

from . import handmade as hand


def ending_in(*ops, losses):
    """A record whose model ends in the given operations, the last one the loss's."""
    book = hand.ledger(4, objective=hand.cross_entropy())
    last = max(entry.sequence for entry in book.entries)
    chain = [
        Entry(
            last + 1 + i,
            op,
            "loss" if op == ops[-1] else "other",
            "" if op == ops[-1] else "head",
            (128, 10),
            (last + i,),
        )
        for i, op in enumerate(ops)
    ]
    return diagnose(hand.record(losses, book=replace(book, entries=(*book.entries, *chain))))


@pytest.mark.parametrize(
    "ops", [("Softmax", "LogSoftmax"), ("Softmax", "View", "LogSoftmax"), ("Sigmoid", "BinaryCrossEntropyWithLogits")]
)
def test_an_activation_applied_twice_is_sick_even_if_it_learns(ops):
    report = ending_in(*ops, losses=hand.falling(200, end=1.6))
    assert report.verdict == "sick"
    assert (report.findings[0].condition, report.findings[0].cause) == ("wrong_objective", "output_activation")
    assert report.findings[0].where == ("head",)


@pytest.mark.parametrize("losses", [hand.flat(), hand.falling(200)], ids=["stuck", "learning"])
@pytest.mark.parametrize("activation", ["Relu", "Sigmoid"])
def test_squeezed_logits_are_never_meant(activation, losses):
    assert ending_in(activation, "LogSoftmax", losses=losses).findings[0].cause == "output_activation"


@pytest.mark.parametrize("ops", [("Addmm", "LogSoftmax"), ("Softmax", "Addmm", "LogSoftmax"), ("Sigmoid", "MseLoss")])
def test_ordinary_heads_are_no_finding(ops):
    report = ending_in(*ops, losses=hand.falling(200))
    assert not any(finding.cause == "output_activation" for finding in report.findings)
