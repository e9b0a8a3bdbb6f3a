"""From kept runs to rows: the diagnosis, and the peers' rules on the same record.  Nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from gradclinic.diagnose import Evidence, diagnose
from gradclinic.store import read

from .index import Script
from .judge import Row, judge
from .peers import PEERS
from .peers.symptom import Call, call
from .runner import record_of, report_of, run_of


def evaluate(script: Script, folder: Path, again: bool) -> Row:
    """The row of one script that ran into ``folder``.

    ``again``: diagnose its record anew, in place of the report that its run wrote, and leave out its times.
    """
    path = record_of(folder, script.file)
    report, calls = report_of(folder, script.file), _silent()
    if path.exists():
        record = read(path)
        evidence = Evidence(record)
        faulty = script.kind == "faulty"
        calls = {peer.name: call(peer.check(evidence), faulty, script.causes) for peer in PEERS}
        report = diagnose(record).to_dict() if again else report
    return judge(script, report, None if again else run_of(folder, script.file), calls)


def _silent() -> dict[str, Call]:
    """What the peers say where nothing was recorded."""
    return {peer.name: call([], False, ()) for peer in PEERS}


def evaluate_all(scripts: Sequence[Script], folder: Path, again: bool, jobs: int) -> list[Row]:
    """The rows of all scripts, ``jobs`` at a time."""
    job: Callable[[Script], Any] = partial(evaluate, folder=folder, again=again)
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(job, scripts, chunksize=4))
