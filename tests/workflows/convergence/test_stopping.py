"""Trainings whose end is known, each several times; what they are called is counted."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

import gradclinic
from gradclinic import UserError
from tests.workflows.convergence import families

SEEDS = 2  # benchmarks/convergence.py takes more


@pytest.mark.parametrize(
    ("make", "expected", "steps"), [row[1:] for row in families.KNOWN], ids=[row[0] for row in families.KNOWN]
)
def test_known_ends_are_told_apart(make, expected, steps):
    for seed in range(SEEDS):
        seen = families.verdicts(make, seed, steps)
        assert seen[-1].state == expected, seen[-1]
        assert expected == "converged" or all(verdict.state != "converged" for verdict in seen)


def test_a_training_that_still_falls_is_not_stopped():
    for seed in range(3):
        seen = families.verdicts(partial(families.minimum, noise=0.1, rate=0.001), seed, 700)
        assert {verdict.state for verdict in seen[1:]} == {"descending"}


def test_a_classifier_is_stopped_at_its_floor():
    seen = families.verdicts(partial(families.classifier, noise=0), 0, 4000, tolerance=0.03)
    assert seen[-1].state == "converged"
    assert seen[-1].numbers["share"] > 0.8


def test_without_the_loss_function_nothing_is_called_converged():
    model, optimizer, loss, batches = families.minimum(0, 0.1)
    stop = gradclinic.Convergence(model, optimizer)
    for _ in range(1400):
        optimizer.zero_grad()
        value = loss(model, next(batches))
        value.backward()
        assert not stop(value)
        optimizer.step()
    assert stop.verdict.state == "stationary"


def test_a_loss_that_ends_as_nan_is_rising():
    model, optimizer, loss, batches = families.minimum(0, 0.1, rate=50.0)
    stop = gradclinic.Convergence(model, optimizer, loss)
    for _ in range(200):
        batch = next(batches)
        optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        stop.update(value, batch)
        optimizer.step()
    assert stop.verdict.state == "rising"


def test_the_training_is_the_same_to_the_bit():
    def train(watched):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        optimizer = torch.optim.Adam(model.parameters(), 0.0)  # stands still, so that it is looked at
        stop = gradclinic.Convergence(model, optimizer, families.mse)
        batches = families.line(0, 1.0)
        for _ in range(210):
            batch = next(batches)
            optimizer.zero_grad()
            value = families.mse(model, batch)
            value.backward()
            if watched:
                stop.update(value, batch)
            optimizer.step()
        assert not watched or stop.verdict.step == 200
        return [*model.state_dict().values(), *(p.grad for p in model.parameters()), torch.rand(3)]

    assert all(torch.equal(a, b) for a, b in zip(train(False), train(True), strict=True))


def test_a_loss_function_that_fails_ends_nothing():
    def fails(model, batch):
        raise RuntimeError("no such batch")

    model, optimizer, loss, batches = families.minimum(0, 0.1, rate=0.0)
    stop = gradclinic.Convergence(model, optimizer, fails)
    for _ in range(200):
        batch = next(batches)
        value = loss(model, batch)
        value.backward()
        stop.update(value, batch)
    assert stop.verdict.state in ("stationary", "plateau")
    assert "no such batch" in str(stop.verdict.to_dict()["numbers"]["unmeasured"])


@pytest.mark.parametrize(
    ("change", "advice"),
    [({"tolerance": 0.0}, "between 0 and 1"), ({"window": 10}, "at least 48"), ({}, "needs the batch")],
)
def test_wrong_use_is_one_line(change, advice):
    model, optimizer, loss, _ = families.minimum(0, 0.1)
    with pytest.raises(UserError, match=advice):
        gradclinic.Convergence(model, optimizer, loss, **change).update(torch.tensor(1.0))
