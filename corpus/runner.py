"""Runs one script under ``gradclinic run``, and plain, in processes of its own, and keeps what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .index import Script

#: A script takes at most 6 s of one core beside the imports; a machine that is shared may be many times slower.
LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Run:
    """How one script ran."""

    file: str
    seconds: float  #: under ``gradclinic run``, from its start to the report on the terminal and the page on disk
    plain_seconds: float | None  #: under ``python``; None where it was not run plain
    note: str  #: what differed from the plain run, or why there is no report


def record_of(folder: Path, file: str) -> Path:
    """Where a folder of kept runs holds the record of a script."""
    return (folder / file).with_suffix(".db")


def report_path(folder: Path, file: str) -> Path:
    """Where it holds the JSON report."""
    return (folder / file).with_suffix(".json")


def report_of(folder: Path, file: str) -> dict[str, Any] | None:
    """The JSON report that the run wrote; None where it wrote none."""
    path = report_path(folder, file)
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def run_of(folder: Path, file: str) -> Run:
    """How the script ran."""
    return Run(**json.loads((folder / file).with_suffix(".run").read_text("utf-8")))


def run_script(script: Script, folder: Path, plain: bool) -> Run:
    """Runs a script as a user does, with the report and the page; its record and report go below ``folder``."""
    place = (folder / script.file).with_suffix("")
    place.parent.mkdir(parents=True, exist_ok=True)
    report = report_path(folder, script.file)
    for suffix in (".db", ".html", ".json", ".run"):  # of an earlier run into the same folder
        place.with_suffix(suffix).unlink(missing_ok=True)
    options = ["--out", str(place.parent), "--name", place.name, "--json", str(report)]
    watched, seconds = _timed(["-m", "gradclinic", "run", *options, str(script.path)])
    place.with_suffix(".html").unlink(missing_ok=True)  # megabytes, and nobody looks at it
    note, plain_seconds = "", None
    if watched is None:
        note = f"took more than {LIMIT_S} s"
    elif not report.exists():
        note = (watched.stderr.strip().splitlines() or ["no report"])[-1][:100]
    if plain and watched is not None:
        bare, plain_seconds = _timed([str(script.path)])
        note = note or _difference(script, watched, bare)
    run = Run(script.file, seconds, plain_seconds, note)
    place.with_suffix(".run").write_text(json.dumps(asdict(run)), "utf-8")
    return run


def _difference(
    script: Script, watched: subprocess.CompletedProcess[str], bare: subprocess.CompletedProcess[str] | None
) -> str:
    """What a watched run did otherwise than the plain one, which should be nothing."""
    if bare is None:
        return f"the plain run took more than {LIMIT_S} s"
    if bare.returncode != watched.returncode:
        return f"exit status {watched.returncode}, plain {bare.returncode}"
    if bare.stdout == watched.stdout:
        return ""
    # A line that two plain runs print differently, such as the time that an epoch took, says nothing.
    again, _ = _timed([str(script.path)])
    runs = [bare, again or bare, watched]
    lines = [run.stdout.splitlines() for run in runs]
    alike = len({len(found) for found in lines}) == 1
    alike = alike and all(one != two or one == three for one, two, three in zip(*lines, strict=True))
    return "" if alike else "prints other lines than the plain run"


def _timed(arguments: list[str]) -> tuple[subprocess.CompletedProcess[str] | None, float]:
    """Runs Python in an empty folder; None in place of the result where it took too long."""
    # One core each: with more threads than cores the times mean nothing.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the script is a child of gradclinic's process
                return None, time.perf_counter() - started
        seconds = time.perf_counter() - started
    return subprocess.CompletedProcess(command, process.returncode, out, err), seconds
