import math

import numpy as np

from gradclinic.cure.guard.losses import LONG, WARM_UP, RunningLoss


def follow(losses, tracker=None):
    """The index of the first loss that has run away, if any."""
    tracker = tracker or RunningLoss()
    return next((step for step, loss in enumerate(losses) if tracker.take(float(loss))), None), tracker


def noisy(count, level=2.0, sigma=0.1, seed=0):
    return level + sigma * np.random.default_rng(seed).standard_normal(count)


def test_one_batch_never_condemns_however_bad():
    step, tracker = follow([*noisy(50), 1e30, *noisy(50, seed=1)])
    assert step is None
    assert tracker.calm


def test_a_loss_far_up_is_gone_in_five_steps_and_one_a_little_up_in_more():
    steady = [1.0] * 50
    assert follow([*steady, *[1e6] * 10])[0] == 50 + 4
    # 3 times the level is 2 units above: log2(3) = 1.58 a step, and 16 of them make 25.
    assert follow([*steady, *[3.0] * 50])[0] == 50 + 15
    assert follow([*steady, *[1.9] * 500])[0] is None


def test_an_exponential_growth_from_the_first_step_is_told():
    step, _ = follow([1.3**step for step in range(200)])
    assert step is not None
    assert 1.3**step < 1e8


def test_a_catapult_that_comes_back_is_left_alone():
    # Up to four times in a few steps and down again, as at a large but trainable rate.
    up = [2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 4, 6, 9, 9, 7, 5, 4]
    assert follow([*up, *np.linspace(3, 0.5, 100)])[0] is None


def test_heavy_tails_of_single_samples_are_left_alone():
    losses = np.random.default_rng(0).standard_normal(20_000) ** 2
    assert follow(losses)[0] is None


def test_wandering_near_zero_is_no_loss_of_anything():
    fall = np.geomspace(2.0, 1e-8, 400)
    assert follow([*fall, *[1e-3] * 500])[0] is None


def test_losses_below_zero_are_judged_by_the_same_measure():
    fall = list(np.linspace(0, -10, 100)) + [-10.0] * 100
    assert follow([*fall, *[-9.0] * 200])[0] is None
    assert follow([*fall, *[30.0] * 50])[0] is not None


def test_a_state_is_worth_keeping_only_near_the_best_level():
    _, tracker = follow([*[1.0] * 50, 1e6])
    assert not tracker.calm
    _, tracker = follow(np.linspace(1.0, 6.0, 900), follow([1.0] * 50)[1])  # too slow to be told from a drift
    assert not tracker.calm
    _, tracker = follow([6.0] * (LONG + 100), tracker)
    assert tracker.calm  # a level that stays is the new one


def test_it_judges_nothing_before_it_knows_a_level():
    tracker = RunningLoss()
    assert not any(tracker.take(math.exp(step)) for step in range(WARM_UP))
    assert not RunningLoss().high(1e9)
