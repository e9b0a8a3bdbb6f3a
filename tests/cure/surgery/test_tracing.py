"""A graph stands for a forward only where nothing is lost by it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradclinic.cure.surgery import Journal, Untraceable, edit_graphs, parts


class Written(nn.Module):
    """A layer, and then what a test wants."""

    def __init__(self, then: Callable[[Written, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.then = then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self, self.layer(x))


def noisy(module: nn.Module, x: Tensor) -> Tensor:
    return x + torch.randn(3)


def by_lot(module: nn.Module, x: Tensor) -> Tensor:
    return x * random.random()


def remembering(module: nn.Module, x: Tensor) -> Tensor:
    module.last = x
    return x


def making(module: nn.Module, x: Tensor) -> Tensor:
    return x * torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize("then", [noisy, by_lot, remembering, making])
def test_what_a_trace_would_freeze_or_drop_is_refused(then: Callable[[nn.Module, Tensor], Tensor]) -> None:
    model = Written(then)
    drawn, held = (random.getstate(), torch.get_rng_state()), dict(vars(model))
    with pytest.raises(Untraceable, match=r"draws random numbers|makes a tensor or sets an attribute"):
        parts(model)
    assert vars(model) == held
    assert random.getstate() == drawn[0]
    assert torch.equal(torch.get_rng_state(), drawn[1])


def test_a_part_with_hooks_is_traced_apart_so_that_they_go_on() -> None:
    inner = Written(lambda module, x: F.relu(x))
    outer = nn.Sequential(inner, nn.Linear(3, 3))
    calls = []
    inner.register_forward_hook(lambda module, args, output: calls.append(type(output)))
    assert [owner for owner, _ in parts(outer)] == [inner]
    assert edit_graphs(Journal(outer), lambda part: True) == 1
    outer(torch.ones(2, 3))
    assert calls == [Tensor]


def test_a_shared_part_is_edited_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = Written(lambda module, x: F.relu(x))
            self.other = nn.ModuleList([self.one])

        def forward(self, x: Tensor) -> Tensor:
            return self.other[0](self.one(x)) if x.sum() else x

    assert len(parts(Twice())) == 1


def test_in_place_functions_whose_result_nobody_uses_are_kept() -> None:
    def in_place(module: nn.Module, x: Tensor) -> Tensor:
        F.relu_(x)
        return x + 1

    model = Written(in_place)
    x = torch.randn(4, 3)
    expected = model(x)
    edit_graphs(Journal(model), lambda part: True)
    assert torch.equal(model(x), expected)


def test_an_edited_forward_is_edited_again_and_undone_in_turn() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    x, first, second = torch.randn(4, 3), Journal(model), Journal(model)
    expected = model(x)

    def double(part: object) -> bool:
        (end,) = (node for node in part.graph.nodes if node.op == "output")
        with part.graph.inserting_before(end):
            end.args = (part.graph.call_function(torch.mul, (end.args[0], 2)),)
        return True

    edit_graphs(first, double)
    edit_graphs(second, double)
    assert torch.equal(model(x), 4 * expected)
    second.undo()
    assert torch.equal(model(x), 2 * expected)
    first.undo()
    assert torch.equal(model(x), expected)
    assert "forward" not in vars(model)


def test_arguments_that_no_graph_was_traced_with_are_refused_in_a_line() -> None:
    class Choosy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return self.layer(x if mask is None else x * float(mask.sum()))

    model = Choosy()
    edit_graphs(Journal(model), lambda part: True)
    assert model(torch.ones(1, 3), None).shape == (1, 3)
    with pytest.raises(TypeError, match="the treated forward of Choosy cannot be traced with mask"):
        model(torch.ones(1, 3), mask=torch.ones(3))
