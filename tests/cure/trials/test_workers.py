"""Trials in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gradclinic.cure import Change, Recipe
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Here, Ward, Workers
from gradclinic.task import find_target

TARGET = """
import os, sys
sys.path.insert(0, {root!r})
from tests.cure import tasks

def task():
    parts = tasks.dropped()
    def loss(model, batch):
        if {deadly}:
            os.kill(os.getpid(), 9)
        return tasks.loss(model, batch)
    return parts | {{"loss": loss}}
"""
SLOWER = Recipe.of(Change("learning_rate", {"lr": 1e-3}))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    for name, deadly in (("alive", "False"), ("deadly", "True")):
        root = str(Path(__file__).parents[3])
        Path(f"{name}.py").write_text(TARGET.format(root=root, deadly=deadly))
    return tmp_path


@pytest.mark.usefixtures("here")
def test_they_give_what_one_process_gives_and_go_on_where_they_were() -> None:
    cases = [(Recipe(), 1), (SLOWER, 1), (Recipe(), 2)]
    wanted = Ward(Here(find_target("alive.py:task")), Purse(1e3, 1e3))
    with Workers(find_target("alive.py:task"), 2) as workers:
        ward = Ward(workers, Purse(1e3, 1e3))
        for steps in (4, 9):
            found = ward.train(cases, steps, "rounds", lambda case: None)
            same = wanted.train(cases, steps, "rounds", lambda case: None)
            assert [outcome.losses for outcome in found] == [outcome.losses for outcome in same]
        ward.free([cases[0]])
        longer = ward.train(cases[:2], 12, "rounds", lambda case: None)
    assert [outcome.steps for outcome in longer] == [12, 12]
    assert longer[1].losses[:9] == found[1].losses


@pytest.mark.usefixtures("here")
def test_a_process_that_dies_is_the_result_of_its_trial_and_the_others_go_on() -> None:
    with Workers(find_target("deadly.py:task"), 1) as workers:
        outcomes = [outcome for _, outcome in workers.advance([(Recipe(), 1), (SLOWER, 1)], 3)]
    assert ["killed (signal 9" in outcome.ended for outcome in outcomes] == [True, True]
