"""What the tests of conditions ask of a handmade record."""

from __future__ import annotations

from gradclinic.diagnose import diagnose
from gradclinic.schema.finding import Finding
from gradclinic.schema.record import Record
from gradclinic.schema.report import Report

from . import handmade as hand


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
