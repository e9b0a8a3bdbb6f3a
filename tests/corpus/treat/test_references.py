"""Which recipes are trained to the end, and what a reference says of its task."""

from __future__ import annotations

from corpus.treat import references
from corpus.treat.full import Run
from gradclinic.cure.trials import Outcome
from tests.corpus.treat.samples import REFERENCE, TINY


def early(metric: float | None, loss: float, ended: str = "") -> Outcome:
    return Outcome(10, (loss,) * 10, metric, ended)


def test_where_all_metrics_are_at_chance_the_losses_tell() -> None:
    found = references._going(
        {
            "first": early(50.0, 0.69),
            "falling": early(50.0, 0.60),
            "diverged": early(50.0, 0.1, "diverged"),
            "refused": early(None, 0.0, "CannotApply: no"),
            "slow": early(50.0, 0.68),
            "by hand 1": early(50.0, 0.70),
            "by hand 2": early(40.0, 0.80),
        }
    )
    assert found == {"falling", "slow", "first", "by hand 1"}


def test_the_best_may_be_the_task_as_it_is() -> None:
    assert references.best(REFERENCE)["name"] == "norm"
    assert references.as_claimed(TINY[0], REFERENCE)
    assert not references.as_claimed(TINY[1], REFERENCE)
    sound = REFERENCE | {"untreated": [95.0, 94.0]}
    assert references.best(sound)["name"] == "as it is"
    assert references.as_claimed(TINY[1], sound)
    assert not references.as_claimed(TINY[0], sound)


def test_what_broke_has_the_lowest_metric_of_its_kind() -> None:
    assert Run.of(early(None, 1.0, "RuntimeError"), classes=True).metric == 0
    assert Run.of(early(None, 1.0, "RuntimeError"), classes=False).metric == -100
