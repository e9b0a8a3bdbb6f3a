"""Runs the commands whose output the documentation shows, and puts that output in.

A page marks the place with two comments:

    <!-- output of: gradclinic demo -->
    <!-- end of output -->

What stands between them is replaced by what the command prints, so no page shows what no command printed.

    python tools/fill_outputs.py [PAGE ...]      all pages by default
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = re.compile(r"(<!-- output of: (.+?) -->\n).*?(<!-- end of output -->)", re.DOTALL)
#: Wide enough for the report's tables, narrow enough for a page.
COLUMNS = "100"


def output(command: str) -> str:
    """What a command prints when it is run in the repository's root, without colours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode().rstrip()
    if not printed:
        raise SystemExit(f"{command!r} printed nothing (exit status {done.returncode})")
    return re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE)


def filled(text: str) -> str:
    """The page with every marked place filled anew."""
    return PLACE.sub(lambda match: f"{match[1]}```text\n{output(match[2])}\n```\n{match[3]}", text)


def main() -> None:
    """Fills the pages named on the command line, or all."""
    named = [Path(name) for name in sys.argv[1:]]
    for page in named or sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = page.read_text("utf-8")
        if PLACE.search(text):
            print(f"filling {page}")
            page.write_text(filled(text), "utf-8")


if __name__ == "__main__":
    main()
