"""The helper thread, and the choice between one thread and two."""

from __future__ import annotations

import os
import signal
import threading

import pytest
import torch

from gradclinic.measure import vitals
from gradclinic.measure.vitals.threads import Choice, Helper


def test_both_jobs_run_and_the_second_on_a_thread_of_its_own() -> None:
    names: dict[str, str] = {}
    done = Helper().run(
        lambda: names.update(here=threading.current_thread().name),
        lambda: names.update(there=threading.current_thread().name),
    )
    assert done
    assert names["here"] == threading.current_thread().name != names["there"]


def test_the_helper_is_one_thread_however_often_it_helps() -> None:
    helper, threads = Helper(), set[int]()
    for _ in range(5):
        assert helper.run(lambda: None, lambda: threads.add(threading.get_ident()))
    assert len(threads) == 1


def test_what_a_job_raises_reaches_the_caller_and_the_helper_lives_on() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    helper, after = Helper(), list[int]()
    with pytest.raises(ZeroDivisionError):
        helper.run(lambda: None, fail)
    with pytest.raises(ZeroDivisionError):
        helper.run(fail, lambda: None)
    assert helper.run(lambda: None, lambda: after.append(1))
    assert after == [1]


def test_a_second_caller_is_sent_away_while_the_helper_is_busy() -> None:
    helper, ran = Helper(), list[int]()
    answers: list[bool] = []

    def nested() -> None:
        answers.append(helper.run(lambda: ran.append(1), lambda: ran.append(2)))

    assert helper.run(nested, lambda: None)
    assert answers == [False]
    assert ran == []


def play(choice: Choice, costs: tuple[float, float], calls: int) -> list[int]:
    ways = []
    for _ in range(calls):
        way = choice.next()
        choice.tell(way, costs[way])
        ways.append(way)
    return ways


@pytest.mark.parametrize("costs", [(1.0, 5.0), (5.0, 1.0)])
def test_the_cheaper_way_is_taken_and_the_other_tried_ever_more_seldom(costs: tuple[float, float]) -> None:
    ways = play(Choice(), costs, 2000)
    dearer = costs.index(5.0)
    assert ways[:100].count(dearer) > 1
    assert sum(way == dearer for way in ways) < 20


def test_the_choice_follows_when_the_machine_becomes_busy_and_quiet_again() -> None:
    choice = Choice()
    play(choice, (2.0, 1.0), 50)
    assert choice.best == 1
    play(choice, (2.0, 16.0), 20)
    assert choice.best == 0
    play(choice, (2.0, 1.0), 40)  # one good trial is enough
    assert choice.best == 1


def test_one_interrupted_call_does_not_change_the_way() -> None:
    choice = Choice()
    play(choice, (1.0, 2.0), 50)
    choice.tell(0, 100.0)
    assert choice.best == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_measures_on_without_its_parents_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN a parent whose helper and kernel are in use WHEN it forks, as a DataLoader does."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    vitals.prepare(wait=True)
    tensors = [torch.ones(1 << 19)]
    for _ in range(10):
        vitals.measure(tensors, exponents=True)
    child = os.fork()
    if child == 0:  # an exception here must not run the parent's tests twice
        status = 1
        signal.alarm(30)  # a child that waits for a dead thread must not outlive the test
        try:
            totals = [float(vitals.measure(tensors)[0]["total"][0]) for _ in range(10)]
            status = 0 if totals == [float(1 << 19)] * 10 and vitals.ready() else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
