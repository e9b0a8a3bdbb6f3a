import copy

import pytest
import torch
from torch import nn

from gradclinic.cure.guard.withholding import withhold


class Blunt(torch.optim.Optimizer):
    """Knows nothing of a gradient of None, counts its steps, and decays."""

    def __init__(self, params):
        super().__init__(params, {"lr": 0.1})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["steps"] = self.state[p].get("steps", 0) + 1
                p.data.mul_(0.9).add_(p.grad.data, alpha=-group["lr"])


MAKERS = {
    name: getattr(torch.optim, name)
    for name in ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "NAdam", "RAdam", "Adamax", "ASGD", "Rprop")
} | {"Blunt": Blunt}


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_the_step_changes_neither_weights_nor_state_and_gradients_are_given_back(name, started):
    model = nn.Linear(3, 2)
    settings = {"weight_decay": 0.1} if name not in ("Rprop", "Blunt") else {}
    optimizer = MAKERS[name](model.parameters(), **settings)
    if started:
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    (model(torch.ones(1, 3)).sum() * float("nan")).backward()
    gradients = [p.grad for p in model.parameters()]
    withheld = withhold(optimizer)
    optimizer.step()
    withheld.give_back()
    assert [p.grad for p in model.parameters()] == gradients
    after = (model.state_dict(), optimizer.state_dict())
    assert str(after[1]) == str(before[1])
    assert all(torch.equal(before[0][key], value) for key, value in after[0].items())


def test_it_can_tell_a_step_that_was_taken():
    model = nn.Linear(3, 2)
    optimizer = Blunt(model.parameters())
    before = copy.deepcopy(model.state_dict())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert not torch.equal(before["weight"], model.weight)
