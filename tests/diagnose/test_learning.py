"""Is it learning at all?  Every other judgement hangs on this one."""

from __future__ import annotations

import numpy as np
import pytest

from gradclinic.diagnose import Evidence, diagnose
from gradclinic.diagnose.learning import State, judge, judge_all
from gradclinic.schema.ledger import Objective

from . import handmade as hand

KNOWN = [(tick, hand.cross_entropy()) for tick in (0, 1, 2, 5)]


def state(losses, objectives=(), **changes) -> State:
    return judge(hand.steps(losses, [0.5], **changes), objectives).state


def test_a_loss_that_falls_below_the_constant_prediction_is_learning():
    assert state(hand.falling(), KNOWN) == "learning"
    assert state(hand.falling()) == "learning"


def test_a_loss_that_stays_at_the_constant_prediction_is_flat():
    assert state(hand.flat(), KNOWN) == "flat"


def test_learning_only_the_mean_of_the_outputs_is_not_learning():
    # GIVEN a squared error that falls from 101 to 1, the variance of the targets, and no further
    objective = Objective(
        "MseLoss", (128, 1), (128, 1), 1.0, prediction_rms=0.1, target_rms=np.sqrt(101.0), target_mean=10.0
    )
    losses = hand.noisy(1 + 100 * np.exp(-np.arange(300) / 10), 0.05)
    # THEN with the constant prediction known it is flat
    assert state(losses, [(0, objective)] * 3) == "flat"
    # and without it, nobody can tell
    assert state(losses) == "learning"


def test_a_run_that_takes_less_than_half_of_the_way_does_not_do_well():
    some, much = (judge(hand.steps(hand.falling(end=end), [0.5]), KNOWN) for end in (1.6, 0.2))
    assert (some.state, some.works, some.well) == ("learning", True, False)
    assert some.progress == pytest.approx(1 - 1.6 / hand.LOG_CLASSES, abs=0.02)
    assert (much.works, much.well) == (True, True)
    # Where the loss is the error times a factor, the error itself is compared.
    errors = [(tick, hand.cross_entropy(value=1.8)) for tick in (0, 1, 2, 5)]
    scaled = judge(hand.steps([loss * 40 for loss in hand.falling(end=1.6)], [0.5]), errors)
    assert (scaled.constant, scaled.well) == (None, False)
    # Without a constant prediction to compare with, nobody can say how far the way is.
    assert judge(hand.steps(hand.falling(end=1.6), [0.5])).well is True


def test_a_run_that_starts_converged_is_learning_and_not_flat():
    assert state(hand.flat(value=0.01, sigma=0.002), [(0, hand.cross_entropy(logits=8.0))]) == "learning"


def test_one_spike_decides_nothing():
    losses = hand.falling()
    losses[150] = 80.0
    assert state(losses, KNOWN) == "learning"
    losses = hand.flat()
    losses[0] = losses[120] = 80.0
    assert state(losses, KNOWN) == "flat"


def test_a_first_step_that_throws_the_loss_up_does_not_make_coming_back_learning():
    thrown = [2.3, 90.0, 60.0, 30.0, 12.0, 6.0, 4.0, *hand.flat(193)]
    assert state(thrown, KNOWN) == "flat"
    assert state(thrown) == "flat"


def test_heavy_noise_hides_a_small_fall_but_not_a_large_one():
    assert state(hand.noisy(np.linspace(2.35, 2.25, 300), 0.5)) in ("flat", "unknown")
    assert state(hand.noisy(np.linspace(4.0, 1.0, 300), 0.5)) == "learning"


def test_a_loss_around_zero_cannot_be_judged():
    # A policy gradient's loss is noise around 0, whether it learns or not.
    assert state(hand.noisy(np.zeros(300), 1.0)) == "unknown"


@pytest.mark.parametrize("count", [1, 5, 9])
def test_few_steps_are_not_enough(count):
    assert state(hand.flat(count), KNOWN) == "unknown"


def test_a_short_flat_run_is_undecided_and_a_short_falling_run_learns():
    assert state(hand.flat(30), KNOWN) == "unknown"
    assert state(hand.falling(30), KNOWN) == "learning"


def test_no_loss_at_all_is_unknown():
    assert state([None] * 50, KNOWN) == "unknown"
    assert judge([]).state == "unknown"


def test_a_rising_loss_rises_and_a_lost_one_says_where_it_turned():
    assert state(list(np.linspace(2.3, 9.0, 100)), KNOWN) == "rising"
    learned_and_lost = [*hand.falling(100), *hand.flat(100)]
    judged = judge(hand.steps(learned_and_lost, [0.5]), KNOWN)
    assert judged.state == "rising"
    assert judged.turned is not None
    assert 50 <= judged.turned <= 105


def test_a_loss_that_ends_nan_rises_whatever_it_was_before():
    assert state([*hand.falling(100), *[float("nan")] * 20], KNOWN) == "rising"


def test_a_curriculum_jump_is_not_a_failure():
    # GIVEN a loss that falls, jumps to above its start as the task gets harder, and falls again
    second = hand.noisy(2.4 + 3.0 * np.exp(-np.arange(100) / 30), 0.02)
    assert state([*hand.falling(100), *second], KNOWN) == "learning"


def test_targets_that_move_leave_a_flat_loss_unjudged():
    # Bootstrapped values grow during training: the error need not fall.
    moving = [
        (
            tick,
            Objective(
                "MseLoss", (64, 1), (64, 1), 0.01, prediction_rms=0.1, target_rms=0.1 * (1 + tick), target_mean=0.0
            ),
        )
        for tick in range(8)
    ]
    assert state(hand.flat(value=0.02, sigma=0.004), moving) == "unknown"


def test_accumulated_losses_are_compared_in_their_own_units():
    # GIVEN losses divided by four, as accumulation over four passes does
    quarter = [value / 4 for value in hand.flat()]
    assert state(quarter, KNOWN, backwards=4) == "flat"
    judged = judge(hand.steps(quarter, [0.5], backwards=4), KNOWN)
    assert judged.constant == pytest.approx(hand.LOG_CLASSES / 4, rel=0.01)
    assert state([value / 4 for value in hand.falling()], KNOWN, backwards=4) == "learning"


def test_a_summed_loss_is_compared_with_the_summed_constant():
    summed = [(0, hand.cross_entropy(constant_loss=hand.BATCH * (hand.LOG_CLASSES - 0.035)))]
    judged = judge(hand.steps([value * hand.BATCH for value in hand.flat()], [0.5]), summed)
    assert judged.state == "flat"
    assert judged.constant == pytest.approx(hand.BATCH * hand.LOG_CLASSES, rel=0.01)


def test_a_loss_with_other_terms_is_not_compared_with_the_constant():
    judged = judge(hand.steps([value + 40 for value in hand.flat()], [0.5]), KNOWN)
    assert judged.constant is None


def test_a_tiny_batch_gives_no_constant():
    objective = hand.cross_entropy(prediction_shape=(1, 10), target_shape=(1,), constant_loss=0.0)
    assert judge(hand.steps(hand.flat(), [0.5]), [(0, objective)]).constant is None


def test_adversaries_are_not_blamed_for_each_other():
    rising = judge(hand.steps(list(np.linspace(0.5, 3.0, 100)), [0.5]))
    flat = judge(hand.steps(hand.flat(100, 0.69, 0.01), [0.5]))
    assert judge_all({0: rising, 1: flat}).state == "unknown"
    assert judge_all({0: rising, 1: judge(hand.steps(hand.falling(), [0.5]))}).state == "learning"
    assert judge_all({0: flat, 1: flat}).state == "flat"
    assert judge_all({}).state == "unknown"


def test_a_bound_that_an_optimizer_raises_is_learned_and_told_as_it_is():
    bound = [0.1 - loss for loss in hand.falling()]
    record = hand.record(bound, book=hand.ledger(4), settings={"maximize": True})
    evidence = Evidence(record)
    assert evidence.learning.state == "learning"
    assert (evidence.learning.last or 0.0) > (evidence.learning.first or 0.0)
    assert diagnose(record).verdict == "healthy"
    assert Evidence(hand.record(bound, book=hand.ledger(4))).learning.state == "rising"
