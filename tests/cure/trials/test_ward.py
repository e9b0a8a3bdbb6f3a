"""Each recipe and seed is trained once, and what is known from before is not trained again."""

from __future__ import annotations

from gradclinic.cure import Change, Recipe
from gradclinic.cure.purse import Purse
from gradclinic.cure.trials import Case, Here, Outcome, Ward
from gradclinic.task import find_target

from .. import tasks

SLOWER = Recipe.of(Change("learning_rate", {"lr": 1e-3}))


class Memory:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, int, int], Outcome] = {}

    def get(self, case: Case, steps: int) -> Outcome | None:
        return self.kept.get((case[0].key, case[1], steps))

    def put(self, case: Case, steps: int, outcome: Outcome) -> None:
        self.kept[case[0].key, case[1], steps] = outcome


def quiet(case: Case) -> None:
    pass


def test_asking_again_costs_only_the_further_steps() -> None:
    purse = Purse(100, 200)
    ward = Ward(Here(find_target(tasks.healthy)), purse)
    first = ward.train([(Recipe(), 1), (SLOWER, 1)], 5, "rounds", quiet)
    again = ward.train([(SLOWER, 1)], 5, "rounds", quiet)
    longer = ward.train([(SLOWER, 1)], 8, "proof", quiet)
    assert again == first[1:]
    assert longer[0].losses[:5] == first[1].losses
    assert dict(purse.spent) == {"rounds": 10, "proof": 3}


def test_what_was_freed_is_trained_anew_to_the_same() -> None:
    ward = Ward(Here(find_target(tasks.dropped)), Purse(100, 200))
    (before,) = ward.train([(Recipe(), 1)], 5, "rounds", quiet)
    ward.free()
    (after,) = ward.train([(Recipe(), 1)], 9, "rounds", quiet)
    assert after.losses[:5] == before.losses


def test_a_second_ward_goes_on_with_the_results_of_the_first() -> None:
    memory, told = Memory(), []
    target = find_target(tasks.healthy)
    first = Ward(Here(target), Purse(100, 200), memory).train([(Recipe(), 1)], 5, "rounds", quiet)
    purse = Purse(100, 200)
    here = Here(target)
    other = Ward(here, purse, memory)
    assert other.train([(Recipe(), 1)], 5, "rounds", told.append) == first
    assert here._trials == {}  # nothing was trained
    (longer,) = other.train([(Recipe(), 1)], 7, "rounds", told.append)
    assert longer.losses[:5] == first[0].losses
    assert purse.spent["rounds"] == 7  # a treatment costs the same however often it was begun
