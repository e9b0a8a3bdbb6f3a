"""The first value that is inf or nan, and what float16 loses.

Each condition and cause on the smallest record that has it, and on its nearest healthy neighbour.
"""

from __future__ import annotations

from dataclasses import replace

from gradclinic.schema.ledger import Entry, Ledger
from gradclinic.schema.record import Event, Record

from . import handmade as hand
from .verdicts import first, quiet

nan = float("nan")


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


def half(event: Event) -> Event:
    inputs = [item | {"dtype": "float16"} for item in event.data["inputs"]]
    return replace(event, data=event.data | {"inputs": inputs})


def test_a_product_of_matrices_written_in_half_overflows_while_the_loss_falls():
    losses = [*hand.falling(80), *[nan] * 20]
    found = first(broken(half(origin("Bmm", 80, low=-68.0, high=46.0)), losses=losses))
    assert (found.condition, found.cause) == ("non_finite", "precision_overflow")
    assert first(broken(origin("Bmm", 80, low=-68.0, high=46.0), losses=losses)).cause == "learning_rate_high"


def test_a_product_in_half_after_steps_that_threw_the_loss_up_is_their_doing():
    losses = [2.3, 9.0, 90.0, 900.0, *[nan] * 20]
    assert first(broken(half(origin("Bmm", 4, low=-9.0, high=9.0)), losses=losses)).cause == "learning_rate_high"


def chain(*links: tuple[int, str, tuple[int, ...], float]) -> Ledger:
    """An account of operations: number, name, inputs, RMS of the output."""
    entries = tuple(Entry(n, op, "loss", "head", (8,), below, forward_out=out) for n, op, below, out in links)
    return Ledger(entries, (), None, 0.0)


def test_a_product_of_many_probabilities_that_is_0_has_underflown():
    shrinks = chain((1, "Mul", (), 1e-3), (2, "Mul", (1,), 1e-36), (3, "Mul", (2,), 0.0), (4, "Log", (3,), 0.0))
    found = first(broken(origin("Log", 0, high=0.0), 0, book=shrinks))
    assert (found.cause, found.where) == ("precision_underflow", ("head", "Log"))
    plain = chain((1, "Relu", (), 0.0), (2, "Log", (1,), 0.0))
    assert first(broken(origin("Log", 0, high=0.0), 0, book=plain)).cause == "invalid_operation"


def test_a_quotient_of_exponentials_need_not_overflow():
    sigmoid = chain((1, "Exp", (), 1e30), (2, "Add", (1,), 1e30), (3, "Div", (1, 2), 1.0))
    softplus = chain((1, "Exp", (), 1e30), (2, "Add", (1,), 1e30), (3, "Log", (2,), 70.0))
    for book in (sigmoid, softplus):
        assert first(broken(origin("Exp", 0, high=160.0), 0, book=book)).cause == "precision_overflow"
    plain = chain((1, "Exp", (), 1e30), (2, "Addmm", (1,), 1e30))
    weight = replace(plain, entries=(plain.entries[0], replace(plain.entries[1], kind="weight")))
    assert first(broken(origin("Exp", 0, high=160.0), 0, book=weight)).cause == "unbounded_activation"
