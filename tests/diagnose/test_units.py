"""Units that are dead or saturated, and what is left to learn.

Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradclinic.schema.record import Event, OptimizerInfo, ParameterInfo, Record

from . import handmade as hand
from .verdicts import first, pair, quiet

nan = float("nan")


def test_weights_that_all_start_at_zero_are_symmetric():
    record = hand.record(hand.flat(), norms=[0.0] * 4, parameters=hand.parameters(4, rms=0.0), updates=())
    assert pair(record) == ("zero_gradient", "symmetric_init")


def test_the_softmax_of_one_output_has_no_slope():
    book = hand.ledger(4, objective=hand.cross_entropy(classes=1, prediction_shape=(128, 1), constant_loss=0.0))
    assert pair(hand.record([0.0] * 200, norms=[0.0] * 4, book=book)) == ("zero_gradient", "loss_mismatch")


def test_adapters_with_a_gradient_of_zero_at_first_are_healthy():
    record = hand.record(norms=lambda step: [0.0, 0.0, 0.0, 0.5] if step == 0 else [0.5] * 4)
    assert quiet(record).findings == ()


def test_dead_units_in_a_run_that_learns_are_a_note_at_most():
    for share in (0.3, 0.6, 1.0):
        book = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1, dead=share)])
        assert [f.severity for f in quiet(hand.record(book=book)).findings] in ([], ["note"])


def test_most_layers_without_their_units_are_sick_even_where_the_loss_falls():
    dead = [hand.activity(layer, dead=0.97) for layer in (1, 2)]
    book = hand.ledger(4, objective=hand.cross_entropy(), activities=[*dead, hand.activity(3, dead=0.1)])
    assert first(hand.record(book=book)).condition == "dead_units"
    book = hand.ledger(4, objective=hand.cross_entropy(), activities=[dead[0], hand.activity(3, dead=0.1)])
    quiet(hand.record(book=book))


def test_gradients_cleared_between_backward_and_step():
    event = Event(3, "gradient_cleared_before_step", {"optimizer": "Adam"})
    gone = hand.record(hand.flat(), norms=[None] * 4, events=[event])
    assert pair(gone) == ("disconnected_parameter", "optimizer_order")
    assert pair(hand.record(hand.flat(), norms=[None] * 4)) == ("disconnected_parameter", "detached_graph")


@pytest.mark.parametrize(("eps", "cause"), [(1e-8, "optimizer_epsilon"), (1e-4, None)])
def test_an_eps_that_is_zero_in_half_precision(eps: float, cause: str | None):
    event = Event(1, "non_finite_origin", {"direction": "parameter", "op": "Addmm", "module": "layers.0", "inputs": []})
    losses = [2.3, *[nan] * 40]
    record = hand.record(losses, optimizer="Adam", settings={"eps": eps}, events=[event], dtype="float16", lr=1e-3)
    found = first(record)
    assert found.condition == "non_finite"
    assert (found.cause == "optimizer_epsilon") == (cause is not None)


def test_an_absolute_error_against_labels():
    def labels(mean: float, rms: float) -> Record:
        fields = {"op": "L1Loss", "classes": None, "target_mean": mean, "target_rms": rms}
        return hand.record(hand.flat(), book=hand.ledger(4, objective=hand.cross_entropy(**fields)))

    assert first(labels(0.5, 0.5**0.5)).cause == "loss_mismatch"
    assert first(labels(0.5, 0.9)).cause == "unknown"


def test_a_normalisation_over_one_value_erases_its_input():
    book = hand.ledger(4, objective=hand.cross_entropy())
    entries = tuple(
        replace(entry, kind="normalization", forward_in=0.3, forward_out=0.0) if index == 1 else entry
        for index, entry in enumerate(book.entries)
    )
    found = first(hand.record(hand.flat(), norms=[0.0] * 4, book=replace(book, entries=entries)))
    assert (found.condition, found.cause) == ("zero_gradient", "normalization_placement")


def test_a_second_phase_that_trains_a_bias_only():
    weights = [replace(p, requires_grad=False, optimizer=None) for p in hand.parameters(3)]
    bias = ParameterInfo(3, "layers.3.bias", (10,), "float32", True, "layers.3", "Linear", 1, 0)
    trained = replace(hand.parameters(4)[3], index=4, name="old.weight", module="old", optimizer=0)
    early = hand.steps(hand.falling(100), [None] * 4 + [0.5])
    late = [
        replace(step, tick=100 + step.tick, optimizer=1)
        for step in hand.steps(hand.flat(150), [None] * 3 + [0.5, None])
    ]
    optimizers = tuple(OptimizerInfo(i, "Adam", ({"lr": 0.1},)) for i in (0, 1))
    book = hand.ledger(4, objective=hand.cross_entropy())
    record = hand.record(steps=(*early, *late), parameters=(*weights, bias, trained), optimizers=optimizers, book=book)
    assert pair(record) == ("disconnected_parameter", "frozen_parameter")


def test_saturated_units_are_blamed_on_weights_far_above_critical():
    book = hand.ledger(
        4, activation="Tanh", slope=-0.5, sigma=5.0, weight=0.5, objective=hand.cross_entropy(),
        activities=[hand.activity(1, op="Tanh", saturated=0.97)],
    )  # fmt: skip
    assert pair(hand.record(hand.flat(), book=book)) == ("saturated_units", "weight_scale_large")


def test_a_saturated_output_is_what_a_good_classifier_has():
    output = hand.activity(3, op="Sigmoid", saturated=0.99)
    book = hand.ledger(4, objective=hand.cross_entropy(), activities=[output])
    assert quiet(hand.record(book=book)).findings == ()
    found = first(hand.record(hand.flat(), book=book))
    assert "saturated_units" not in [found.condition, *(c["condition"] for c in found.evidence.get("consequences", []))]


def test_a_plateau_without_a_reference_is_not_called_sick():
    report = quiet(hand.record(hand.flat(), book=hand.ledger(4)))
    assert report.verdict == "undecided"


def test_converged_is_a_note_and_small_gradients_are_then_no_finding():
    report = quiet(hand.record(hand.falling(400, end=0.001), norms=lambda step: [0.5 * 0.97**step] * 4))
    assert [f.condition for f in report.findings] == ["converged"]
    assert report.verdict == "healthy"


def test_adversaries_are_left_alone():
    # GIVEN a discriminator that settles at ln 2 and a generator whose loss rises
    one = hand.steps(hand.flat(100, 0.69, 0.01), [0.5, 0.5, None, None], optimizer=0)
    two = hand.steps(hand.noisy(np.linspace(0.7, 3.0, 100)), [None, None, 0.5, 0.5], optimizer=1)
    from dataclasses import replace

    steps = tuple(replace(s, tick=2 * s.step + s.optimizer) for pair in zip(one, two, strict=True) for s in pair)
    parameters = tuple(replace(p, optimizer=p.index // 2) for p in hand.parameters(4))
    optimizers = (OptimizerInfo(0, "Adam", ({"lr": 1e-3},)), OptimizerInfo(1, "Adam", ({"lr": 1e-3},)))
    report = quiet(hand.record(steps=steps, parameters=parameters, optimizers=optimizers, book=hand.ledger(4)))
    assert report.findings == ()
