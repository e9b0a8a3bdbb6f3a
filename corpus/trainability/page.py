"""The part of docs/accuracy.md on foresight, from the results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from corpus.page import PAGE

from .setups import BLIND, FAMILIES, FITTED

BEGIN, END = "<!-- from corpus/trainability/results.json -->", "<!-- end of foresight -->"


def write(data: dict[str, Any]) -> None:
    """Fills the page."""
    PAGE.write_text(filled(PAGE.read_text("utf-8"), data), "utf-8")


def filled(text: str, data: dict[str, Any]) -> str:
    """A page with its part anew.

    Raises:
        ValueError: the page lacks the two comments.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    middle = "\n".join([BEGIN, *_lines(data), END])
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: middle, text, flags=re.DOTALL)


def _lines(data: dict[str, Any]) -> Iterator[str]:
    machine, held = data["machine"], data["figures"]["held_back"]
    at = f" at commit {data['commit']}" if data["commit"] else ""
    yield f"`{data['command']}`, {data['date']}{at}; {machine['processor']}, {machine['cores']} cores,"
    yield f"torch {machine['torch']}."
    for title, own in (("held back", held), ("blind", data["figures"]["blind"])):
        yield from ("", f"{own['setups']} set-ups of the families {title}, of which {own['trained']} train:", "")
        yield from ("| | area under the ROC curve | balanced accuracy | calibration error |", "|---|---|---|---|")
        shown = f"{_with(own, 'auc')} | {_with(own, 'balanced_accuracy')} | {own['calibration_error']:.3f}"
        yield f"| **gradclinic checkup** | {shown} |"
        for name, other in own["others"].items():
            yield f"| {name} | {other['auc']:.3f} | {other['balanced_accuracy']:.3f} | |"
    yield from ("", "Of the set-ups held back, how many trained by what was foretold:", "")
    yield from ("| set-ups | mean probability foretold | share that trained |", "|---|---|---|")
    for each in held["reliability"]:
        yield f"| {each['setups']} | {each['foretold']:.2f} | {each['trained']:.2f} |"
    yield from ("", "What each measurement says alone, of the families held back and blind:", "")
    yield from ("| | area under the ROC curve |", "|---|---|")
    yield from (f"| {name} | {value:.3f} |" for name, value in data["alone"].items())
    yield from ("", "How many trained near the ends of the linear window, of all families:", "")
    yield from ("| | trained | set-ups |", "|---|---|---|")
    yield from (f"| {name} | {trained} | {count} |" for name, (trained, count) in data["ends"].items())
    yield from ("", "By family:", "", "| | set-ups | train | AUC | balanced accuracy |", "|---|---|---|---|---|")
    for family in FAMILIES:
        own = data["figures"][family]
        seen = " (fitted on)" if family in FITTED else " (blind)" if family in BLIND else ""
        shown = f"{own['auc']:.3f} | {own['balanced_accuracy']:.3f}"
        yield f"| {family}{seen} | {own['setups']} | {own['trained']} | {shown} |"


def _with(held: dict[str, Any], name: str) -> str:
    low, high = held[f"{name}_interval"]
    return f"{held[name]:.3f} ({low:.3f} to {high:.3f})"
