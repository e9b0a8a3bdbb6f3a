"""What a check-up measured, in sentences; shared by the terminal and the page."""

from __future__ import annotations

from typing import Any

from gradclinic.schema.report import Report

from .words import number, plain

#: Conditions that come of how signals pass the layers.
DEPTH = ("vanishing_gradient", "exploding_gradient", "rank_collapse", "saturated_units", "zero_gradient")
#: Stacks of layers that are told of in a terminal; the page has all.
STACKS = 3


def theory(report: Report) -> list[str]:
    """One sentence for each stack of layers that mean-field theory knows, the deepest first.

    Only where the layers are to blame: what a rule says of depth is no news where the learning rate is, or nothing.
    """
    to_blame = bool(report.findings) and report.findings[0].condition in DEPTH
    if not to_blame and (report.window is None or report.window["state"] != "empty"):
        return []
    stacks = sorted(stacks_of(report), key=lambda stack: -stack["depth"])
    known = [stack for stack in stacks if stack["theory"] is not None and stack["depth"] > 1]
    return [f"{where_of(stack)}: {plain(stack['words'])}" for stack in known[:STACKS]]


def stacks_of(report: Report) -> list[dict[str, Any]]:
    """The stacks of layers in the order in which they run."""
    phases = (report.checkup or {}).get("phases")
    return list(phases["stacks"]) if phases else []


def where_of(stack: dict[str, Any]) -> str:
    """From which layer to which."""
    first, last = (plain(stack["layers"][place]["where"]) for place in (0, -1))
    return first if first == last else f"{first} to {last}"


def unmeasured(report: Report) -> str:
    """What could not be measured, and why; empty where all was."""
    missing = (report.checkup or {}).get("unmeasured") or []
    return "; ".join(dict.fromkeys(f"{plain(item['what'])}: {plain(item['why'])}" for item in missing))


def spectra(report: Report) -> list[tuple[str, str, str, str, str]]:
    """Where, largest and smallest singular value, mean of σ², and its spread; or why there is none."""
    rows = []
    for call in ((report.checkup or {}).get("spectrum") or {}).get("calls", []):
        where = plain(call["where"]) or "input to output"
        if "why" in call:
            rows.append((where, plain(call["why"]), "", "", ""))
        else:
            largest, smallest, mean, spread = (
                number(call[key]) for key in ("largest", "smallest", "mean_square", "variance")
            )
            rows.append((where, largest, smallest, mean, spread))
    return rows
