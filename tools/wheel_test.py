"""Builds the wheel, installs it into a fresh environment without torch, and tries it there.

What it tries, away from the checkout: the version, the help, a bad path's one clear line, and for every record in
tests/data/runs/ that ``gradclinic diagnose`` gives the answer that the file's name says.

    python tools/wheel_test.py
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "tests" / "data" / "runs"


def run(*line: str | Path, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command that must end with the given status."""
    done = subprocess.run([str(word) for word in line], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != status:
        said = f"{done.stdout}{done.stderr}"
        raise SystemExit(f"wheel test: {' '.join(map(str, line))} ended with {done.returncode}, not {status}:\n{said}")
    return done


def require(truth: bool, what: str) -> None:
    """Ends the test with one line where something is not as it should be."""
    if not truth:
        raise SystemExit(f"wheel test: {what}")


def install(folder: Path) -> Path:
    """Builds and installs; returns the environment's folder of programs."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    constraints = ROOT / "constraints.txt"
    run(programs / "python", "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel, cwd=folder)
    return programs


def try_out(programs: Path, folder: Path) -> None:
    """The checks, all in an empty folder."""
    run(programs / "python", "-c", "import torch", cwd=folder, status=1)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for line in ([programs / "gradclinic"], [programs / "python", "-m", "gradclinic"]):
        said = run(*line, "--version", cwd=folder).stdout
        require(version in said, f"--version says {said!r}, pyproject.toml {version}")
    said = run(programs / "gradclinic", "diagnose", "no-such.db", cwd=folder, status=2).stderr
    require(len(said.strip().splitlines()) == 1, f"a bad path is not answered in one line: {said!r}")
    said = run(programs / "gradclinic", "checkup", "no-such.py:task", cwd=folder, status=2).stderr
    require("needs torch" in said, f"a check-up without torch says {said!r}")
    records = sorted(RECORDS.glob("*.db"))
    require(bool(records), f"there is no record in {RECORDS.relative_to(ROOT)}")
    for record in records:
        diagnose(programs, Path(shutil.copy(record, folder)), folder)


def diagnose(programs: Path, record: Path, folder: Path) -> None:
    """A record named after a condition has that as its first finding; one named healthy has nothing wrong."""
    healthy = record.stem == "healthy"
    report = folder / "report.json"
    run(programs / "gradclinic", "diagnose", "--json", report, record, cwd=folder, status=0 if healthy else 1)
    found = json.loads(report.read_text("utf-8"))
    said = found["verdict"] if healthy else found["findings"][0]["condition"]
    require(said == record.stem, f"{record.name} was diagnosed as {said}")


def main() -> None:
    """Does all of it in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gradclinic-wheel-") as name:
        folder = Path(name)
        programs = install(folder)
        empty = folder / "elsewhere"
        empty.mkdir()
        try_out(programs, empty)
    print("wheel test: passed")


if __name__ == "__main__":
    main()
