"""The set of sick and healthy tasks: names, builds, metrics."""

from __future__ import annotations

import pytest

from corpus.treat import references
from corpus.treat.families import ALL, find_row
from corpus.treat.row import Row
from gradclinic.cure import Recipe
from gradclinic.cure.trials import Trial
from gradclinic.task import own_generators


def test_there_are_enough_of_each_and_no_two_share_a_name() -> None:
    assert len({row.name for row in ALL}) == len(ALL)
    assert sum(row.sick for row in ALL) >= 80
    assert sum(not row.sick for row in ALL) >= 20
    assert find_row(ALL[3].name) is ALL[3]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_each_builds_and_takes_two_steps(row: Row) -> None:
    assert row.source
    assert 1500 <= row.steps <= 4000
    for target in (row.target, *(row.rewritten(options) for options in row.better)):
        with own_generators():
            outcome = Trial(target, Recipe(), 0).advance(2)
        assert outcome.ended in ("", "diverged")
        assert outcome.metric is not None
        assert -100 <= outcome.metric <= 100


def test_what_the_references_say_of_a_task_is_what_its_row_claims() -> None:
    for name, data in references.load().items():
        assert references.as_claimed(find_row(name), data), name
        assert len(data["recipes"]) >= 2
