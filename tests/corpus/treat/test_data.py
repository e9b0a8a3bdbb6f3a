"""What the tasks learn."""

from __future__ import annotations

import pytest
import torch

from corpus.treat import data
from corpus.treat.loop import accuracy, explained

SOURCES = ("circles", "blobs", "digits", "digit_images", "digit_rows", "digit_pixels", "digit_patches", "same_digits",
           "wine", "cancer", "diabetes", "friedman 1", "friedman 2", "friedman 3", "quartic", "adding 12", "order 20",
           "majority 9", "first 8", "letters 12 each", "letters 6")  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_held_out_is_trained_on(source: str) -> None:
    own = data.find(source) if source != "letters 6" else data.letters(6, False)
    assert len(own.inputs) == len(own.targets)
    assert len(own.held_inputs) == len(own.held_targets) > 50
    if not own.classes:
        assert own.targets.shape[-1] == own.outputs
    elif source != "letters 12 each":
        assert int(own.held_targets.max()) < own.outputs


def test_patches_keep_every_pixel() -> None:
    patches, images = data.digit_patches().inputs, data.digits().inputs
    assert patches.shape[1:] == (16, 4)
    assert torch.equal(patches.flatten(1).sort().values, images.sort().values)
    assert torch.equal(patches[0, 0], images[0].view(8, 8)[:2, :2].flatten())


def test_the_adding_problem_has_two_marks_and_their_sum() -> None:
    own = data.adding(12)
    assert bool((own.inputs[..., 1].sum(1) == 2).all())
    assert torch.allclose((own.inputs[..., 0] * own.inputs[..., 1]).sum(1, keepdim=True), own.targets)


def test_the_order_of_the_two_symbols_is_the_class() -> None:
    own = data.order(20)
    early, late = own.inputs[:, :10, :2].sum(1).argmax(1), own.inputs[:, 10:, :2].sum(1).argmax(1)
    assert torch.equal(own.targets, 2 * early + late)


def test_units_change_the_numbers_and_not_the_classes() -> None:
    assert float(data.friedman(1).scaled(targets=10.0, offset=5.0).targets.mean()) == pytest.approx(
        10 * float(data.friedman(1).targets.mean()) + 5, rel=1e-4
    )
    assert torch.equal(data.digits().scaled(inputs=255.0, targets=3.0).targets, data.digits().targets)


def test_metrics_in_points() -> None:
    targets = torch.tensor([[0.0], [2.0]])
    assert explained(targets, targets) == 100
    assert explained(torch.ones(2, 1), targets) == 0
    assert explained(torch.full((2, 1), torch.nan), targets) == -100
    assert explained(torch.full((2, 1), 1e6), targets) == -100
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [torch.nan, 0.0], [1.0, 0.0]])
    assert accuracy(logits, torch.tensor([0, 1, 0, 1])) == 50
