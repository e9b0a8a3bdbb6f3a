"""Draws the terminal report of a record as an SVG, for the README.

python tools/report_image.py tests/data/runs/vanishing_gradient.db docs/images/report.svg
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console

from gradclinic.diagnose import diagnose
from gradclinic.show import terminal
from gradclinic.store import read


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("image", type=Path)
    options = parser.parse_args()
    record = read(options.record)
    console = Console(record=True, width=92, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    terminal.show(diagnose(record), record, console)
    # Rich's format fetches a font from the network; an image must not.
    offline = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    offline = offline.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    svg = console.export_svg(title="gradclinic run train.py", code_format=offline, unique_id="report")
    options.image.parent.mkdir(parents=True, exist_ok=True)
    options.image.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
