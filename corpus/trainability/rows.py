"""What was measured of each set-up, small enough to be kept in the repository."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import log10
from pathlib import Path
from typing import Any

from corpus.peers.autotrainer import check as autotrainer
from gradclinic.diagnose import Evidence
from gradclinic.diagnose.forecast import Forecast, forecast
from gradclinic.schema.record import Event, Record, RunInfo
from gradclinic.store import read
from gradclinic.workflows.checkup.recorded import FORECAST

from .measure import outcome_of, record_path
from .outcome import Outcome
from .setups import Setup

HERE = Path(__file__).parent
ROWS = HERE / "measured.json"
#: AutoTrainer looks once an epoch; a check-up has few steps, which count as so many epochs.
EPOCHS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One set-up: what became of it, what a check-up saw at its beginning, and what others would have said."""

    name: str
    family: str
    steps: int
    outcome: Outcome
    events: tuple[tuple[str, dict[str, Any]], ...]
    ratio: float  #: decades from the last weight's gradient to the first one's, at step 0
    magnitude: float  #: root mean square of all gradients at step 0
    problem: str | None  #: AutoTrainer's, in the check-up's steps

    def forecast(self) -> Forecast:
        """What the check-up foretells, by the regression that ships now."""
        info = RunInfo(("checkup", self.name), 0.0, "", "", "", 0, steps_planned=self.steps, kind="checkup")
        events = tuple(Event(data["at"], kind, data) for kind, data in self.events)
        found = forecast(Record(info, None, events=events))
        assert found is not None  # it is a check-up
        return found


def collect(setups: Sequence[Setup], folder: Path) -> list[Row]:
    """The rows of a folder that :mod:`.measure` has filled."""
    return [_row(setup, folder) for setup in setups]


def save(rows: Iterable[Row], path: Path = ROWS) -> None:
    """One row a line."""
    lines = [json.dumps(asdict(row), separators=(",", ":")) for row in rows]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


def load(path: Path = ROWS) -> list[Row]:
    """What :func:`save` wrote."""
    found = []
    for data in json.loads(path.read_text("utf-8")):
        outcome = Outcome(**data.pop("outcome"))
        events = tuple((kind, event) for kind, event in data.pop("events"))
        found.append(Row(outcome=outcome, events=events, **data))
    return found


def _row(setup: Setup, folder: Path) -> Row:
    record = read(record_path(folder, setup))
    evidence = Evidence(record)
    weights = evidence.matrices
    norms = evidence.gradient_norms[0][weights] if len(evidence.gradient_norms) else weights * 0.0
    first, last = (float(norms[place]) if len(norms) else 0.0 for place in (0, -1))
    symptoms = autotrainer(evidence, EPOCHS)
    return Row(
        setup.name,
        setup.family,
        setup.steps,
        outcome_of(folder, setup),
        tuple((event.kind, _plain(event.data)) for event in record.events if event.kind in FORECAST),
        _decades(first) - _decades(last),
        float(evidence.gradient_rms[0][weights].mean()) if len(evidence.gradient_rms) else 0.0,
        symptoms[0].name if symptoms else None,
    )


def _decades(value: float) -> float:
    return log10(value) if value > 0 else -40.0  # below what float32 can hold


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Six digits are more than a training repeats to."""
    return {key: float(f"{item:.6g}") if isinstance(item, float) else item for key, item in data.items()}
