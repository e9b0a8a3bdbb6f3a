"""Normalisation after shortcuts, at a learning rate that needs a warm-up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.schema.ledger import Entry, Ledger

from . import handmade as hand
from .test_interventions import test as tried
from .verdicts import pair

SLOWER = [tried("", [2.4, 2.3]), tried("learning_rate_high", [2.4, 0.9])]


def stack(blocks: int, after: bool) -> Ledger:
    """Blocks of a weight, a shortcut, and a normalisation of the sum (or of the branch)."""
    plain = hand.ledger(4, objective=hand.cross_entropy())
    more = []
    for k in range(100, 100 + 3 * blocks, 3):
        more.append(Entry(k, "Addmm", "weight", f"layer.{k}", (8,), (k - 1,)))
        more.append(Entry(k + 1, "Add", "shortcut", "", (8,), (k - 1, k)))
        more.append(Entry(k + 2, "NativeLayerNorm", "normalization", f"norm.{k}", (8,), (k + after,)))
    return replace(plain, entries=(*plain.entries, *more))


def test_deep_post_norm_that_a_tenth_of_the_rate_would_train():
    record = hand.record(hand.flat(), book=stack(12, after=True), events=SLOWER)
    assert pair(record) == ("plateau", "normalization_placement")


@pytest.mark.parametrize(("blocks", "after"), [(12, False), (3, True)])
def test_pre_norm_and_a_shallow_stack_are_not_blamed(blocks: int, after: bool):
    record = hand.record(hand.flat(), book=stack(blocks, after=after), events=SLOWER)
    assert pair(record)[1] != "normalization_placement"


def test_nor_is_a_rate_that_is_no_better_when_lower():
    same = [tried("", [2.4, 2.3]), tried("learning_rate_high", [2.4, 2.35])]
    record = hand.record(hand.flat(), book=stack(12, after=True), events=same)
    assert pair(record)[1] != "normalization_placement"
