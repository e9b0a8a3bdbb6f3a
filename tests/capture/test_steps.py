import pytest
import torch
from torch import nn

from gradclinic.capture.steps import StepWatch


class Heard:
    def __init__(self):
        self.said = []

    def step_begins(self, optimizer, has_closure):
        self.said.append(("begins", type(optimizer).__name__, has_closure))

    def step_ends(self, optimizer, has_closure):
        self.said.append(("ends", type(optimizer).__name__, has_closure))


@pytest.fixture
def heard():
    listener = Heard()
    watch = StepWatch(listener)
    watch.attach()
    yield listener
    watch.detach()


def parameter():
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    return weight


def test_tells_each_step_once_with_its_closure(heard):
    weight = parameter()
    torch.optim.SGD([weight], lr=0.1).step()
    torch.optim.Adam([weight], lr=0.1).step(weight.sum)
    assert heard.said == [
        ("begins", "SGD", False),
        ("ends", "SGD", False),
        ("begins", "Adam", True),
        ("ends", "Adam", True),
    ]


def test_a_subclass_that_calls_super_steps_once(heard):
    class Mine(torch.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    Mine([parameter()], lr=0.1).step()
    assert heard.said == [("begins", "Mine", False), ("ends", "Mine", False)]


def test_a_step_that_raised_does_not_hide_the_next_one(heard):
    weight = parameter()
    optimizer = torch.optim.SGD([weight], lr=0.1)

    def fails():
        raise ValueError("user's own")

    with pytest.raises(ValueError, match="user's own"):
        optimizer.step(fails)
    optimizer.step()
    assert [said[0] for said in heard.said] == ["begins", "begins", "ends"]


def test_closures_run_backward_inside_the_step(heard):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = model(torch.ones(4, 2)).pow(2).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert heard.said == [("begins", "LBFGS", True), ("ends", "LBFGS", True)]


def test_leaves_no_hook_behind():
    from torch.optim import optimizer

    watch = StepWatch(Heard())
    before = (len(optimizer._global_optimizer_pre_hooks), len(optimizer._global_optimizer_post_hooks))
    watch.attach()
    watch.detach()
    assert (len(optimizer._global_optimizer_pre_hooks), len(optimizer._global_optimizer_post_hooks)) == before
