import pytest
import torch
from torch import nn

from gradclinic.measure.bracket import bracket


def found(loss, model):
    loss.backward()
    names = {parameter: name for name, parameter in model.named_parameters()}
    return bracket([loss.grad_fn], lambda leaf: not bool(leaf.grad.isfinite().all()), names.get)


def test_the_root_of_zero_inside_a_model():
    class Distance(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode, self.head = nn.Linear(3, 4, bias=False), nn.Linear(1, 1)

        def forward(self, x):
            gap = self.encode(x) - self.encode(x)
            return self.head(gap.pow(2).sum(1, keepdim=True).sqrt())

    model = Distance()
    answer = found(model(torch.ones(2, 3)).sum(), model)
    assert (answer["op"], answer["module"], answer["direction"]) == ("Sqrt", "encode", "backward")
    assert answer["certain"]


def test_in_the_loss_every_gradient_is_broken():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    out = model(torch.ones(2, 3))
    answer = found(((out - out.detach()) ** 2).mean().sqrt(), model)
    assert (answer["op"], answer["module"]) == ("Sqrt", "2")


@pytest.mark.parametrize("layer", [0, 2])
def test_an_overflow_in_a_plain_layer_lies_below_the_last_finite_one(layer):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))

    class Explode(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * float("inf")

    x = torch.ones(2, 3)
    for place, module in enumerate(model):
        x = module(x)
        if place == layer:
            x = Explode.apply(x)
    answer = found(x.sum(), model)
    assert answer["module"] == str(layer)
    assert "Explode" in answer["suspects"]


def test_a_cast_under_autocast_is_not_what_overflows():
    model = nn.Sequential(nn.Linear(8, 4))
    with torch.autocast("cpu", dtype=torch.float16):
        loss = model(torch.zeros(4, 8)).float().sum()
    # 4 samples of 4e4 each leave the range of float16 in the sum for the bias; inputs of 0 give the weight 0.
    answer = found(loss * 40000.0, model)
    assert (answer["op"], answer["module"]) == ("Addmm", "0")


def test_nothing_broken_nothing_named():
    model = nn.Linear(3, 1)
    assert found(model(torch.ones(2, 3)).sum(), model) is None
