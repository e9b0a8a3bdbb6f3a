"""How a peer's symptoms are scored: in doubt for the peer."""

from __future__ import annotations

from corpus.peers.symptom import Call, Symptom, call

SURE = Symptom("sure", 5, frozenset({"learning_rate_high"}))
MAYBE = Symptom("maybe", 1, frozenset({"input_scale"}), certain=False)
LATER = Symptom("later", 9, frozenset({"loss_reduction"}))


def test_nothing_is_healthy() -> None:
    assert call([], True, ["input_scale"]) == Call(False, "", False)


def test_a_possible_symptom_counts_in_a_faulty_script_only() -> None:
    assert call([MAYBE], True, ["input_scale"]) == Call(True, "maybe", True)
    assert call([MAYBE], False, []) == Call(False, "", False)
    assert call([MAYBE, SURE], False, []) == Call(True, "sure", False)


def test_the_first_certain_symptom_or_a_possible_one_before_it_is_the_first() -> None:
    assert call([MAYBE, SURE, LATER], True, ["learning_rate_high"]) == Call(True, "sure", True)
    assert call([MAYBE, SURE, LATER], True, ["input_scale"]) == Call(True, "maybe", True)
    assert call([MAYBE, SURE, LATER], True, ["loss_reduction"]) == Call(True, "maybe", False)
    assert call([SURE, MAYBE], True, ["input_scale"]) == Call(True, "sure", False)
