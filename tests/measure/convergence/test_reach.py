import pytest
import torch

from gradclinic.measure.convergence import reach
from gradclinic.measure.jacobian import split


def test_the_trace_of_a_linear_model_is_that_of_its_centred_inputs():
    inputs, targets = torch.randn(400, 3) * torch.tensor([1.0, 2.0, 0.5]) + 7, torch.randn(400, 1)
    model = torch.nn.Linear(3, 1)
    found = split(model, lambda model, batch: (model(batch[0]) - batch[1]).square().mean(), (inputs, targets))
    told = reach(found, [torch.full_like(parameter, 0.1) for parameter in found.parameters])
    # J_c J_cᵀ = X_c X_cᵀ: the bias moves all samples alike.  4 probes of a trace over 3 directions.
    expected = float((inputs - inputs.mean(0)).square().sum() / 400)
    assert told.speed == pytest.approx(expected, rel=0.8)
    assert told.travelled == pytest.approx(0.1 * told.speed)


def test_a_model_that_sees_nothing_of_its_input_has_no_reach():
    class Blind(torch.nn.Linear):
        def forward(self, x):
            return super().forward(0 * x)

    found = split(Blind(3, 1), lambda model, batch: model(batch).square().mean(), torch.randn(50, 3))
    assert reach(found, [torch.ones_like(parameter) for parameter in found.parameters]).speed < 1e-10
