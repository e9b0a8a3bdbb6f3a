"""The answer of a verb, as people and programs read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .finding import Finding, NotEnoughData, Verdict
from .ledger import Ledger
from .treatment import TreatmentReport

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one run.  ``to_dict`` gives the documented JSON (``report.schema.json``)."""

    kind: Literal["checkup", "run", "treat"]
    verdict: Verdict
    headline: str  #: the answer in one sentence
    findings: tuple[Finding, ...]  #: most important first; the first is the origin
    undecided: tuple[NotEnoughData, ...]  #: what could not be judged, and why
    run: dict[str, Any]  #: command, steps, seconds, ending, losses
    cost: dict[str, Any]  #: seconds spent watching, and their share of the run
    ledger: Ledger | None = None  #: the step that the account is shown for
    ledger_step: int | None = None
    window: dict[str, Any] | None = None
    trains: dict[str, Any] | None = None
    checkup: dict[str, Any] | None = None  #: what else a check-up measured
    treatment: TreatmentReport | None = None  #: what was tried and proven

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data; non-finite numbers become strings ("nan", "inf", "-inf")."""
        data: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "kind": self.kind,
            "verdict": self.verdict,
            "headline": self.headline,
        }
        data["findings"] = [asdict(finding) for finding in self.findings]
        data["undecided"] = [asdict(item) for item in self.undecided]
        data |= {"run": self.run, "cost": self.cost, "window": self.window, "trains": self.trains}
        data["ledger"] = _ledger(self.ledger, self.ledger_step)
        if self.checkup is not None:
            data["checkup"] = self.checkup
        if self.treatment is not None:
            data |= self.treatment.to_dict()
        return json_ready(data)  # type: ignore[no-any-return]


def _ledger(ledger: Ledger | None, step: int | None) -> dict[str, Any] | None:
    if ledger is None:
        return None
    return {
        "step": step,
        "total_decades": ledger.total,
        "by_kind": ledger.by_kind(),
        "by_module": ledger.by_module(),
        "lines": [asdict(line) for line in ledger.lines],
        "unseen": list(ledger.unseen),
    }


def json_ready(value: Any) -> Any:
    """Copies plain data so that strict JSON can hold it: tuples to lists, numpy scalars to Python's, nan to "nan"."""
    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    if hasattr(value, "tolist"):
        return json_ready(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return repr(value)
    return value
