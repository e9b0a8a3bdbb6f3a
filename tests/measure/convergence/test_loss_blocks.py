import pytest
import torch

from gradclinic.measure.convergence import LossBlocks


def trend(losses):
    blocks = LossBlocks(len(losses))
    for loss in losses:
        blocks.add(torch.as_tensor(loss))
    return blocks.trend()


def test_a_straight_line_falls_by_half_of_its_height():
    found = trend([10 - 0.01 * step for step in range(480)])
    assert found.fall == pytest.approx(0.01 * 240, rel=1e-4)
    assert found.mean == pytest.approx(10 - 0.01 * 359.5, rel=1e-4)
    assert found.falls(1.0)
    assert not found.flat(1.0)


def test_noise_alone_neither_falls_nor_rises():
    wrong, errors = 0, []
    for seed in range(200):
        noise = torch.randn(200, generator=torch.Generator().manual_seed(seed))
        found = trend(5 + noise)
        wrong += found.falls(0) or found.rises(0)
        errors.append(found.error)
    assert wrong <= 10  # 2.5 standard errors
    # The difference of two means of a hundred each; of two estimates the larger is taken.
    assert 1 < sum(errors) / 200 / (2 / 100) ** 0.5 < 1.3


def test_a_length_that_the_blocks_do_not_divide():
    assert trend([1.0] * 101).fall == pytest.approx(0, abs=1e-6)


def test_a_loss_that_is_no_number_is_seen():
    assert not trend([1.0] * 50 + [float("nan")] + [1.0] * 50).finite
