"""The plain facts of a run and the ledger's account in one sentence; shared by the terminal and the page."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from gradclinic.schema.finding import Verdict
from gradclinic.schema.ledger import Ledger, Line
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report

from .guard import guard_line
from .words import KIND_WORDS, STATUS_WORDS, duration, number, plain, plural, share, signed


@dataclass(frozen=True, slots=True)
class Facts:
    """How a run went; ``None`` where the record does not say."""

    command: str
    steps: int
    planned: int | None
    seconds: float | None
    losses: tuple[tuple[int, float], ...]  #: (tick, loss) of the steps whose loss was seen
    status: str  #: in words
    exit_code: int | None
    error: str | None
    skipped: int
    parameters: int  #: elements, tied ones once
    optimizers: str
    watching: float | None  #: seconds spent inside gradclinic
    watching_share: float | None
    unseen: tuple[str, ...]  #: what gradclinic could not see or what failed inside it
    guard: str = ""  #: what the guard did, in words; empty where there was none


def facts(report: Report, record: Record | None) -> Facts:
    """Gathers the facts of a report and its record.  ``record`` is ``None`` for a check-up without one."""
    watching = _float(report.cost.get("seconds"))
    if record is None:
        command = report.run.get("command", "")
        return Facts(
            command=_joined(command), steps=int(report.run.get("steps") or 0), planned=None,
            seconds=_float(report.run.get("seconds")), losses=(), status="", exit_code=None, error=None, skipped=0,
            parameters=0, optimizers="", watching=watching, watching_share=_float(report.cost.get("share")),
            unseen=() if report.ledger is None else report.ledger.unseen,
        )  # fmt: skip
    ending, steps, counted = record.ending, record.steps, report.run.get("steps")
    seconds = ending.finished - record.info.started if ending else (steps[-1].time if steps else None)
    if watching is None:
        costs = [_float(event.data.get("seconds")) for event in record.events if event.kind == "cost"]
        watching = costs[-1] if costs else None
    portion = _float(report.cost.get("share"))
    if portion is None and watching is not None and seconds:
        portion = watching / seconds
    return Facts(
        command=_joined(record.info.command),
        steps=counted if isinstance(counted, int) else (steps[-1].tick + 1 if steps else 0),
        planned=record.info.steps_planned,
        seconds=seconds,
        losses=tuple((step.tick, step.loss) for step in steps if step.loss is not None),
        status=STATUS_WORDS[ending.status] if ending else "killed, or still running",
        exit_code=ending.exit_code if ending else None,
        error=ending.error if ending else None,
        skipped=sum(step.skipped for step in steps),
        parameters=sum(math.prod(parameter.shape) for parameter in record.parameters),
        optimizers=", ".join(plain(optimizer.name) for optimizer in record.optimizers),
        watching=watching,
        watching_share=portion,
        unseen=_unseen(report, record),
        guard=guard_line(report.run.get("guard")),
    )


def _unseen(report: Report, record: Record) -> tuple[str, ...]:
    found = list(report.ledger.unseen) if report.ledger else []
    for event in record.events:
        if event.kind == "compiled":
            found.append(f"compiled region: {event.data.get('what', '')}")
        elif event.kind == "checkpoint":
            found.append("checkpointed activations")
        elif event.kind == "capture_failure":
            found.append(f"gradclinic failed in {event.data.get('where', '?')}: {event.data.get('error', '?')}")
    return tuple(dict.fromkeys(plain(item) for item in found))


def _joined(command: object) -> str:
    return " ".join(plain(part) for part in command) if isinstance(command, (list, tuple)) else plain(command)


def _float(item: object) -> float | None:
    return float(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else None


def badge_of(report: Report) -> tuple[Verdict, str]:
    """The verdict that gives the colour, and the word on it."""
    cured = report.treatment is not None and report.treatment.cured
    return ("healthy", "cured") if cured else (report.verdict, report.verdict)


def headline(report: Report) -> str:
    """The headline without a verdict at its start, which stands before it anyway."""
    text, verdict = plain(report.headline), f"{report.verdict}: "
    if text.lower().startswith(verdict) and len(text) > len(verdict):
        text = text[len(verdict)].upper() + text[len(verdict) + 1 :]
    return text


def run_line(known: Facts) -> list[str]:
    """The facts of a run as short pieces, most wanted first."""
    pieces = [plural(known.steps, "step")]
    if known.seconds is not None:
        pieces[0] += f" in {duration(known.seconds)}"
    if known.losses:
        first, last = known.losses[0][1], known.losses[-1][1]
        pieces.append(f"loss {number(first, 4)} → {number(last, 4)}")
    if known.skipped:
        pieces.append(f"{known.skipped:,} skipped")
    if known.status:
        code = "" if known.exit_code is None else f", exit status {known.exit_code}"
        pieces.append(known.status + code)
    if known.watching is not None:
        part = "" if known.watching_share is None else f" ({share(known.watching_share)})"
        pieces.append(f"watching cost {duration(known.watching)}{part}")
    return pieces


#: Below this part of the total, what a kind took does not change the picture.
_MINOR = 0.1

#: Decades within a factor of three: the gradient has kept its size.
_SMALL = 0.5


def account(ledger: Ledger | None) -> str | None:
    """The ledger in one sentence: ``"43.4 of 43.5 decades went to activations: Sigmoid × 20."``

    The loss's own lines stand before the head and are not part of the total.
    """
    lines = [] if ledger is None else [line for line in ledger.lines if line.kind != "loss"]
    if ledger is None or not lines or ledger.total is None or not math.isfinite(ledger.total):
        return None
    total = ledger.total
    kinds = ledger.by_kind()
    kinds.pop("loss", None)
    order = sorted(kinds, key=lambda kind: abs(kinds[kind]), reverse=True)
    where = "between the head and the first layer"
    top = order[0]
    against = sum(abs(value) for value in kinds.values() if value * total < 0)
    parts = [
        f"{KIND_WORDS[kind]} {signed(kinds[kind])} ({_operations(lines, kind)})"
        for kind in order[:3]
        if abs(kinds[kind]) > max(_MINOR * abs(kinds[top]), _SMALL / 2)
    ]
    if abs(total) < _SMALL:
        said = f"The gradient keeps its size {where}: {signed(total)} decades over {plural(len(lines), 'operation')}"
        return said + (f", {', '.join(parts)}." if len(parts) > 1 else ".")
    if kinds[top] * total > 0 and against <= _MINOR * abs(total):
        verb = "went to" if total < 0 else "came from"
        part = f"{min(abs(kinds[top]), abs(total)):.1f} of {abs(total):.1f} decades"
        rest = [f"{abs(kinds[kind]):.1f} {verb.split()[1]} {KIND_WORDS[kind]}" for kind in order[1:3]
                if kinds[kind] * total > 0 and abs(kinds[kind]) > _MINOR * abs(total)]  # fmt: skip
        return "; ".join([f"{part} {verb} {KIND_WORDS[top]} {where}: {_operations(lines, top)}", *rest]) + "."
    change = "loses" if total < 0 else "gains"
    return f"The gradient {change} {abs(total):.1f} decades {where}: {', '.join(parts)}."


def _operations(lines: list[Line], kind: str) -> str:
    counts = Counter(line.op for line in lines if line.kind == kind)
    shown = [f"{plain(op)} × {count}" for op, count in counts.most_common(3)]
    return ", ".join(shown) + (" and others" if len(counts) > 3 else "")
