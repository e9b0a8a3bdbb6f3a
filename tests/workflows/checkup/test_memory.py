"""What the parts of a check-up keep: nothing beyond what the next part needs."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import gradclinic
from gradclinic.measure.jacobian import split
from gradclinic.measure.jacobian.tree import floating
from gradclinic.workflows.checkup import at_start

from . import tasks


def test_what_rebuilds_an_output_keeps_neither_it_nor_its_graph() -> None:
    kept = []

    def made() -> tasks.Output:
        hidden = nn.Linear(4, 4)(torch.randn(2, 4))
        out = tasks.Output(hidden.exp(), (hidden,))
        kept.extend([weakref.ref(out.logits), weakref.ref(hidden)])
        return out

    rebuild = floating(made())[1]
    assert [ref() for ref in kept] == [None, None]
    again = rebuild([torch.ones(1), torch.zeros(1)])
    assert (float(again.logits), float(again.hidden[0])) == (1, 0)


@pytest.mark.parametrize("own", [False, True])
def test_a_split_of_an_own_model_copies_no_parameter(own: bool) -> None:
    model = tasks.plain()
    found = split(model, tasks.cross_entropy, next(tasks.batches()), own=own)
    mine = {parameter.data_ptr() for parameter in model.parameters()}
    assert {parameter.data_ptr() in mine for parameter in found.parameters} == {own}
    with torch.no_grad():
        model[0].weight.zero_()
        moved = found.outputs(found.parameters)
        assert torch.equal(moved, model(next(tasks.batches())[0]).double().reshape(-1)) is own


class Attentive(nn.Module):
    """Its forward pass notes how many of the outputs that it gave before are alive, with their graphs."""

    most: ClassVar[int] = 0
    given: ClassVar[list[weakref.ref[Tensor]]] = []

    def __init__(self) -> None:
        super().__init__()
        self.inside = tasks.plain()

    def forward(self, x: Tensor) -> Tensor:
        if self.alive() > 1:
            gc.collect()
        Attentive.most = max(Attentive.most, self.alive())
        out: Tensor = self.inside(x)
        if out.requires_grad:
            self.given.append(weakref.ref(out))
        return out

    def alive(self) -> int:
        return sum(ref() is not None for ref in self.given)


def test_few_graphs_live_at_once(tmp_path: Path) -> None:
    """Four batches are measured at each of three moments; their graphs are not kept beside each other."""
    Attentive.most = 0
    Attentive.given.clear()
    gradclinic.checkup(lambda: tasks.made(Attentive()), out=tmp_path)
    assert len(Attentive.given) > 40
    assert Attentive.most <= 1


def test_a_model_too_large_for_float64_is_checked_in_its_own_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_start, "DOUBLE", 1 << 14)
    for name, wrong in (("healthy", []), ("wrong_function", ["wrong_backward"])):
        answer = gradclinic.checkup(getattr(tasks, name), out=tmp_path)
        (slope,) = [event.data for event in answer.record.events if event.kind == "slope"]
        assert slope["precision"] == "float32"
        assert "too much memory" in slope["narrow"]
        assert [f.cause for f in answer.findings if f.condition == "wrong_gradient"] == wrong
