"""Runs ``gradclinic run`` over every script here and says how often it was right.

    python tests/scripts/score.py [--jobs 2] [--only PART] [--plain] [--json FILE]

The set is held back: it is for scoring only, so do not tune a threshold to a script in it.  A sick script is
called right when the verdict is "sick"; its first condition and its first cause are right when they are among
those accepted in expected.json.  A healthy script is right when the verdict is not "sick".  The script's own exit
status and printed lines are compared with a plain run under ``--plain``, which doubles the time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
#: A script takes at most 10 s of one core; a machine that is shared may be ten times slower.
LIMIT_S = 300


@dataclass(frozen=True)
class Row:
    file: str
    sick: bool
    called: str  #: the verdict, or "failed" where there was no report
    condition: str
    cause: str
    called_right: bool
    condition_right: bool
    cause_right: bool
    seconds: float
    plain_seconds: float | None
    note: str


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    # One core each: with more threads than cores the times mean nothing.
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def run(command: list[str], folder: str) -> tuple[subprocess.CompletedProcess[str] | None, float]:
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        done = None
    return done, time.perf_counter() - started


def score(expected: dict[str, Any], plain: bool) -> Row:
    script = str(HERE / expected["file"])
    with tempfile.TemporaryDirectory() as folder:
        report_file = Path(folder) / "report.json"
        watch = ["-m", "gradclinic", "run", "--quiet", "--no-html", "--json", str(report_file), script]
        done, seconds = run([sys.executable, *watch], folder)
        note, report = "", None
        if done is None:
            note = f"took more than {LIMIT_S} s"
        elif report_file.exists():
            report = json.loads(report_file.read_text())
        else:
            note = (done.stderr.strip().splitlines() or ["no report"])[-1][:100]
        plain_seconds = None
        if plain and done is not None:
            bare, plain_seconds = run([sys.executable, script], folder)
            if bare is not None and bare.returncode != done.returncode:
                note = f"exit status {done.returncode}, plain {bare.returncode}"
            elif bare is not None and not set(bare.stdout.splitlines()) <= set(done.stdout.splitlines()):
                note = "prints other lines than the plain run"
    return judge(expected, report, seconds, plain_seconds, note)


def judge(
    expected: dict[str, Any], report: dict[str, Any] | None, seconds: float, plain_seconds: float | None, note: str
) -> Row:
    """One row of the table from one JSON report."""
    sick = bool(expected["sick"])
    called = report["verdict"] if report else "failed"
    findings = [item for item in (report["findings"] if report else []) if item["severity"] != "note"]
    condition, cause = (findings[0]["condition"], findings[0]["cause"]) if findings else ("-", "-")
    called_right = called == "sick" if sick else called not in ("sick", "failed")
    return Row(
        file=expected["file"],
        sick=sick,
        called=called,
        condition=condition,
        cause=cause,
        called_right=called_right,
        condition_right=called_right and (not sick or condition in expected["conditions"]),
        cause_right=called_right and (not sick or cause in expected["causes"]),
        seconds=seconds,
        plain_seconds=plain_seconds,
        note=note,
    )


def share(rows: list[Row], attribute: str) -> str:
    right = sum(getattr(row, attribute) for row in rows)
    return f"{right}/{len(rows)} ({right / len(rows):.0%})" if rows else "none"


def table(rows: list[Row]) -> str:
    lines = [
        f"{'script':42} {'expected':9} {'called':10} {'first condition':22} {'first cause':24} {'wrong':9} {'s':>6}"
    ]
    for row in sorted(rows, key=lambda row: (not row.sick, row.file)):
        names = ("-", "cause") if row.condition_right else ("condition", "both")
        wrong = names[not row.cause_right] if row.called_right else "verdict"
        lines.append(
            f"{row.file:42} {'sick' if row.sick else 'healthy':9} {row.called:10} {row.condition:22} {row.cause:24} "
            f"{wrong:9} {row.seconds:6.1f}" + (f"  {row.note}" if row.note else "")
        )
    sick, healthy = [row for row in rows if row.sick], [row for row in rows if not row.sick]
    lines += [
        "",
        f"sick called sick            {share(sick, 'called_right')}",
        f"  first condition accepted  {share(sick, 'condition_right')}",
        f"  first cause accepted      {share(sick, 'cause_right')}",
        f"healthy not called sick     {share(healthy, 'called_right')}",
        f"time                        {sum(row.seconds for row in rows):.0f} s in all",
    ]
    timed = [row for row in rows if row.plain_seconds is not None]
    if timed:
        over = sum(row.seconds > 1.5 * (row.plain_seconds or 0) + 3 for row in timed)
        lines.append(f"slower than 1.5 x plain + 3 s  {over}/{len(timed)}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--only", default="", help="only scripts whose path contains this")
    parser.add_argument("--plain", action="store_true", help="also run each script without gradclinic, and compare")
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args()
    chosen = [item for item in json.loads((HERE / "expected.json").read_text()) if options.only in item["file"]]
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda item: score(item, options.plain), chosen))
    sys.stdout.write(table(rows) + "\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return 0 if all(row.called_right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
