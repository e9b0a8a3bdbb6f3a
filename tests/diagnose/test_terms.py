"""A sum added to a mean, a beginning that is forgotten, a rate raised too far, gradients thrown away."""

from __future__ import annotations

import numpy as np
import pytest

from gradclinic.schema.record import Event, OptimizerInfo, Step

from . import handmade as hand
from .verdicts import first, pair, quiet

POOR = hand.falling(end=1.6)


def terms(**changes) -> Event:
    error = {"value": 1.2, "factor": 1.0, "reduction": "mean", "of_inputs": True, "penalty": False}
    prior = {"value": 2000.0, "factor": 1.0, "reduction": "sum", "of_inputs": False, "penalty": False}
    return Event(0, "loss_terms", {"terms": [error, prior | changes]})


def test_a_sum_that_swamps_a_mean():
    assert pair(hand.record(hand.flat(), events=[terms()])) == ("wrong_objective", "loss_reduction")
    assert pair(hand.record(POOR, events=[terms(value=-2000.0, factor=-0.5)])) == ("wrong_objective", "loss_reduction")
    quiet(hand.record(hand.falling(), events=[terms()]))


@pytest.mark.parametrize("other", [{"value": 11.0}, {"factor": 0.001}, {"reduction": "mean"}, {"penalty": True}])
def test_terms_that_were_weighed_or_are_small(other):
    assert quiet(hand.record(POOR, events=[terms(**other)])).findings == ()


def reach(norms) -> Event:
    return Event(150, "input_reach", {"norms": [float(x) for x in norms], "of": 0})


def test_a_beginning_that_does_not_reach_the_loss():
    decays = 10.0 ** -np.linspace(9, 0, 30)
    assert pair(hand.record(POOR, events=[reach(decays)])) == ("plateau", "recurrent_contraction")
    noise_floor = np.maximum(decays, 1e-7 * np.random.default_rng(0).uniform(0.8, 1.2, 30))
    assert pair(hand.record(POOR, events=[reach(noise_floor)]))[1] == "recurrent_contraction"
    quiet(hand.record(hand.falling(), events=[reach(decays)]))
    # Where nothing is learned, half of that is enough.
    shorter = reach(10.0 ** -np.linspace(5, 0, 30))
    assert pair(hand.record(hand.flat(), events=[shorter]))[1] == "recurrent_contraction"
    quiet(hand.record(POOR, events=[shorter]))


@pytest.mark.parametrize(
    "norms",
    [
        10.0 ** -np.linspace(2, 0, 30),  # two decades: less than twelve depth scales
        10.0 ** -np.linspace(0, 6, 30),  # the end is what is forgotten: it was padded
        np.where(np.arange(30) < 20, 0.0, 1.0),  # a window
    ],
)
def test_sequences_that_are_read(norms):
    quiet(hand.record(POOR, events=[reach(norms)]))


def test_what_the_record_names_comes_before_what_is_forgotten():
    decays = reach(10.0 ** -np.linspace(6, 0, 30))
    shrinking = hand.updates(4, 0.05, weight=lambda tick: 6.4 * np.exp(-tick / 20))
    cut = hand.record(POOR, events=[decays], updates=shrinking, settings={"weight_decay": 0.5})
    assert first(cut).cause == "weight_decay_high"


def scheduled(end_loss: float, rates) -> tuple[Step, ...]:
    losses = [*hand.falling(200, end=0.05), *hand.noisy(np.full(100, end_loss), 0.02)]
    rows = hand.steps([abs(x) + 1e-3 for x in losses], [0.5] * 4)
    return tuple(
        Step(s.tick, 0, s.step, s.time, s.loss, 1, (float(rate),), False, None, s.gradients)
        for s, rate in zip(rows, rates, strict=True)
    )


def test_a_rate_raised_beyond_what_it_learned_at():
    raised = np.r_[np.full(200, 1e-3), np.full(100, 2e-2)]
    found = first(hand.record(steps=scheduled(0.7, raised)))
    assert (found.condition, found.cause, found.step) == ("divergence", "learning_rate_high", 200)
    quiet(hand.record(steps=scheduled(0.05, raised)))  # the loss stays
    # A restart goes back to a rate that was there before.
    quiet(hand.record(steps=scheduled(0.7, np.r_[np.linspace(2e-2, 1e-3, 200), np.full(100, 2e-2)])))


def thrown(count: int, dtypes=("float16",)):
    events = [Event(1, "gradients_discarded", {"count": count, "passes": 32}), Event(0, "autocast", {"dtypes": dtypes})]
    return hand.record(hand.flat(), events=events)


def test_steps_that_a_script_leaves_out_because_float16_overflows():
    found = first(thrown(27))
    assert (found.condition, found.cause) == ("non_finite", "precision_overflow")
    assert "27" in found.explanation
    for other in (thrown(8), thrown(27, ("bfloat16",))):
        assert first(other).cause != "precision_overflow"


def test_an_embedding_that_decay_wipes_out_is_most_of_the_model():
    sizes = [(1000, 64), (64, 64), (64, 64), (64, 64)]
    rows = tuple(
        type(p)(**({f: getattr(p, f) for f in p.__dataclass_fields__} | {"shape": shape}))
        for p, shape in zip(hand.parameters(4), sizes, strict=True)
    )

    def updates(shrinks: int):
        made = []
        for row in hand.updates(4, 0.05):
            norm = row.weight_norm.copy()
            norm[shrinks] *= np.exp(-row.tick / 20)
            made.append(type(row)(row.tick, norm, row.update_norm, row.unchanged))
        return tuple(made)

    def run(shrinks: int, losses=POOR, decay=0.01):
        changes = {"parameters": rows, "updates": updates(shrinks)}
        return hand.record(losses, optimizer="Adam", settings={"weight_decay": decay}, **changes)

    found = first(run(0))
    assert (found.condition, found.cause, found.where) == ("stalled_update", "weight_decay_high", ("layers.0",))
    quiet(run(1))  # a small weight
    quiet(run(0, decay=0.0))  # nothing decays it: the gradient does
    quiet(run(0, losses=hand.falling()))


def test_an_eps_that_was_raised_above_the_gradients():
    def run(eps, losses=POOR):
        settings, optimizer = {"eps": eps}, OptimizerInfo(0, "Adam", ({"lr": 0.1, "eps": eps},))
        return hand.record(losses, settings=settings, optimizer="Adam", norms=[1e-2] * 4, moved=1e-2,
                           optimizers=(optimizer,))  # fmt: skip

    assert pair(run(1e-2)) == ("stalled_update", "optimizer_epsilon")
    quiet(run(1e-8))
    quiet(run((1e-30, 1e-3)))  # Adafactor has two of another kind
    quiet(run(1e-2, hand.falling()))


def test_a_sum_no_larger_than_the_means_that_keeps_the_error_from_being_learned():
    equation = terms(value=1.3, of_inputs=True)
    stays = hand.ledger(4, objective=hand.cross_entropy(alone=False, value=hand.LOG_CLASSES))
    learns = hand.ledger(4, objective=hand.cross_entropy(alone=False, value=0.5))
    assert pair(hand.record(POOR, events=[equation], book=stays)) == ("wrong_objective", "loss_reduction")
    quiet(hand.record(POOR, events=[equation], book=learns))


def test_a_beginning_that_underflows_is_forgotten_and_one_that_is_cut_off_is_not():
    decays = 10.0 ** -np.linspace(60, 0, 30)
    assert pair(hand.record(POOR, events=[reach(np.where(decays < 1e-45, 0, decays))]))[1] == "recurrent_contraction"
    window = np.where(np.arange(30) < 24, 0.0, decays)
    quiet(hand.record(POOR, events=[reach(window)]))
