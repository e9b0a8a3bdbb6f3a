"""Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from gradclinic.diagnose import diagnose
from gradclinic.diagnose.conditions import loss_spike
from gradclinic.diagnose.evidence import Evidence
from gradclinic.schema.finding import Finding
from gradclinic.schema.ledger import Objective, Recurrence
from gradclinic.schema.record import Event, OptimizerInfo, ParameterInfo, Record
from gradclinic.schema.report import Report

from . import handmade as hand

nan = float("nan")


def first(record: Record) -> Finding:
    """The first finding of a run that is called sick."""
    report = diagnose(record)
    assert report.verdict == "sick", report.headline
    return report.findings[0]


def quiet(record: Record) -> Report:
    """A report that is not sick."""
    report = diagnose(record)
    assert report.verdict != "sick", (report.headline, report.findings)
    return report


def pair(record: Record) -> tuple[str, str]:
    found = first(record)
    return found.condition, found.cause


def stuck(depth: int = 12, moved: float = 1e-9, losses=None, **book) -> Record:
    """A run that does not learn, with a ledger of its own."""
    return hand.record(
        losses or hand.flat(), depth=depth, moved=moved, book=hand.ledger(depth, objective=hand.cross_entropy(), **book)
    )


# -- vanishing ------------------------------------------------------------------------------------


def test_sigmoids_take_what_no_initialisation_wins_back():
    found = first(stuck(activation="Sigmoid", slope=-0.65, sigma=1.0))
    assert (found.condition, found.cause) == ("vanishing_gradient", "saturating_activation")
    assert found.where[0] == "act.0"
    assert "ReLU" in found.action
    assert found.evidence["decades_of_cause"] == pytest.approx(-0.65 * 11)


def test_relu_is_innocent_where_the_weights_could_win_it_back():
    found = first(stuck(depth=30, sigma=1.0))  # Xavier: each layer keeps 1/sqrt(2)
    assert (found.condition, found.cause) == ("vanishing_gradient", "weight_scale_small")
    assert found.evidence["sigma_w_critical"] == pytest.approx(sqrt(2))
    assert "kaiming" in found.action


def test_the_one_layer_with_small_weights_is_named():
    found = first(stuck(depth=30, special=(17, 0.001)))
    assert found.cause == "weight_scale_small"
    assert found.where[0] == "layers.17"


def test_the_worst_of_many_small_layers_comes_first():
    found = first(stuck(depth=30, sigma=1.0, special=(17, 0.01)))
    assert found.cause == "weight_scale_small"
    assert found.where[0] == "layers.17"
    assert first(stuck(depth=30, sigma=1.0)).where[0] == "layers.1"


def test_large_weights_that_saturate_tanh_are_to_blame_and_not_tanh():
    found = first(stuck(activation="Tanh", slope=-1.0, sigma=5.0))
    assert (found.condition, found.cause) == ("vanishing_gradient", "weight_scale_large")


def test_a_recurrence_that_contracts_is_named_as_one():
    grads = tuple(10.0 ** (-0.3 * (29 - t)) for t in range(30))
    loop = Recurrence("cell", "Addmm", "cell.weight_hh", grads)
    found = first(stuck(depth=30, activation="Tanh", slope=-0.06, sigma=0.57, recurrences=[loop]))
    assert (found.condition, found.cause) == ("vanishing_gradient", "recurrent_contraction")
    assert found.where == ("cell",)
    assert found.evidence["gain_per_repetition"] == pytest.approx(10**-0.3)


def test_a_gradient_that_vanishes_in_a_run_that_learns_is_no_finding():
    assert quiet(stuck(losses=hand.falling(), activation="Sigmoid", slope=-0.65, sigma=1.0)).findings == ()


def test_a_moderate_loss_through_depth_is_not_blamed_for_a_learning_rate_that_is_too_high():
    # Four default-initialised ReLU layers lose 1.2 decades and more; they train all the same.
    record = hand.record(
        [2.3, 40.0, 20.0, *hand.flat(150)], depth=5, moved=3.0,
        book=hand.ledger(5, sigma=0.577, objective=hand.cross_entropy()),
    )  # fmt: skip
    assert first(record).cause == "learning_rate_high"


def test_a_gate_that_starts_at_zero_passes_nothing_at_first():
    # ReZero, LoRA, zero-initialised heads: step 0 passes nothing, later steps do.
    closed, opened = hand.ledger(12, weight=-7.0), hand.ledger(12, objective=hand.cross_entropy())
    book = [(0, closed), (1, opened), (2, opened), (5, opened)]
    outcomes = diagnose(hand.record(hand.flat(), depth=12, book=book)).findings
    assert "vanishing_gradient" not in [f.condition for f in outcomes]


def test_too_few_steps_leave_it_a_warning():
    report = diagnose(stuck(losses=hand.flat(8), activation="Sigmoid", slope=-0.65, sigma=1.0))
    assert report.verdict == "undecided"
    assert (report.findings[0].condition, report.findings[0].severity) == ("vanishing_gradient", "warning")


# -- exploding ------------------------------------------------------------------------------------


def test_large_weights_explode():
    found = first(stuck(sigma=5.0, moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "weight_scale_large")
    assert found.evidence["decades_grown"] == pytest.approx(11 * (np.log10(5) - 0.1505), rel=1e-3)


def test_a_start_far_beyond_a_constant_prediction_is_not_excused_by_what_is_learned_later():
    objective = hand.cross_entropy(value=500.0)
    book = hand.ledger(12, sigma=5.0, objective=objective)
    found = first(hand.record(depth=12, book=book))
    assert (found.condition, found.cause, found.severity) == ("exploding_gradient", "weight_scale_large", "critical")
    assert quiet(hand.record(depth=12, book=hand.ledger(12, sigma=5.0, objective=hand.cross_entropy()))).findings == ()


def test_batch_normalisation_in_a_deep_stack_explodes_by_itself():
    # 0.083 decades per layer, whatever the weights (Yang 2019).
    found = first(stuck(depth=40, sigma=0.577, norm=0.083 + 0.1505 - np.log10(0.577), moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "normalization_depth")
    assert found.evidence["gain_per_layer"] == pytest.approx(10**0.083, rel=1e-3)


def test_an_activation_without_bound_explodes():
    found = first(stuck(activation="Exp", slope=0.5, sigma=0.577, moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "unbounded_activation")


def test_a_recurrence_that_expands_is_named_as_one():
    grads = tuple(10.0 ** (0.2 * (29 - t)) for t in range(30))
    found = first(stuck(depth=30, sigma=2.5, recurrences=[Recurrence("cell", "Addmm", "w", grads)], moved=0.01))
    assert (found.condition, found.cause) == ("exploding_gradient", "recurrent_expansion")


# -- steps that are too large ---------------------------------------------------------------------

THROWN = [2.3, 40.0, 90.0, 200.0, *np.linspace(200, 400, 96)]


def test_steps_as_large_as_the_weights_diverge():
    found = first(hand.record(THROWN, moved=2.0, lr=3.0))
    assert (found.condition, found.cause, found.step) == ("divergence", "learning_rate_high", 1)
    assert "from 3 to 0.3" in found.action


def test_unscaled_inputs_are_named_before_the_learning_rate():
    book = hand.ledger(4, input_rms=120.0, objective=hand.cross_entropy())
    assert pair(hand.record(THROWN, moved=2.0, book=book)) == ("divergence", "input_scale")
    # An optimizer that divides by the gradient's size takes steps that do not depend on it.
    assert pair(hand.record(THROWN, moved=2.0, book=book, optimizer="Adam")) == ("divergence", "learning_rate_high")


def test_a_summed_loss_is_named_before_the_learning_rate():
    objective = hand.cross_entropy(constant_loss=hand.BATCH * (hand.LOG_CLASSES - 0.035))
    losses = [hand.BATCH * value for value in THROWN]
    book = hand.ledger(4, objective=objective)
    assert pair(hand.record(losses, moved=2.0, book=book)) == ("divergence", "loss_reduction")
    assert pair(hand.record(losses, moved=2.0, book=book, optimizer="Adam")) == ("divergence", "learning_rate_high")


def test_unscaled_targets_are_named():
    objective = Objective("MseLoss", (128, 1), (128, 1), 1e8, prediction_rms=0.1, target_rms=1e4, target_mean=0.0)
    losses = [1e8, 1e10, 1e12, *np.linspace(1e12, 1e14, 97)]
    assert pair(hand.record(losses, moved=2.0, book=hand.ledger(4, objective=objective))) == (
        "divergence",
        "target_scale",
    )


def test_an_initialisation_that_explodes_is_named_before_the_learning_rate():
    found = first(
        hand.record(THROWN, moved=2.0, depth=12, book=hand.ledger(12, sigma=5.0, objective=hand.cross_entropy()))
    )
    assert (found.condition, found.cause) == ("exploding_gradient", "weight_scale_large")
    later = {c["condition"]: c["cause"] for c in found.evidence["consequences"]}
    assert later["divergence"] == "weight_scale_large"


def test_units_that_die_after_violent_steps_are_a_consequence():
    alive = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1)])
    dead = hand.ledger(4, objective=hand.cross_entropy(), activities=[hand.activity(1, dead=1.0)])
    book = [(0, alive), (1, alive), (2, dead), (5, dead), (10, dead)]
    found = first(hand.record([2.3, 40.0, 9.0, *hand.flat(150)], moved=2.0, book=book))
    assert found.cause == "learning_rate_high"
    died = next(c for c in found.evidence["consequences"] if c["condition"] == "dead_units")
    assert died["step"] == 2


def spiked(*, large_at: int) -> Record:
    """A loss that settles at 1 and jumps to 9 at step 100; the gradient is 50 times its size at ``large_at``."""
    losses = [*hand.falling(100, end=1.0), *hand.flat(100, 9.0)]
    norms = lambda step: [25.0 if step == large_at else 0.5] * 4  # noqa: E731
    return hand.record(losses, norms=norms, book=hand.ledger(4))


@pytest.mark.parametrize(("large_at", "cause"), [(99, "learning_rate_high"), (100, "input_scale")])
def test_what_came_first_tells_a_long_step_from_a_strange_batch(large_at: int, cause: str):
    found = loss_spike.CONDITION.check(Evidence(spiked(large_at=large_at)))
    assert isinstance(found, Finding)
    assert (found.step, found.cause) == (100, cause)
    assert found.evidence["loss_before"] == pytest.approx(1.0, rel=0.2)


def test_a_spike_that_heals_is_no_finding():
    losses = [*hand.falling(100, end=0.5), 50.0, 20.0, *hand.falling(100, end=0.2)[50:]]
    quiet(hand.record(losses))


def test_an_error_with_a_negative_gradient_is_climbed():
    def objective(value: float, sign: float) -> Objective:
        return Objective("Sub Pow", (64, 1), (64, 1), 1.0, value=value, alone=True, sign=sign)

    def climbing(sign: float) -> Record:
        book = [(t, hand.ledger(4, objective=objective(1.0 + t, sign))) for t in (0, 1, 2, 5)]
        return hand.record(list(-np.linspace(1, 50, 100)), book=book)

    assert pair(climbing(-1.0)) == ("wrong_objective", "gradient_ascent")
    quiet(climbing(1.0))


def test_a_full_batch_loss_on_an_orbit_oscillates():
    orbit = [2.6 if step % 2 else 2.0 for step in range(200)]
    assert pair(hand.record(orbit, ledgers=())) == ("oscillation", "learning_rate_high")


# -- steps that are too small ---------------------------------------------------------------------


def test_a_learning_rate_that_is_too_low():
    found = first(hand.record(hand.flat(), lr=1e-7, moved=1e-9))
    assert (found.condition, found.cause) == ("stalled_update", "learning_rate_low")
    assert found.evidence["travel_largest"] == pytest.approx(2e-7)


def test_weights_that_moved_enough_are_not_stalled():
    assert pair(hand.record(hand.flat(), moved=1e-3))[0] == "plateau"


def test_updates_rounded_away_in_bfloat16_and_only_there():
    changes = {"updates": hand.updates(4, 1e-6, unchanged=0.99)}
    assert pair(hand.record(hand.flat(), dtype="bfloat16", **changes)) == ("stalled_update", "precision_rounding")
    assert pair(hand.record(hand.flat(), dtype="float32", **changes)) == ("stalled_update", "learning_rate_low")


def test_gradients_below_eps():
    record = hand.record(hand.flat(), optimizer="Adam", settings={"eps": 1e-3}, norms=[1e-3] * 4, moved=1e-6)
    assert pair(record) == ("stalled_update", "optimizer_epsilon")


def test_weights_that_only_decay():
    shrinking = hand.updates(4, 0.05, weight=lambda tick: 6.4 * np.exp(-tick / 20))
    record = hand.record(hand.flat(), settings={"weight_decay": 0.5}, updates=shrinking)
    assert pair(record) == ("stalled_update", "weight_decay_high")
    assert quiet(hand.record(hand.falling(), settings={"weight_decay": 0.5}, updates=shrinking)).findings == ()
    # A gradient that vanishes because the weights shrank is a consequence.
    books = [hand.ledger(12, sigma=sigma, objective=hand.cross_entropy()) for sigma in (1.4, 0.1, 0.01)]
    starved = hand.record(
        hand.flat(),
        depth=12,
        settings={"weight_decay": 0.5},
        book=list(zip((0, 50, 100), books, strict=True)),
        updates=hand.updates(12, 1e-5, weight=lambda tick: 6.4 * np.exp(-tick / 20)),
    )
    assert pair(starved) == ("stalled_update", "weight_decay_high")
    # A run that learns, but took less than half of the way, is held back by it.
    poor = hand.record(hand.falling(end=1.6), settings={"weight_decay": 0.5}, updates=shrinking)
    assert pair(poor) == ("stalled_update", "weight_decay_high")


def test_an_attention_that_has_chosen_before_it_learned():
    def attends(squares):
        book = hand.ledger(4, objective=hand.cross_entropy())
        chosen = replace(
            book.entries[1], op="Softmax", kind="other", module="attention", shape=(128, 16),
            forward_out=sqrt(squares / 16), sequence=book.entries[0].sequence,
        )  # fmt: skip
        return replace(book, entries=(*book.entries, chosen))

    poor = hand.falling(end=1.6)
    found = first(hand.record(poor, book=attends(0.9)))
    assert (found.condition, found.cause) == ("saturated_units", "saturating_activation")
    assert found.where == ("attention",)
    assert found.evidence["mean_sum_p_squared"] == pytest.approx(0.9)
    assert quiet(hand.record(poor, book=attends(0.2))).findings == ()
    assert quiet(hand.record(book=attends(0.9))).findings == ()  # it does well all the same


# -- non-finite -----------------------------------------------------------------------------------


def origin(
    op: str, tick: int = 3, direction: str = "forward", low: float = 0.0, high: float = 1.0, bad: int = 0
) -> Event:
    inputs = [{"name": "input", "low": low, "high": high, "rms": 1.0, "non_finite": bad}]
    return Event(
        tick,
        "non_finite_origin",
        {"direction": direction, "op": op, "module": "head", "inputs": inputs, "how": "graph"},
    )


def broken(event: Event | None, steps: int = 3, losses=None, **changes) -> Record:
    losses = [*hand.flat(steps), *[nan] * 20] if losses is None else losses
    return hand.record(losses, events=[event] if event else [], **changes)


def test_a_logarithm_of_zero_is_an_invalid_operation():
    found = first(broken(origin("Log")))
    assert (found.condition, found.cause, found.step) == ("non_finite", "invalid_operation", 3)
    assert found.where == ("head", "Log")
    assert found.evidence["inputs"][0]["low"] == 0.0


def test_all_targets_ignored_is_an_empty_target():
    assert first(broken(origin("NllLoss", 0), 0)).cause == "empty_target"


def test_bad_data_is_named_as_such():
    found = first(broken(origin("Addmm", direction="input", bad=3)))
    assert "batch itself" in found.explanation


def test_a_loss_that_grew_first_is_the_learning_rate_and_comes_before_the_nan():
    losses = [2.3, 50.0, 1e4, 1e9, *[nan] * 40]
    found = first(broken(origin("Log", 4), losses=losses, moved=3.0))
    assert (found.condition, found.cause) == ("divergence", "learning_rate_high")
    later = next(c for c in found.evidence["consequences"] if c["condition"] == "non_finite")
    assert (later["cause"], later["where"], later["step"]) == ("learning_rate_high", list(found.where), 4)
    assert later["op"] == "Log"


def test_half_precision_overflows():
    record = broken(origin("Addmm", 0, high=60000.0, low=-60000.0), 0, dtype="float16")
    assert first(record).cause == "precision_overflow"


def test_an_exponential_overflows():
    assert first(broken(origin("Exp", high=92.0))).cause == "unbounded_activation"


def test_an_exponential_in_the_loss_is_a_matter_of_range():
    book = hand.ledger(4, objective=hand.cross_entropy())
    after = max(entry.sequence for entry in book.entries) + 1
    book = replace(book, entries=(*book.entries, replace(book.entries[-1], op="Exp", kind="other", sequence=after)))
    found = first(broken(origin("Exp", 0, high=92.0), 0, book=book))
    assert found.cause == "precision_overflow"
    assert "logsumexp" in found.action


def test_a_product_of_signals_that_outgrows_float32_is_no_invalid_operation():
    assert first(broken(origin("Mul", 0, high=1e33, low=-1e33), 0)).cause == "unbounded_activation"
    assert first(broken(origin("Mul", 0, high=1.0, bad=3), 0)).cause == "invalid_operation"


def test_a_zero_in_float16_is_what_was_too_small_for_it():
    event = origin("Log", 0)
    event.data["inputs"][0]["dtype"] = "float16"
    assert first(broken(event, 0)).cause == "precision_underflow"
    # Where float32 does not help either, the value is 0 in any format.
    plain = {"losses": [nan, nan], "loss": nan, "gradient": nan, "first": None, "last": None, "decades": None, "of": 0}
    tests = [
        Event(0, "intervention", plain | {"change": change, "what": "float32", "where": []})
        for change in ("", "precision")
    ]
    record = hand.record([nan] * 20, events=[event, *tests])
    assert first(record).cause == "invalid_operation"


def test_gradients_at_the_end_of_float16_are_told_even_where_it_learns():
    def flushed(**more):
        record = hand.record(norms=[0.5, 0.5, 0.5, 3e-6], **more)
        for step in record.steps:
            step.gradients["zeros"][3] = int(0.9 * step.gradients["count"][3])
        return record

    half = Event(0, "autocast", {"dtypes": ["float16"]})
    found = first(flushed(events=[half]))
    assert (found.condition, found.cause, found.severity) == ("zero_gradient", "precision_underflow", "critical")
    assert found.where == ("layers.3",)
    assert quiet(flushed()).findings == ()
    assert quiet(flushed(events=[Event(0, "autocast", {"dtypes": ["bfloat16"]})])).findings == ()
    assert quiet(hand.record(norms=[0.5, 0.5, 0.5, 3e-6], events=[half])).findings == ()  # small, and all there


def test_a_scaler_that_looks_for_its_scale_is_healthy():
    # GIVEN two steps held back at the start, with the events that go with them
    steps = hand.steps(
        hand.falling(), [0.5] * 4, scale=32768.0, skipped=lambda i: i < 2, bad=lambda i: (0, 1) if i < 2 else ()
    )
    events = [
        origin("Mul", 0, "backward"),
        Event(0, "scaler_skip", {"scale": 65536.0}),
        Event(1, "scaler_skip", {"scale": 32768.0}),
    ]
    assert quiet(hand.record(steps=steps, events=events)).findings == ()


def test_a_scaler_that_never_finds_one_is_sick():
    steps = hand.steps(
        hand.flat(60), [0.5] * 4, scale=1e-8, skipped=lambda i: i >= 10, bad=lambda i: (0, 1) if i >= 10 else ()
    )
    found = first(hand.record(steps=steps))
    assert (found.condition, found.cause) == ("non_finite", "precision_overflow")


def test_one_bad_step_in_a_run_that_learns_is_a_note():
    losses = hand.falling()
    losses[40] = nan
    report = quiet(broken(origin("Log", 40), losses=losses))
    assert [(f.condition, f.severity) for f in report.findings] == [("non_finite", "note")]


# -- objective, gradient, connections -------------------------------------------------------------


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


# -- units ----------------------------------------------------------------------------------------


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


# -- the rest -------------------------------------------------------------------------------------


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
