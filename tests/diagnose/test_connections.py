"""Objective, gradient and what connects weights with them.

Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.diagnose import diagnose
from gradclinic.schema.ledger import Objective
from gradclinic.schema.record import Event, OptimizerInfo, Record

from . import handmade as hand
from .verdicts import first, pair, quiet


def test_shapes_that_broadcast_are_wrong_even_where_the_loss_falls():
    objective = Objective("MseLoss", (128, 1), (128,), broadcast=((128, 1), (128,)))
    found = first(hand.record(hand.falling(), book=hand.ledger(4, objective=objective)))
    assert (found.condition, found.cause) == ("wrong_objective", "loss_broadcast")
    assert found.evidence["shape_joint"] == [128, 128]


def test_a_negated_cross_entropy_is_ascent():
    losses = [-2.3 - 0.05 * step**1.5 for step in range(200)]
    assert pair(hand.record(losses)) == ("wrong_objective", "gradient_ascent")


def test_an_update_with_the_wrong_sign_is_ascent_and_not_divergence():
    # GIVEN a loss that rises gently by what lr times the squared norm foretells: 0.1 * 4 * 0.1**2 a step
    losses = [2.3 + 0.004 * step for step in range(200)]
    assert pair(hand.record(losses, norms=[0.1] * 4)) == ("wrong_objective", "gradient_ascent")


def by_hand(losses, total) -> Record:
    """A script that updates its weights itself: no learning rate and no updates are known."""
    steps = hand.steps(losses, lambda step: [0.1 * losses[step]] * 4, lr=0.0, total=total)
    return hand.record(steps=steps, updates=(), optimizers=(OptimizerInfo(0, "by hand", ({},)),))


def test_without_a_learning_rate_the_gradients_direction_tells_ascent_from_an_unstable_step():
    losses = [2.3 * 1.05**step for step in range(200)]
    assert pair(by_hand(losses, lambda step: 1.0)) == ("wrong_objective", "gradient_ascent")
    found = first(by_hand(losses, lambda step: 1.0 if step % 2 else -1.0))
    assert (found.condition, found.cause) == ("divergence", "learning_rate_high")
    assert "ten times smaller" in found.action


def test_violent_steps_that_raise_the_loss_are_no_ascent():
    losses = [2.3 * 1.05**step for step in range(200)]
    steps = hand.steps(losses, [0.1] * 4, total=lambda step: 1.0)
    assert pair(hand.record(steps=steps, optimizer="Adam", moved=2.0)) == ("divergence", "learning_rate_high")


def test_a_wrong_backward_is_critical_even_where_the_loss_falls():
    event = Event(0, "wrong_backward", {"function": "Swish", "file": "net.py", "line": 12, "relative_error": 0.4})
    found = first(hand.record(hand.falling(), events=[event, event]))
    assert (found.condition, found.cause, found.where) == ("wrong_gradient", "wrong_backward", ("Swish", "net.py:12"))


def test_clipping_before_unscaling_is_named_with_its_real_limit():
    record = hand.record(hand.flat(), events=[Event(0, "clip_before_unscale", {"scale": 65536.0, "limit": 1.0})])
    found = first(record)
    assert found.cause == "clip_before_unscale"
    assert found.evidence["effective_limit"] == pytest.approx(1 / 65536)


def test_a_cut_graph_leaves_out_all_layers_before_the_cut():
    for losses in (hand.flat(), hand.falling()):
        found = first(hand.record(losses, norms=[None, None, 0.5, 0.5]))
        assert (found.condition, found.cause) == ("disconnected_parameter", "detached_graph")
        assert found.where == ("layers.0", "layers.1")
        assert "between `layers.1` and `layers.2`" in found.action


def test_an_unused_head_in_a_run_that_learns_is_a_note():
    report = quiet(hand.record(norms=[0.5, 0.5, 0.5, None]))
    assert [(f.condition, f.severity) for f in report.findings] == [("disconnected_parameter", "note")]


@pytest.mark.parametrize(("enabled", "grave"), [(True, "critical"), (False, "note")])
def test_a_layer_whose_values_reach_the_loss_is_not_unused(enabled, grave):
    cut = {"op": "argmax", "module": "layers.3", "enabled": enabled, "parameters": ["layers.3.weight"]}
    record = hand.record(norms=[0.5, 0.5, 0.5, None], events=[Event(0, "graph_cut", cut)])
    (found,) = diagnose(record).findings
    assert (found.cause, found.severity) == ("detached_graph", grave)
    assert ("`argmax` in `layers.3`" in found.action) is enabled


def test_unused_layers_behind_the_used_ones_are_no_cut_graph():
    report = quiet(hand.record(norms=[0.5, 0.5, None, None]))
    assert [f.severity for f in report.findings] == ["note"]


def test_frozen_layers_are_no_finding():
    from dataclasses import replace

    some = hand.parameters(4)
    frozen = tuple(replace(p, requires_grad=False, optimizer=None) if p.index < 2 else p for p in some)
    assert quiet(hand.record(norms=[None, None, 0.5, 0.5], parameters=frozen)).findings == ()


def test_an_optimizer_that_holds_another_models_parameters():
    found = first(hand.record(hand.flat(), norms=[None] * 4))
    assert found.cause == "detached_graph"
    assert "optimizer was given" in found.action


def test_steps_that_go_uphill():
    found = first(hand.record(hand.flat(), events=[Event(1, "uphill_step", {"cosine": 0.98})]))
    assert (found.condition, found.cause) == ("wrong_objective", "gradient_ascent")
    assert "+0.98" in found.explanation


def test_a_warm_up_that_never_ends():
    steps = [replace(step, lr=(2e-3 * step.step / 4000,)) for step in hand.steps(hand.flat(), [0.5] * 4)]
    found = first(hand.record(steps=tuple(steps), settings={"initial_lr": 2e-3}))
    assert (found.condition, found.cause) == ("stalled_update", "learning_rate_low")
    assert "5% of the 0.002" in found.explanation


def test_shapes_that_spread_where_the_ledger_knows_no_loss():
    event = Event(0, "accidental_outer", {"function": "sub", "left": [8, 1, 5], "right": [8, 5], "joint": [8, 8, 5]})
    found = first(hand.record(hand.flat(), events=[event]))
    assert (found.cause, found.evidence["shape_joint"]) == ("loss_broadcast", [8, 8, 5])


def test_layers_that_the_model_does_not_register():
    data = {"inside": "Net", "parameters": ["Linear.weight", "Linear.bias"], "count": 2, "elements": 20}
    found = first(hand.record(events=[Event(9, "orphan_parameters", data)]))
    assert (found.cause, found.severity, found.where) == ("frozen_parameter", "critical", ("Linear",))
    assert "nn.ModuleList" in found.action


@pytest.mark.parametrize(("since", "told"), [(1, True), (3, True), (60, False)])
def test_gradients_that_are_turned_off_after_the_first_steps(since, told):
    some = [0.5] * 4
    report = diagnose(hand.record(norms=lambda step: some if step < since else [None, None, None, 0.5]))
    found = [f for f in report.findings if f.cause == "frozen_parameter"]
    assert bool(found) is told
    if told:
        assert (found[0].step, found[0].where[0], found[0].severity) == (since, "layers.0", "critical")


def test_a_step_along_scaled_gradients():
    found = first(hand.record(hand.flat(), events=[Event(0, "stepped_while_scaled", {"scale": 1024.0})]))
    assert (found.condition, found.cause) == ("wrong_gradient", "optimizer_order")
    assert "scaler.step(optimizer)" in found.action
