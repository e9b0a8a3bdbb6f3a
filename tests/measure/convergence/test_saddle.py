import pytest
import torch

from gradclinic.measure.convergence import negative_curvature
from gradclinic.measure.jacobian import split


class Point(torch.nn.Module):
    def __init__(self, at):
        super().__init__()
        self.at = torch.nn.Parameter(torch.tensor(at))

    def forward(self):
        return self.at


def valley(model, batch):
    """A saddle at 0: up along x, down along y as far as y² = 1, where the loss is 1/4 lower."""
    x, y = model()
    return x**2 - y**2 / 2 + y**4 / 4


def test_the_way_down_from_a_saddle_is_found_and_worth_what_it_is():
    splits = [split(Point([0.0, 0.0]), valley, None) for _ in range(2)]
    found = negative_curvature(splits, 0.01)
    assert found.lowest == pytest.approx(-1, abs=1e-5)
    assert found.largest == pytest.approx(2, abs=1e-5)
    assert 0.1 < found.gain <= 0.25 + 1e-6


def test_there_is_none_from_a_minimum():
    found = negative_curvature([split(Point([0.0, 1.0]), valley, None)], 0.01)
    assert found.lowest == pytest.approx(2, abs=1e-5)
    assert found.gain == 0


def test_what_helps_on_the_batches_that_showed_it_alone_is_no_way_down():
    def loss(model, batch):
        return batch * valley(model, None)

    assert negative_curvature([split(Point([0.0, 0.0]), loss, sign) for sign in (1.0, -1.0)], 0.01).gain == 0
