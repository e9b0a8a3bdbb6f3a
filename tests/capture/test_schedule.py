import itertools

from gradclinic.capture.schedule import ALARMS, Schedule


def looks(schedule, steps, step_seconds, cost, alarms=()):
    taken = []
    for step in range(steps):
        if schedule.due(step, step * step_seconds, step in alarms):
            schedule.looked(step, cost)
            taken.append(step)
    return taken


def test_dense_at_the_start_then_sparse():
    taken = looks(Schedule(), 1000, 0.01, 0.001)
    assert taken[:5] == [0, 1, 2, 3, 4]
    gaps = [later - earlier for earlier, later in itertools.pairwise(taken)]
    assert gaps == sorted(gaps)
    assert 20 < len(taken) < 60


def test_stays_within_the_budget_of_time():
    schedule = Schedule()
    looks(schedule, 20_000, 0.5, 1.0)
    assert schedule.spent <= 3.0 + schedule.allowance + schedule.share * 20_000 * 0.5
    assert schedule.spent >= 0.5 * schedule.share * 20_000 * 0.5 / 10  # and is not merely idle


def test_the_first_steps_are_looked_at_whatever_it_costs():
    assert looks(Schedule(), 100, 0.01, 50.0) == [0, 1, 2]


def test_a_sudden_change_is_looked_at_but_not_without_end():
    taken = looks(Schedule(), 1000, 0.01, 10.0, alarms=range(500, 600))
    assert taken == [0, 1, 2, *range(500, 500 + ALARMS)]
