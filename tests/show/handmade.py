"""Records and reports made by hand, small and complete, for every view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradclinic.schema.finding import Finding, NotEnoughData
from gradclinic.schema.ledger import Activity, Entry, Ledger, Line
from gradclinic.schema.record import (
    Ending,
    Event,
    LedgerRow,
    OptimizerInfo,
    ParameterInfo,
    Record,
    RunInfo,
    Step,
    Updates,
)
from gradclinic.schema.report import Report
from gradclinic.schema.vitals import Vitals, absent


def vitals(norms: Sequence[float | None]) -> Vitals:
    """One row per norm; ``None`` for an absent gradient, nan for one with a non-finite element."""
    table = absent(len(norms))
    for row, norm in enumerate(norms):
        if norm is None:
            continue
        table["count"][row] = 4096
        table["largest"][row] = 0.0
        if norm != norm:
            table["non_finite"][row] = 7
            continue
        if norm == 0:
            table["zeros"][row] = 4096
            continue
        exponent = int(np.floor(np.log2(norm)))
        table["square_sum"][row] = (norm / 2.0**exponent) ** 2
        table["square_exponent"][row] = exponent
        table["largest"][row] = table["smallest"][row] = norm / 64
    return table


def parameters(depth: int, prefix: str = "net") -> tuple[ParameterInfo, ...]:
    """``depth`` linear layers, ``net.0``, ``net.2``, ...: a weight and a bias each, with activations between."""
    found = []
    for k in range(depth):
        module = f"{prefix}.{2 * k}"
        found.append(ParameterInfo(2 * k, f"{module}.weight", (64, 64), "float32", True, module, "Linear", 0, 0))
        found.append(ParameterInfo(2 * k + 1, f"{module}.bias", (64,), "float32", True, module, "Linear", 0, 0))
    return tuple(found)


def chain(depth: int, activation: str, act: float, weight: float, prefix: str = "net") -> Ledger:
    """The ledger of a chain: each activation changes the gradient by ``act`` decades, each weight by ``weight``."""
    entries, lines, activities = [], [], []
    for k in range(depth):
        linear, sigmoid = f"{prefix}.{2 * k}", f"{prefix}.{2 * k + 1}"
        names = (f"{linear}.weight", f"{linear}.bias")
        entries.append(Entry(2 * k, "Addmm", "weight", linear, (32, 64), parameters=names, weight_rms=0.12))
        if k < depth - 1:
            entries.append(Entry(2 * k + 1, activation, "activation", sigmoid, (32, 64)))
            saturated = 0.93 if activation == "Sigmoid" else 0.0
            activities.append(
                Activity(sigmoid, activation, 2 * k + 1, 64, 0.4, (1, 5), 2, saturated, 3, 0.52 / (1 + k / 9), 0.9)
            )
    entries.append(Entry(2 * depth - 1, "NllLoss", "loss", "", ()))
    lines.append(Line(2 * depth - 1, "loss", "", "NllLoss", -0.31))
    gains = {"activation": act, "weight": weight}
    lines += [Line(e.sequence, e.kind, e.module, e.op, gains[e.kind]) for e in reversed(entries[1:-1])]
    total = sum(line.decades for line in lines if line.kind != "loss")
    return Ledger(tuple(entries), tuple(lines), total, 1e-9, tuple(activities))


def record(
    depth: int = 20,
    steps: int = 60,
    *,
    norm: Callable[[int, int], float | None],
    loss: Callable[[int], float | None],
    ledger: Ledger | None = None,
    ending: Ending | None = None,
    events: tuple[Event, ...] = (),
    **changes: Any,
) -> Record:
    """A run of ``depth`` layers: ``norm(layer, step)`` is the norm of a weight's gradient, nan or ``None``."""
    found = parameters(depth, changes.pop("prefix", "net"))

    def both(value: float | None) -> tuple[float | None, float | None]:
        return value, None if value is None else value / 8

    rows = tuple(
        Step(
            tick=t,
            optimizer=0,
            step=t,
            time=0.02 * t,
            loss=loss(t),
            backwards=1,
            lr=(0.1 * (1 - t / steps),),
            clip_norm=3.0 if t % 20 == 19 else None,
            clip_limit=1.0 if t % 20 == 19 else None,
            gradients=vitals([value for k in range(depth) for value in both(norm(k, t))]),
        )
        for t in range(steps)
    )
    updates = tuple(
        Updates(
            t,
            np.full(2 * depth, 4.0),
            np.array([0.1 * (norm(k // 2, t) or 0.0) for k in range(2 * depth)]),
            np.zeros(2 * depth),
        )
        for t in range(0, steps, 10)
    )
    base = Record(
        info=RunInfo(("train.py", "--lr", "0.1"), 1.7e9, "3.11.9", "Linux", "0.1.0", 4711, torch="2.13.0",
                     steps_planned=steps),
        ending=ending or Ending("finished", 1.7e9 + 0.02 * steps + 0.4, 0),
        parameters=found,
        optimizers=(OptimizerInfo(0, "SGD", ({"lr": 0.1, "momentum": 0.9},)),),
        steps=rows,
        updates=updates,
        ledgers=() if ledger is None else (LedgerRow(0, ledger), LedgerRow(steps - 1, ledger)),
        events=(*events, Event(steps - 1, "cost", {"seconds": 0.018})),
    )  # fmt: skip
    return replace(base, **changes)


def report(verdict: Any, headline: str, findings: Sequence[Finding] = (), **changes: Any) -> Report:
    """A report of a run."""
    base = Report(
        kind="run",
        verdict=verdict,
        headline=headline,
        findings=tuple(findings),
        undecided=(),
        run={"command": ["train.py", "--lr", "0.1"], "steps": 60, "seconds": 1.6},
        cost={"seconds": 0.018, "share": 0.011},
    )
    return replace(base, **changes)


VANISHING = Finding(
    condition="vanishing_gradient",
    cause="saturating_activation",
    where=tuple(f"net.{k}" for k in range(1, 39, 2)),
    step=0,
    severity="critical",
    confidence=0.97,
    evidence={
        "total_decades": -19.1,
        "activation_decades": -18.81,
        "weight_decades": -0.3,
        "first_layer_gradient_norm": 3.4e-21,
        "last_layer_gradient_norm": 0.041,
        "reference_decades_per_layer": 0.0,
        "decades_by_layer": [-0.99] * 19,
    },
    explanation=(
        "The gradient loses 19.1 decades between the head and the first layer, 18.8 of them in the 19 sigmoids: "
        "a sigmoid's slope is at most 1/4, so every layer divides ‖δ‖ by four or more. "
        "The first layers receive nothing that float32 could add to a weight."
    ),
    action="Replace the sigmoids by ReLU with Kaiming initialisation (or put a normalisation before each).",
    remedies=("replace_activation", "kaiming_init", "add_normalization"),
    source="Glorot & Bengio 2010; Schoenholz et al. 2017, χ = σ_w² E[φ'²]",
)

PLATEAU = Finding(
    condition="plateau",
    cause="saturating_activation",
    where=(),
    step=4,
    severity="warning",
    confidence=0.8,
    evidence={"loss_at_end": 2.3026, "constant_predictor_loss": 2.3026, "steps": 56},
    explanation="The loss stays at 2.303, which is what a constant prediction gets.",
    action="Cure the vanishing gradient first; this follows from it.",
)

SATURATED = Finding(
    condition="saturated_units",
    cause="weight_scale_large",
    where=("net.1", "net.3"),
    step=0,
    severity="note",
    confidence=0.6,
    evidence={"saturated_fraction": 0.93},
    explanation="93% of the outputs of two sigmoids sit where the slope is below a tenth of its largest.",
    action="Nothing by itself.",
)


def sick() -> tuple[Report, Record]:
    """Twenty sigmoid layers whose gradient vanishes."""
    ledger = chain(20, "Sigmoid", -0.99, -0.015)
    run = record(
        20,
        norm=lambda k, t: 0.041 * 10 ** (-1.02 * (19 - k)) * (1 + 0.3 * np.sin(t / 5 + k)),
        loss=lambda t: 2.3026 + 0.2 * float(np.exp(-t / 3)),
        ledger=ledger,
    )
    answer = report(
        "sick",
        "The gradient vanishes on its way to the first layers: 19 sigmoids take 18.8 of 19.1 decades.",
        (VANISHING, PLATEAU, SATURATED),
        undecided=(
            NotEnoughData("rank_collapse", "activations of two different inputs on one scheduled step"),
            NotEnoughData("oscillation", "200 steps"),
        ),
        ledger=ledger,
        ledger_step=59,
    )
    return answer, run


def healthy() -> tuple[Report, Record]:
    """Six ReLU layers that learn."""
    ledger = chain(6, "Relu", -0.15, 0.149)
    run = record(
        6,
        norm=lambda k, t: 0.3 * float(np.exp(-t / 40)) * (1 + 0.2 * np.sin(k + t)),
        loss=lambda t: 2.3 * float(np.exp(-t / 20)) + 0.02 * float(np.sin(t)),
        ledger=ledger,
    )
    note = Finding("converged", "convergence", (), 55, "note", 0.9, {"loss_at_end": 0.12},
                   "The gradient is small because the loss is.", "Nothing to do.")  # fmt: skip
    return report("healthy", "It trains: the loss fell from 2.3 to 0.12 in 60 steps.", (note,), ledger=ledger), run


def poisoned() -> tuple[Report, Record]:
    """A run whose gradients become nan at step 30 and that then died; one layer never had a gradient."""

    def norm(k: int, t: int) -> float | None:
        if k == 2:
            return None
        if k == 4 and t < 10:
            return 0.0
        return float("nan") if t >= 30 else 0.2

    run = record(
        8,
        40,
        norm=norm,
        loss=lambda t: float("nan") if t >= 30 else 1.0 / (1 + t),
        ending=Ending("failed", 1.7e9 + 3, 1, error="ValueError: loss is nan", traceback="Traceback ...\nValueError"),
    )
    finding = Finding("non_finite", "invalid_operation", ("head.log",), 30, "critical", 0.99,
                      {"inputs": [{"name": "input", "low": 0.0, "high": 1.0, "rms": 0.4, "non_finite": 0}],
                       "largest_before": float("inf")},
                      "log(0) in head.log gave -inf at step 30; everything after it is nan.",
                      "Clamp the input of the logarithm, or use log_softmax.")  # fmt: skip
    return report("sick", "log(0) in head.log made the first -inf at step 30.", (finding,)), run


def undecided() -> tuple[Report, Record]:
    """A script that never called backward."""
    run = record(0, 0, norm=lambda k, t: None, loss=lambda t: None)
    missing = (NotEnoughData("vanishing_gradient", "a backward pass"), NotEnoughData("plateau", "a loss"))
    return report("undecided", "Nothing was trained: no backward pass was seen.", undecided=missing), run


def _checkup(low: Any, high: Any, state: str, layers: int = 5) -> dict[str, Any]:
    """A window and what else a check-up measured, of a stack of ``layers``."""
    rows = [
        {"where": f"net.{2 * k}", "q": 0.1 * 0.5**k, "q_theory": 0.1 * 0.49**k, "growth": None} for k in range(layers)
    ]
    stack = {"depth": layers, "layers": rows, "words": "ordered, 3.2 depth scales deep", "theory": {"phase": "ordered"}}
    alike = [{"where": row["where"], "samples": {"cosine": 1 - 0.5 ** (k + 1)}} for k, row in enumerate(rows)]
    calls = [
        {"where": "", "largest": 2.0, "smallest": 0.1, "mean_square": 1.1, "variance": 0.4},
        {"where": "net.0", "why": "no input is a floating tensor"},
    ]
    return {
        "kind": "checkup",
        "window": {
            "lr": [1e-3],
            "lr_min": low,
            "lr_max": high,
            "lr_min_range": [low, low],
            "lr_max_range": [high, high],
            "steps": 500,
            "state": state,
        },
        "checkup": {
            "phases": {"stacks": [stack], "shortcuts": [], "unrecognized": []},
            "representations": {"outputs": alike, "skipped": []},
            "slope": None,
            "spectrum": {"calls": calls},
            "explained": [],
            "unmeasured": [{"what": "the gradient against finite differences", "why": "it is <b>rough</b>"}],
        },
    }


def foreseen() -> tuple[Report, Record]:
    """A check-up of a model that will train."""
    answer, run = healthy()
    changes = _checkup(1e-4, 0.1, "inside") | {"headline": "Healthy: this will train.", "findings": ()}
    return replace(answer, **changes, trains={"probability": 0.93}), run


def hopeless() -> tuple[Report, Record]:
    """A check-up of a model that no learning rate can train."""
    answer, run = sick()
    return replace(answer, **_checkup(float("inf"), 0.1, "empty", 20), trains={"probability": 0.01}), run
