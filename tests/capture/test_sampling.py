import numpy as np
import pytest
import torch

from gradclinic.capture.sampling import SAMPLE, compare, sample
from gradclinic.capture.uphill import Uphill


def stepped(weight, gradient, change):
    before = sample([weight])
    return compare(3, before, [change(weight)], [gradient], Uphill())[0]


def test_small_parameters_are_exact():
    weight = torch.tensor([3.0, 4.0])
    row = stepped(weight, torch.ones(2), lambda w: w + torch.tensor([0.0, 0.5]))
    assert (row.tick, row.weight_norm[0], row.update_norm[0]) == (3, 5.0, 0.5)
    assert row.unchanged[0] == 0.5


def test_large_parameters_are_right_within_their_sampling_error():
    torch.manual_seed(0)
    weight = torch.randn(700, 900)
    assert sample([weight])[0].numel() <= 2 * SAMPLE
    row = stepped(weight, None, lambda w: w * 0.9)
    assert row.weight_norm[0] == pytest.approx(float(weight.norm()), rel=0.03)
    assert row.update_norm[0] / row.weight_norm[0] == pytest.approx(0.1, rel=1e-4)
    assert np.isnan(row.unchanged[0])


def test_updates_lost_to_rounding_are_counted():
    weight = torch.full((100,), 256.0, dtype=torch.bfloat16)
    row = stepped(weight, torch.full((100,), 1e-3, dtype=torch.bfloat16), lambda w: w - 1e-3)
    assert row.unchanged[0] == 1.0


def test_what_cannot_be_sampled_is_nan():
    sparse = torch.eye(3).to_sparse()
    row, _ = compare(
        0, sample([sparse, None, torch.empty(0)]), [sparse, None, torch.empty(0)], [None, None, None], Uphill()
    )
    assert np.isnan(row.weight_norm).all()


def test_a_strided_sample_sees_every_column():
    # A stride that divides the row length would look at a few columns only.
    weight = torch.zeros(4096, 256)
    weight[:, 5] = 1.0
    assert sample([weight])[0].sum() > 0


@pytest.mark.parametrize(
    ("weight", "same"),
    [
        (torch.full((5, 3), 0.2), 1.0),
        (torch.arange(3.0).repeat(4, 1), 1.0),
        (torch.zeros(5, 3), 0.0),  # a zero output layer, LoRA's B: equal, but not for long
        (torch.randn(5, 3), 0.0),
        (torch.randn(1, 3), np.nan),
        (torch.ones(4), np.nan),
    ],
)
def test_equal_output_units_are_seen(weight, same):
    row, _ = compare(0, sample([weight]), [weight], [None], Uphill())
    assert np.array_equal(row.same_units, [same], equal_nan=True)
