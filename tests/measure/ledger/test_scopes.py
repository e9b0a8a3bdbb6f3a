"""Module intervals: nesting, exceptions, threads, modules without a name."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn
from torch.nn.modules import module as module_globals

from gradclinic.measure.ledger import Scopes, open_ledger


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.nested = nn.Sequential(nn.Linear(3, 3), nn.Tanh())

    def forward(self, x):
        before = x.exp()
        y = self.nested(self.inner(before))
        return [before, y, y.cos()]


def scopes_of(model):
    return Scopes({module: name for name, module in model.named_modules()}.get)


def paths(scopes, *tensors):
    return [scopes.path_of(tensor.grad_fn._sequence_nr()) for tensor in tensors]


def test_innermost_module_that_contains_the_operation():
    model = Outer()
    scopes = scopes_of(model)
    x = torch.randn(2, 3, requires_grad=True) * 2
    scopes.attach()
    outside = x.sin()
    before, inner, after = model(outside)
    loss = after.sum()
    scopes.detach()
    assert paths(scopes, x, outside, before, inner, after, loss) == ["", "", "", "nested.1", "", ""]
    number = [t.grad_fn._sequence_nr() for t in (x, outside, before, inner, after, loss)]
    assert [scopes.inside(n) for n in number] == [False, False, True, True, True, False]
    assert scopes.class_of(number[3]) == "Tanh"
    assert scopes.class_of(number[2]) == "Outer"


def test_an_unnamed_module_is_transparent():
    model = Outer()
    names = {model: "model"}
    scopes = Scopes(names.get)
    scopes.attach()
    _, inner, _ = model(torch.randn(2, 3))
    scopes.detach()
    assert paths(scopes, inner) == ["model"]


def test_a_loss_module_is_outside_the_model():
    model, criterion = nn.Linear(3, 2), nn.MSELoss()
    scopes = scopes_of(model)
    scopes.attach()
    loss = criterion(model(torch.randn(4, 3)), torch.zeros(4, 2))
    scopes.detach()
    assert not scopes.inside(loss.grad_fn._sequence_nr())


def test_a_module_that_raises_is_left_again():
    class Failing(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    model = nn.ModuleList([Failing(), nn.Tanh()])
    scopes = scopes_of(model)
    scopes.attach()
    with pytest.raises(ValueError, match="no"):
        model[0](torch.ones(1))
    after = torch.ones(1, requires_grad=True).exp()
    inside = model[1](after)
    scopes.detach()
    assert paths(scopes, after, inside) == ["", "1"]
    assert not module_globals._global_forward_hooks


def test_a_name_function_that_fails_does_no_harm():
    def names(module):
        raise KeyError("unknown")

    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    scopes = Scopes(names)
    scopes.attach()
    out = model(torch.randn(2, 3))
    scopes.detach()
    assert paths(scopes, out) == [""]


def test_a_module_that_calls_itself():
    class Recursive(nn.Module):
        def forward(self, x, depth):
            return x.sin() if depth == 0 else self(x, depth - 1).cos()

    model = nn.ModuleDict({"again": Recursive()})
    scopes = scopes_of(model)
    scopes.attach()
    x = torch.ones(1, requires_grad=True)
    out = model["again"](x, 5)
    after = out.exp()
    scopes.detach()
    assert paths(scopes, out, after) == ["again", ""]


def test_other_threads_leave_no_mark():
    model = nn.Tanh()
    scopes = Scopes(lambda module: "other")
    scopes.attach()
    worker = threading.Thread(target=lambda: model(torch.ones(2, requires_grad=True)))
    worker.start()
    worker.join()
    scopes.detach()
    assert scopes.empty


def test_a_compiled_process_is_left_alone():
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    compilations = []

    def backend(graph, _):
        compilations.append(1)
        return graph.forward

    scopes = scopes_of(model)
    try:
        compiled = torch.compile(model, backend=backend, fullgraph=True)
        for step in range(4):
            if step % 2 == 0:
                scopes.attach()
            out = compiled(torch.randn(2, 3))  # warns under pytest's settings if there is a global hook
            scopes.detach()
            ledger = open_ledger([out.sum()], scopes=scopes)
            out.sum().backward()
            ledger.close()
    finally:
        torch._dynamo.reset()
    assert len(compilations) == 1
    assert scopes.empty


def test_scopes_of_an_earlier_step_are_not_used():
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    scopes = scopes_of(model)
    scopes.attach()
    model(torch.randn(2, 3))
    scopes.detach()
    loss = model(torch.randn(2, 3)).sum()
    ledger = open_ledger([loss], scopes=scopes, names=lambda tensor: names.get(id(tensor)))
    loss.backward()
    assert [entry.module for entry in ledger.close().entries] == ["0", "after 0", ""]


def test_attach_twice_is_once():
    scopes = Scopes(lambda module: "m")
    scopes.attach()
    scopes.attach()
    assert len(module_globals._global_forward_pre_hooks) == 1
    scopes.detach()
    scopes.detach()
    assert not module_globals._global_forward_pre_hooks
