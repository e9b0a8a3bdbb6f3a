"""Against a quadratic whose curvature is known."""

import pytest
import torch

from gradclinic.lab.sharpness import Sharpness


def test_the_largest_eigenvalue_with_and_without_preconditioner():
    weights = torch.nn.Parameter(torch.randn(3))
    curvature = torch.tensor([5.0, 2.0, 0.5])

    def loss():
        return (curvature * weights**2).sum() / 2

    sharpness = Sharpness([weights])
    assert sharpness(loss) == pytest.approx(5, rel=1e-4)
    scaled = [sharpness(loss, [torch.tensor([0.1, 1.0, 1.0])]) for _ in range(2)][-1]
    assert scaled == pytest.approx(2, rel=1e-4)
