"""Records made by hand: a chain of equal layers, with everything that a test does not name healthy and ordinary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradclinic.schema.ledger import Activity, Entry, Ledger, Line, Objective, Recurrence
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
from gradclinic.schema.vitals import Vitals, absent

Array = NDArray[np.float64]

INFO = RunInfo(
    command=("python", "train.py"), started=1000.0, python="3.12", platform="linux", gradclinic="0", pid=1, torch="2.9"
)
FINISHED = Ending("finished", 1010.0, 0)
WIDTH, CLASSES, BATCH = 64, 10, 128
LOG_CLASSES = float(np.log(CLASSES))


def parameters(
    depth: int, *, dtype: str = "float32", optimizer: int | None = 0, rms: float = 0.1
) -> tuple[ParameterInfo, ...]:
    """``depth`` square weights, layers.0 the first layer."""
    return tuple(
        ParameterInfo(
            i,
            f"layers.{i}.weight",
            (WIDTH, WIDTH),
            dtype,
            True,
            f"layers.{i}",
            "Linear",
            optimizer,
            0,
            rms=rms,
            fan_in=WIDTH,
        )
        for i in range(depth)
    )


def gradients(norms: Sequence[float | None], *, bad: Sequence[int] = (), total: float = 0.0) -> Vitals:
    """One row per norm: None for a gradient that was not there, 0.0 for one of zeros; ``bad`` rows hold a nan."""
    table = absent(len(norms))
    for row, norm in enumerate(norms):
        if norm is None:
            continue
        count = WIDTH * WIDTH
        table[row] = (count, 0, count if norm == 0 else 0, 0, total * (1 + row), norm**2, 0, norm or np.inf, norm)
    for row in bad:
        table[row]["non_finite"] = 1
    return table


def steps(
    losses: Sequence[float | None],
    norms: Sequence[float | None] | Callable[[int], Sequence[float | None]],
    *,
    lr: float = 0.1,
    optimizer: int = 0,
    backwards: int = 1,
    bad: Callable[[int], Sequence[int]] = lambda step: (),
    total: Callable[[int], float] = lambda step: 0.0,
    skipped: Callable[[int], bool] = lambda step: False,
    scale: float | None = None,
) -> tuple[Step, ...]:
    """One step per loss."""
    return tuple(
        Step(
            tick=i,
            optimizer=optimizer,
            step=i,
            time=0.01 * i,
            loss=loss,
            backwards=backwards,
            lr=(lr,) if lr else (),
            skipped=skipped(i),
            scale=scale,
            gradients=gradients(norms(i) if callable(norms) else norms, bad=bad(i), total=total(i)),
        )
        for i, loss in enumerate(losses)
    )


def updates(
    depth: int,
    relative: float | Callable[[int], float],
    *,
    ticks: Sequence[int] = (0, 1, 2, 5, 10, 50, 100),
    weight: Callable[[int], float] = lambda tick: 6.4,
    unchanged: float = 0.0,
) -> tuple[Updates, ...]:
    """Every weight has the norm ``weight(tick)`` and moves by ``relative`` of it."""
    rows = []
    for tick in ticks:
        norm = np.full(depth, weight(tick))
        part = relative(tick) if callable(relative) else relative
        rows.append(Updates(tick, norm, norm * part, np.full(depth, unchanged)))
    return tuple(rows)


def ledger(
    depth: int,
    *,
    activation: str = "Relu",
    slope: float = -0.1505,
    sigma: float = sqrt(2.0),
    weight: float | None = None,
    norm: float | None = None,
    input_rms: float = 1.0,
    special: tuple[int, float] | None = None,
    activities: Sequence[Activity] = (),
    objective: Objective | None = None,
    recurrences: Sequence[Recurrence] = (),
) -> Ledger:
    """A chain linear-activation-linear-…, the head last.  Each weight line gains ``weight`` decades (log10 of
    ``sigma`` unless given), each activation line ``slope``, each batch normalisation ``norm``.
    ``special`` = (layer, sigma) gives one layer another scale.
    """
    entries: list[Entry] = []
    lines: list[Line] = [Line(1000, "loss", "", "NllLoss", -1.0)]
    for i in range(depth):
        own = special[1] if special and special[0] == i else sigma
        entries.append(
            Entry(
                3 * i,
                "Addmm",
                "weight",
                f"layers.{i}",
                (BATCH, WIDTH),
                (3 * i - 1,) if i else (),
                (f"layers.{i}.weight",),
                forward_in=input_rms if i == 0 else 1.0,
                weight_rms=own / sqrt(WIDTH),
                fan_in=WIDTH,
            )
        )
        if i < depth - 1:
            entries.append(Entry(3 * i + 2, activation, "activation", f"act.{i}", (BATCH, WIDTH), (3 * i,)))
    for i in reversed(range(1, depth)):
        own = special[1] if special and special[0] == i else sigma
        lines.append(Line(3 * i, "weight", f"layers.{i}", "Addmm", log10(own) if weight is None else weight))
        if activation:
            lines.append(Line(3 * i - 1, "activation", f"act.{i - 1}", activation, slope))
        if norm is not None:
            lines.append(Line(3 * i - 2, "normalization", f"norm.{i - 1}", "NativeBatchNorm", norm))
    total = sum(line.decades for line in lines if line.kind != "loss")
    return Ledger(tuple(entries), tuple(lines), total, 0.0, tuple(activities), objective, tuple(recurrences))


def cross_entropy(logits: float = 0.3, **changes: Any) -> Objective:
    """The objective of a ten-class classifier with batches of 128; ``logits`` is the RMS of its logits."""
    fields: dict[str, Any] = {
        "op": "NllLoss",
        "prediction_shape": (BATCH, CLASSES),
        "target_shape": (BATCH,),
        "constant_loss": LOG_CLASSES - (CLASSES - 1) / (2 * BATCH),
        "classes": CLASSES,
        "prediction_rms": sqrt(LOG_CLASSES**2 + logits**2),
    }
    return Objective(**(fields | changes))


def activity(place: int, *, op: str = "Relu", dead: float = 0.0, saturated: float = 0.0) -> Activity:
    """One hidden activation of 64 units."""
    units = round(dead * WIDTH)
    return Activity(
        f"act.{place}", op, 3 * place + 2, WIDTH, 0.5 + dead / 2, tuple(range(units)), units, saturated, 0, 1.0
    )


def noisy(values: Array, sigma: float = 0.05, seed: int = 0) -> list[float | None]:
    """Values with normal noise."""
    return list(values + np.random.default_rng(seed).normal(0, sigma, len(values)))


def falling(count: int = 200, start: float = 2.32, end: float = 0.2) -> list[float | None]:
    """A loss as of a run that learns."""
    return noisy(end + (start - end) * np.exp(-np.arange(count) / (count / 5)))


def flat(count: int = 200, value: float = LOG_CLASSES, sigma: float = 0.02) -> list[float | None]:
    """A loss as of a run that does not."""
    return noisy(np.full(count, value), sigma)


def rows(*ledgers: tuple[int, Ledger]) -> tuple[LedgerRow, ...]:
    return tuple(LedgerRow(tick, item) for tick, item in ledgers)


def record(
    losses: Sequence[float | None] | None = None,
    *,
    depth: int = 4,
    norms: Sequence[float | None] | Callable[[int], Sequence[float | None]] | None = None,
    optimizer: str = "SGD",
    settings: dict[str, Any] | None = None,
    lr: float = 0.1,
    moved: float | Callable[[int], float] = 1e-3,
    book: Ledger | Sequence[tuple[int, Ledger]] | None = None,
    events: Sequence[Event] = (),
    ending: Ending | None = FINISHED,
    dtype: str = "float32",
    **changes: Any,
) -> Record:
    """A run of a classifier that learns, unless told otherwise.

    ``book`` is the ledger of steps 0, 1, 2, 5, 10 and 50, or (tick, ledger) pairs.  ``changes`` replace fields.
    """
    values = falling() if losses is None else losses
    kept = ledger(depth, objective=cross_entropy()) if book is None else book
    pairs = [(tick, kept) for tick in (0, 1, 2, 5, 10, 50)] if isinstance(kept, Ledger) else list(kept)
    fields: dict[str, Any] = {
        "parameters": parameters(depth, dtype=dtype),
        "optimizers": (OptimizerInfo(0, optimizer, ({"lr": lr} | (settings or {}),)),),
        "steps": steps(values, norms or [0.5] * depth, lr=lr),
        "updates": updates(depth, moved),
        "ledgers": rows(*pairs),
        "events": tuple(events),
    }
    return Record(INFO, ending, **(fields | changes))
