"""One treatment of one task, and all that is told of it.  Where treatment is asked for, it is asked for here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import gradclinic
from gradclinic.schema.report import json_ready
from gradclinic.schema.treatment import TrialRow
from gradclinic.task import Target


def treat(target: Target, seed: int) -> dict[str, Any]:
    """Verdict, causes, the recipe handed over (its changes), whether a cure is claimed, costs, and what was tried."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        treatment = gradclinic.treat(target, seed=seed, out=folder, name="treatment")
    told = treatment.report.treatment
    assert told is not None  # it is a treatment
    return {
        "verdict": treatment.verdict,
        "causes": [finding.cause for finding in treatment.findings],
        "headline": treatment.headline,
        "cured": treatment.cured,
        "changes": [change.to_dict() for change in treatment.recipe.changes],
        "spent": {what: round(gradients) for what, gradients in told.spent.items()},
        "seconds": round(time.perf_counter() - began, 2),
        "rounds": [_rows(turn) for turn in told.rounds],
        "proof": _rows(told.proof),
        "gain": json_ready(told.gain),
        "over_random": json_ready(told.over_random),
        "refused": told.refused,
    }


def _rows(rows: Iterable[TrialRow]) -> list[Any]:
    """Without the curves, which are long."""
    return [json_ready({key: item for key, item in asdict(row).items() if key != "curves"}) for row in rows]
