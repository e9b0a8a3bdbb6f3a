"""Curves made up so that the right answer is known."""

from __future__ import annotations

import random
from math import exp, isnan, log10, nan

import pytest

from gradclinic.measure.range_test import diverged, smoothed, suggest

RATES = [1e-6 * 10 ** (6 * place / 99) for place in range(100)]


def fall(rate: float, middle: float = 1e-3, width: float = 0.25) -> float:
    """From 2.3 down to 0.3, steepest at ``middle``; up again from 0.1 on."""
    down = 2.0 / (1 + exp(-(log10(rate) - log10(middle)) / width))
    return 2.3 - down + (50 * (log10(rate) + 1) ** 2 if rate > 0.1 else 0.0)


def test_bias_correction_starts_at_the_first_loss_and_keeps_a_constant() -> None:
    assert smoothed([3.0]) == pytest.approx([3.0])
    assert smoothed([2.0] * 20) == pytest.approx([2.0] * 20)
    # By hand: (0.9 · 0.1 · 1 + 0.1 · 3) / (1 - 0.9²).
    assert smoothed([1.0, 3.0])[1] == pytest.approx(0.39 / 0.19)


def test_what_is_not_finite_is_left_out_of_the_mean() -> None:
    assert isnan(smoothed([nan, 1.0])[0])
    assert smoothed([nan, 1.0, nan, 1.0])[1:] == pytest.approx([1.0] * 3)
    assert smoothed([1.0, float("inf"), 1.0]) == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_the_readings_stand_where_the_loss_falls(seed: int, noise: float) -> None:
    drawn = random.Random(seed)
    found = suggest(RATES, [fall(rate) + drawn.gauss(0, noise) for rate in RATES])
    assert found.steepest is not None
    assert found.valley is not None
    assert found.minimum is not None
    # The mean of ten losses lags by some half a decade of these sixteen points each.
    assert 5e-4 < found.steepest < 1e-2
    assert 1e-5 < found.valley < 2e-2
    assert 1e-3 < found.minimum < 2.5e-2


def test_single_losses_that_are_no_numbers_move_no_reading_far() -> None:
    clean = [fall(rate) for rate in RATES]
    holed = [nan if place % 9 == 4 else loss for place, loss in enumerate(clean)]
    one, other = suggest(RATES, clean), suggest(RATES, holed)
    for key in ("steepest", "valley", "minimum"):
        assert abs(log10(getattr(one, key) / getattr(other, key))) < 0.3


def test_a_drop_by_chance_at_the_start_is_not_the_steepest_fall() -> None:
    losses = [fall(rate) for rate in RATES]
    losses[0] += 3.0
    found = suggest(RATES, losses)
    assert found.steepest is not None
    assert found.steepest > 1e-4


@pytest.mark.parametrize("losses", [[float(place) for place in range(100)], [nan] * 100, [1.0, 0.9, 0.8]])
def test_a_curve_without_a_fall_has_no_answer(losses: list[float]) -> None:
    found = suggest(RATES[: len(losses)], losses)
    assert (found.steepest, found.valley, found.minimum) == (None, None, None)


def test_the_valley_is_the_middle_of_the_longest_fall_as_fastai_takes_it() -> None:
    # A straight line, whose means fall at each of 30 points.  fastai: 29 - 30 + int(10) + int(5).
    assert suggest(RATES[:30], [3.0 - 0.1 * place for place in range(30)]).valley == RATES[14]


def test_a_loss_has_run_away_at_four_times_the_start_and_at_no_number() -> None:
    assert not diverged([])
    assert diverged([1.0, nan])
    assert diverged([1.0, float("inf")])
    assert not diverged([1.0] * 10 + [3.9] * 60)
    assert diverged([1.0] * 10 + [4.2] * 60)


def test_noise_around_a_best_loss_near_zero_does_not_end_it() -> None:
    # Four times the best, 4e-6, is what would have ended it.
    assert not diverged([1.0] * 10 + [1e-6] * 50 + [0.1] * 10)
    # And around a mean of 0 the scatter is the measure.
    drawn = random.Random(0)
    assert not diverged([drawn.gauss(0, 1) for _ in range(60)])
