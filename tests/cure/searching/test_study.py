"""Optuna's study in its file."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10
from pathlib import Path

import pytest

from gradclinic.cure.searching.space import Settings, Space
from gradclinic.cure.searching.study import PRUNED, Study, quiet
from gradclinic.cure.tuning.grid import Span

SPACE = Space(("lr", "momentum", "schedule"), Span(1e-4, 1.0))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


def opened(path: Path, trials: int = 20) -> Study:
    return Study(path, SPACE, trials, 3, minimize=True)


def value(settings: Settings) -> float:
    return abs(log10(float(settings["lr"])) + 2) + float(settings["momentum"])


def finish(study: Study, number: int) -> Settings:
    study.ask(number)
    settings = study.settings(number)
    study.report(number, 10, value(settings))
    study.decide(number, "", 10)
    study.tell(number)
    return settings


def test_it_goes_on_as_if_it_had_never_been_closed(tmp_path: Path) -> None:
    whole = opened(tmp_path / "whole")
    expected = [finish(whole, number) for number in range(16)]
    found = [finish(opened(tmp_path / "parts"), number) for number in range(16)]
    assert found == expected
    assert len({str(each) for each in expected}) == 16


def test_a_trial_that_was_cut_off_keeps_its_settings_and_what_was_decided(tmp_path: Path) -> None:
    study = opened(tmp_path / "a")
    for number in (0, 1):
        study.ask(number)
    before = [study.settings(number) for number in (0, 1)]
    study.report(0, 10, 1.0)
    study.decide(0, PRUNED, 10)
    again = opened(tmp_path / "a")
    assert (again.decided(0), again.decided(1), again.decided(2)) == (True, False, False)
    again.ask(1)
    assert [again.settings(number) for number in (0, 1)] == before
    tried = again.tell(0)
    assert (tried.fate, tried.steps, tried.value, tried.reported) == (PRUNED, 10, None, ((10, 1.0),))


def test_what_is_worse_than_the_median_of_the_whole_ones_is_hopeless(tmp_path: Path) -> None:
    study = opened(tmp_path / "a")
    for number in range(6):
        study.ask(number)
        study.report(number, 10, float(number))
        assert not study.hopeless(number) or number == 5
        study.decide(number, "", 10)
        study.tell(number)
    for number, loss, hopeless in ((6, 2.4, False), (7, 2.6, True)):
        study.ask(number)
        study.report(number, 10, loss)
        assert study.hopeless(number) is hopeless


def test_a_trial_that_ended_is_pruned_with_its_reason(tmp_path: Path) -> None:
    study = opened(tmp_path / "a")
    study.ask(0)
    study.report(0, 10, None)
    study.decide(0, "diverged", 4)
    tried = study.tell(0)
    assert (tried.fate, tried.steps, tried.value) == ("diverged", 4, None)


def test_a_line_that_was_cut_off_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    first = finish(opened(path), 0)
    with path.open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    again = opened(path)
    assert again.settings(0) == first
    finish(again, 1)
    assert opened(path).decided(1)


def test_the_sampler_finds_what_is_better(tmp_path: Path) -> None:
    study = opened(tmp_path / "a", trials=40)
    values = [value(finish(study, number)) for number in range(40)]
    assert sum(values[30:]) / 10 < sum(values[:10]) / 20
