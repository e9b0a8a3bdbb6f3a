import pytest

from gradclinic.cure.guard.decision import BROKEN_IN_A_ROW, Patient, Reading

FINE = Reading(1.0, 1.0)
BROKEN = Reading(None, 0.0, broken=True)


def settled():
    patient = Patient()
    for _ in range(30):
        assert patient.judge(FINE, by_loss=True).act == "go"
    return patient


def test_a_broken_step_is_skipped_and_the_next_goes_on():
    patient = settled()
    assert patient.judge(BROKEN, by_loss=True).act == "skip"
    assert not patient.calm
    assert patient.judge(FINE, by_loss=True).act == "go"
    assert patient.calm


def test_broken_steps_in_a_row_are_the_weights_fault():
    patient = settled()
    acts = [patient.judge(BROKEN, by_loss=True).act for _ in range(BROKEN_IN_A_ROW)]
    assert acts == ["skip"] * (BROKEN_IN_A_ROW - 1) + ["roll back"]


def test_broken_weights_go_back_at_once():
    reading = Reading(None, 0.0, broken=True, weights_broken=True)
    assert settled().judge(reading, by_loss=True).act == "roll back"


@pytest.mark.parametrize("by_loss", [True, False])
def test_the_loss_condemns_only_where_it_may(by_loss):
    patient = settled()
    acts = [patient.judge(Reading(1e9, 1.0), by_loss=by_loss).act for _ in range(5)]
    assert acts[-1] == ("roll back" if by_loss else "go")


def test_without_a_way_back_it_says_so_and_still_skips_and_clips():
    patient = settled()
    lost = Reading(None, 0.0, broken=True, weights_broken=True, way_back=False)
    decision = patient.judge(lost, by_loss=True)
    assert (decision.act, decision.stuck) == ("skip", "a weight is not finite")
    for _ in range(5):
        decision = patient.judge(Reading(1e9, 1.0, way_back=False), by_loss=True)
    assert (decision.act, decision.stuck) == ("go", "the loss has run away")
    assert patient.judge(Reading(1.0, 100.0, way_back=False), by_loss=True).act == "clip"


def test_a_spike_of_the_norm_is_clipped():
    decision = settled().judge(Reading(1.0, 50.0), by_loss=True)
    assert decision.act == "clip"
    assert decision.spike.limit == pytest.approx(1.0)
