"""An experiment's rows, what they say of its claims, and both as data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .experiment import Claim, Experiment, Figure, Row, mean, spread

Verdict = Literal["reproduced", "partly reproduced", "not reproduced"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out."""

    experiment: Experiment
    rows: list[Row]
    seeds: int

    @property
    def claims(self) -> list[Claim]:
        """The paper's statements beside what was measured."""
        return self.experiment.judge(self.rows)

    @property
    def figures(self) -> list[Figure]:
        """What there is to see."""
        return self.experiment.draw(self.rows)

    @property
    def verdict(self) -> Verdict:
        """Whether all, some or none of the claims hold."""
        held = [claim.holds for claim in self.claims]
        return "reproduced" if all(held) else "partly reproduced" if any(held) else "not reproduced"

    @property
    def seconds(self) -> float:
        """What measuring took, rows kept from earlier runs too."""
        return sum(row.seconds for row in self.rows)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings, and a line per condition: means over the seeds, ± their standard deviation."""
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            key = tuple((name, value) for name, value in row.setting.items() if name != "seed")
            groups.setdefault(key, []).append(row)
        varied = [
            name for name in _names(self.rows, "setting") if len({str(row.setting.get(name)) for row in self.rows}) > 1
        ]
        told = [name for name in varied if name != "seed"]
        values = [name for name in _names(self.rows, "values") if not isinstance(self.rows[0].values.get(name), list)]
        lines = [
            [_text(rows[0].setting.get(name)) for name in told] + [_cell(rows, name) for name in values]
            for rows in groups.values()
        ]
        return [name.replace("_", " ") for name in (*told, *values)], lines

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` writes it; strict JSON (what is no finite number is null)."""
        return {
            "schema": 1,
            "kind": "lab",
            "experiment": self.experiment.name,
            "title": self.experiment.title,
            "paper": self.experiment.paper,
            "verdict": self.verdict,
            "seeds": self.seeds,
            "claims": [asdict(claim) for claim in self.claims],
            "rows": [{"setting": _strict(row.setting), "values": _strict(row.values)} for row in self.rows],
            "seconds": self.seconds,
        }

    def json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def _names(rows: list[Row], side: str) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in getattr(row, side)))


def _cell(rows: list[Row], name: str) -> str:
    first = rows[0].values.get(name)
    if isinstance(first, bool) or not isinstance(first, (int, float)):
        return _text(first)
    text = _text(mean(rows, name))
    return f"{text} ± {spread(rows, name):.2g}" if len(rows) > 1 else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _strict(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
