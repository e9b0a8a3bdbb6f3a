"""Trials on a Ray cluster of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gradclinic.cure import Recipe
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Here, Places, Ward
from gradclinic.errors import UserError
from gradclinic.task import find_target

from .test_workers import SLOWER, TARGET

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cluster for all tests: starting one takes seconds."""
    folder = tmp_path_factory.mktemp("ray")
    root = str(Path(__file__).parents[3])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, deadly in (("alive", "False"), ("deadly", "True")):
            Path(f"{name}.py").write_text(TARGET.format(root=root, deadly=deadly))
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield folder
        ray.shutdown()


@pytest.mark.usefixtures("here")
def test_they_give_what_one_process_gives_and_go_on_where_they_were() -> None:
    torch.set_num_threads(1)
    cases = [(Recipe(), 1), (SLOWER, 1), (Recipe(), 2)]
    target = find_target("alive.py:task")
    wanted = Ward(Here(target), Purse(1e3, 1e3))
    with Places(2, "ray").trainer(target) as trainer:
        ward = Ward(trainer, Purse(1e3, 1e3))
        for steps in (4, 9):
            found = ward.train(cases, steps, "rounds", lambda case: None)
            same = wanted.train(cases, steps, "rounds", lambda case: None)
            assert [outcome.losses for outcome in found] == [outcome.losses for outcome in same]
        ward.free([cases[0]])
        longer = ward.train(cases[:2], 12, "rounds", lambda case: None)
    assert [outcome.steps for outcome in longer] == [12, 12]


@pytest.mark.usefixtures("here")
def test_an_actor_that_dies_is_the_result_of_its_trial_and_the_others_go_on() -> None:
    with Places(1, "ray").trainer(find_target("deadly.py:task")) as trainer:
        outcomes = [outcome for _, outcome in trainer.advance([(Recipe(), 1), (SLOWER, 1)], 3)]
    assert ["was killed (its Ray actor is gone" in outcome.ended for outcome in outcomes] == [True, True]


def test_what_is_wrong_with_the_target_is_one_line(here: Path) -> None:
    (here / "gone.py").write_text("def task():\n    return 3\n")
    with (
        Places(1, "ray").trainer(find_target("gone.py:task")) as trainer,
        pytest.raises(UserError, match="must give a"),
    ):
        list(trainer.advance([(Recipe(), 1)], 3))


def test_places_that_are_none_and_targets_without_a_name() -> None:
    with pytest.raises(UserError, match="processes or ray"):
        Places(1, "moon")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="at least one at a time"):
        Places(0)
    with pytest.raises(UserError, match="name it"):
        Places(2).refuse(lambda: None)
    Places(1).refuse(lambda: None)
