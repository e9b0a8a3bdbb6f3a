"""How often the guard acts where nothing is wrong: the healthy scripts of the corpus, run under it.

python benchmarks/guard_healthy.py --every 4 --json benchmarks/results/guard_healthy.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def acts_in(script: Path) -> dict[str, int] | None:
    """The guard's acts by name; None where the script took too long or left no report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = ["run", "--guard", "--quiet", "--no-html", "--out", folder, "--json", str(report), str(script)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        try:
            subprocess.run(
                [sys.executable, "-m", "gradclinic", *words],
                capture_output=True, check=False, timeout=600, cwd=ROOT, env=environment,
            )  # fmt: skip
            guard = json.loads(report.read_text("utf-8"))["run"]["guard"]
        except (subprocess.TimeoutExpired, OSError, KeyError):
            return None
    return dict(Counter(act["act"] for act in guard["acts"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every n-th script")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scripts = sorted((ROOT / "corpus" / "healthy").glob("*.py"))[:: options.every]
    found: dict[str, Any] = {}
    for script in scripts:
        found[script.stem] = acts_in(script)
        print(script.stem, found[script.stem], flush=True)
    seen = {name: acts for name, acts in found.items() if acts is not None}
    answer = {
        "command": f"python benchmarks/guard_healthy.py --every {options.every} --json FILE",
        "date": date.today().isoformat(),
        "scripts": len(seen),
        "acted_in": {name: acts for name, acts in seen.items() if acts},
        "not_seen": sorted(set(found) - set(seen)),
    }
    if options.json:
        options.json.write_text(json.dumps(answer, indent=1) + "\n")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
