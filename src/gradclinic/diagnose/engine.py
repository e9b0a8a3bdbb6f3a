"""The whole diagnosis: every condition over one record, then one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradclinic.schema.finding import Finding, NotEnoughData, Outcome
from gradclinic.schema.record import LedgerRow, Record
from gradclinic.schema.report import Report

from .condition import Condition
from .conditions import all_conditions
from .evidence import Evidence
from .forecast import measured
from .guarded import acts_of, as_it_was, told, untreated
from .verdict import arrange, headline, verdict


def diagnose(record: Record, conditions: Sequence[Condition] | None = None) -> Report:
    """Diagnoses a run from its record alone.

    ``conditions`` defaults to all built-in and installed ones.  The same record always gives the same report.
    """
    evidence = Evidence(record)
    conditions = all_conditions() if conditions is None else conditions
    findings, undecided = _checked(conditions, evidence)
    before = untreated(record)
    if before is not None:
        # The guard has cured what the run as a whole does not show any more.
        first = arrange(_checked(conditions, Evidence(before))[0])[:1]
        said = {finding.condition for finding in findings if finding.severity != "note"}
        findings += [as_it_was(f, record) for f in first if f.severity != "note" and f.condition not in said]
    arranged = arrange(findings)
    answer = verdict(arranged, evidence)
    shown, known = _shown(arranged, evidence), evidence.forecast
    return Report(
        kind=record.info.kind,
        verdict=answer,
        headline=headline(answer, arranged, evidence) + told(record),
        findings=arranged,
        undecided=tuple(undecided),
        run=_run(evidence),
        cost=_cost(evidence),
        ledger=shown.ledger if shown else None,
        ledger_step=evidence.step_of(shown.tick) if shown else None,
        window=known.window.to_dict() if known and known.window else None,
        checkup=measured(record),
        trains={"probability": known.probability} if known and known.probability is not None else None,
    )


def _checked(conditions: Sequence[Condition], evidence: Evidence) -> tuple[list[Finding], list[NotEnoughData]]:
    """What every condition finds, and what cannot be judged."""
    findings: list[Finding] = []
    undecided: list[NotEnoughData] = []
    for condition in conditions:
        for outcome in _outcomes(condition, evidence):
            if isinstance(outcome, Finding):
                findings.append(evidence.interventions.tell(outcome))
            elif isinstance(outcome, NotEnoughData):
                undecided.append(outcome)
    return findings, undecided


def _outcomes(condition: Condition, evidence: Evidence) -> list[Outcome]:
    """A condition's outcomes.  One that fails costs its own answer only; the report says so."""
    try:
        result = condition.check(evidence)
    except Exception as error:
        return [NotEnoughData(condition.id, f"its check failed with {type(error).__name__}: {error}")]
    return list(result) if isinstance(result, Sequence) else [result]


def _shown(findings: Sequence[Finding], evidence: Evidence) -> LedgerRow | None:
    """The ledger to show: that of the first finding's step, else the first with an account."""
    rows = [row for row in evidence.ledgers if row.ledger.total is not None] or list(evidence.ledgers)
    if not rows:
        return None
    step = findings[0].step if findings and findings[0].severity != "note" else None
    return (
        min(rows, key=lambda row: (abs(evidence.step_of(row.tick) - step), row.tick)) if step is not None else rows[0]
    )


def _run(evidence: Evidence) -> dict[str, Any]:
    record, learning = evidence.record, evidence.learning
    losses = evidence.losses[np.isfinite(evidence.losses)]
    seen = [step.loss for step in evidence.taken if step.loss is not None]
    ending = record.ending
    guard = acts_of(record)
    return {
        "command": list(record.info.command),
        "steps": evidence.step_count,
        "seconds": _seconds(record),
        "first_loss": seen[0] if seen else None,
        "last_loss": seen[-1] if seen else None,
        "best_loss": float(losses.min()) if len(losses) else None,
        "constant_loss": learning.constant,
        "learning": learning.state,
        "learning_reason": learning.reason,
        "skipped_steps": sum(step.skipped for step in record.steps),
        "ending": ending.status if ending else "killed",
        "exit_code": ending.exit_code if ending else None,
        "error": ending.error if ending else None,
        "python": record.info.python,
        "torch": record.info.torch,
    } | ({} if guard is None else {"guard": guard})


def _seconds(record: Record) -> float:
    if record.ending is not None:
        return max(0.0, record.ending.finished - record.info.started)
    return record.steps[-1].time if record.steps else 0.0


def _cost(evidence: Evidence) -> dict[str, Any]:
    events = evidence.events("cost")
    if not events:
        return {}
    spent, total = float(events[-1].data.get("seconds", 0.0)), _seconds(evidence.record)
    return {"seconds": spent, "share": spent / total if total > 0 else None} | {
        key: value for key, value in events[-1].data.items() if key != "seconds"
    }
