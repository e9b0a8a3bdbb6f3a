"""Labels that pass a batch normalisation apart."""

from __future__ import annotations

from gradclinic.schema.record import Event, OptimizerInfo

from . import handmade as hand
from .verdicts import pair, quiet

SPLIT = Event(0, "split_batches", {"passes": 2, "module": "bn1"})
POOR, GOOD = hand.falling(start=1.4, end=0.95), hand.falling(start=1.4, end=0.2)


def test_what_hardly_learns_is_named_and_what_learns_is_not():
    assert pair(hand.record(POOR, book=hand.ledger(4), events=[SPLIT])) == ("plateau", "normalization_placement")
    quiet(hand.record(POOR, book=hand.ledger(4)))
    quiet(hand.record(GOOD, book=hand.ledger(4), events=[SPLIT]))


def test_an_adversary_has_an_optimizer_of_its_own():
    two = [OptimizerInfo(i, "Adam", ({"lr": 0.1},)) for i in range(2)]
    quiet(hand.record(POOR, book=hand.ledger(4), events=[SPLIT], optimizers=two))
