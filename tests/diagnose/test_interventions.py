"""What tests on copies do to a diagnosis: confirm a cause, choose between two, name what nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from gradclinic.diagnose import diagnose
from gradclinic.schema.record import Event, Record

from . import handmade as hand


def test(change: str, losses: list[float], **data: Any) -> Event:
    plain = {"what": change, "where": [], "loss": losses[0], "first": 0.1, "last": 0.1, "gradient": 1.0, "decades": 0.0}
    return Event(40, "intervention", plain | {"change": change, "losses": losses, "pace": 1e-3, "of": 0} | data)


test.__test__ = False  # type: ignore[attr-defined]
STUCK = test("", [2.3, 2.3, 2.3])
RISING = test("", [2.3, 40.0, 90.0])


def thrown(*events: Event, **more: Any) -> Record:
    return hand.record([2.3, 40.0, 90.0, *[400.0] * 97], moved=2.0, events=events, **more)


def first(record: Record) -> Any:
    return diagnose(record).findings[0]


def test_a_confirmed_cause_says_what_was_changed():
    found = first(thrown(RISING, test("learning_rate_high", [2.3, 2.2, 2.1])))
    assert found.cause == "learning_rate_high"
    assert found.confidence > first(thrown()).confidence
    assert found.evidence["intervention"]["helps"] is True
    assert "2.3 to 2.1; as it is, from 2.3 to 90" in found.explanation


def test_an_unconfirmed_cause_is_less_certain():
    sure, unsure = first(thrown()), first(thrown(RISING, test("learning_rate_high", [2.3, 50.0, 95.0])))
    assert unsure.cause == sure.cause == "learning_rate_high"
    assert unsure.confidence < sure.confidence
    assert unsure.evidence["intervention"]["helps"] is False


@pytest.mark.parametrize("helps", ["loss_reduction", "learning_rate_high"])
def test_of_two_candidates_the_one_that_helps_is_named(helps: str):
    summed = hand.ledger(4, objective=hand.cross_entropy(constant_loss=hand.LOG_CLASSES * hand.BATCH))
    events = [RISING, *(test(c, [2.3, 2.0 if c == helps else 99.0]) for c in ("loss_reduction", "learning_rate_high"))]
    losses = [2.3 * hand.BATCH, 4e3, 9e3, *[4e4] * 97]
    found = first(hand.record(losses, moved=2.0, events=events, book=summed))
    assert found.cause == helps


def test_a_plateau_that_nothing_explains_is_named_by_the_change_that_helped():
    plain = first(hand.record(hand.flat()))
    assert (plain.condition, plain.cause) == ("plateau", "unknown")
    events = [STUCK, test("normalization", [2.3, 2.3]), test("output_activation", [2.3, 2.1, 1.9])]
    found = first(hand.record(hand.flat(), events=events))
    assert (found.condition, found.cause) == ("plateau", "output_activation")


def test_everything_finite_again_is_help():
    plain = test("", [float("nan")], loss=float("nan"), gradient=float("nan"))
    found = first(thrown(plain, test("learning_rate_high", [2.3, 2.2])))
    assert found.evidence["intervention"]["helps"] is True


def test_a_loss_that_creeps_and_falls_faster_at_a_higher_rate():
    creeping = hand.falling(end=1.6)
    events = [test("", [2.3, 2.299]), test("learning_rate_low", [2.3, 2.0], what="100 times the learning rate")]
    found = first(hand.record(creeping, events=events))
    assert (found.condition, found.cause) == ("stalled_update", "learning_rate_low")
    assert "300 times as fast" in found.explanation
    standing = [test("", [2.3, 2.3]), events[1]]
    assert "it falls where it did not before" in first(hand.record(creeping, events=standing)).explanation
    # Adam goes faster at any higher rate, at first: its steps must be small against the weights as well.
    assert diagnose(hand.record(creeping, events=events, optimizer="Adam", moved=5e-3)).findings == ()
    assert first(hand.record(creeping, events=events, optimizer="Adam", moved=5e-4)).cause == "learning_rate_low"
    # A run that does well may take its time.
    assert diagnose(hand.record(hand.falling(), events=events)).findings == ()


def test_shares_of_depth_are_shown():
    book = hand.ledger(12, activation="Sigmoid", slope=-0.65, sigma=1.0, objective=hand.cross_entropy())
    lost = test("", [2.3, 2.3], decades=-7.0, first=1e-9, shares={"saturating_activation": 5.0, "weight_scale": 2.0})
    back = test("saturating_activation", [2.3, 2.2], decades=-1.0, first=1e-3)
    found = first(hand.record(hand.flat(), depth=12, moved=1e-9, book=book, events=[lost, back]))
    assert found.cause == "saturating_activation"
    assert found.evidence["intervention"]["decades_brought_back"] == {"saturating_activation": 5.0, "weight_scale": 2.0}
    assert "10^+6.0 times" in found.explanation


def test_help_that_only_the_gradient_shows_is_told_by_the_gradient():
    book = hand.ledger(12, activation="Sigmoid", slope=-0.65, sigma=1.0, objective=hand.cross_entropy())
    lost = test("", [2.3, 2.2], decades=-7.0, first=1e-9)
    back = test("saturating_activation", [2.3, 2.25], decades=-1.0, first=1e-3)
    found = first(hand.record(hand.flat(), depth=12, moved=1e-9, book=book, events=[lost, back]))
    assert "10^+6.0 times" in found.explanation
    assert "steps take its loss" not in found.explanation
