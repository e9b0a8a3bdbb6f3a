import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from gradclinic.capture.backward import BackwardWatch


class Heard:
    def __init__(self):
        self.said = []

    def backward_begins(self, roots):
        self.said.append(("begins", [tuple(root.shape) for root in roots]))

    def backward_ends(self, roots, finished):
        self.said.append(("ends", finished))

    def gradients_taken(self, roots, inputs, gradients):
        self.said.append(("taken", len(inputs), [tuple(gradient.shape) for gradient in gradients]))


@pytest.fixture
def heard():
    original = (torch.autograd.backward, torch.autograd.grad)
    listener = Heard()
    watch = BackwardWatch(listener)
    watch.attach()
    yield listener
    watch.detach()
    assert (torch.autograd.backward, torch.autograd.grad) == original


def test_sees_the_loss_and_the_end(heard):
    weight = torch.ones(3, requires_grad=True)
    weight.pow(2).sum().backward()
    assert heard.said == [("begins", [()]), ("ends", True)]
    assert torch.equal(weight.grad, torch.full((3,), 2.0))


def test_several_roots_with_gradients(heard):
    weight = torch.ones(3, requires_grad=True)
    torch.autograd.backward([weight * 2, weight * 3], [torch.ones(3), torch.ones(3)])
    assert heard.said == [("begins", [(3,), (3,)]), ("ends", True)]
    assert torch.equal(weight.grad, torch.full((3,), 5.0))


def test_a_backward_that_raises_is_told_and_raises(heard):
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.ones(()).backward()
    assert heard.said == [("begins", [()]), ("ends", False)]


def test_reentrant_checkpointing_counts_once(heard):
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    x = torch.ones(2, 3, requires_grad=True)
    checkpoint(model, x, use_reentrant=True).sum().backward()
    assert [said[0] for said in heard.said] == ["begins", "ends"]


def test_grad_of_leaves_is_told_but_not_double_backward(heard):
    weight = torch.ones(3, requires_grad=True)
    torch.autograd.grad(weight.pow(2).sum(), [weight])
    torch.autograd.grad(weight.pow(2).sum(), [weight], create_graph=True)
    assert heard.said == [("taken", 1, [(3,)])]
