"""Runs the commands whose output the documentation shows, and puts that output in; or checks that it still holds.

A page marks the places with comments:

    <!-- output of: gradclinic demo -->               what the command prints
    <!-- end of output -->

    <!-- run: gradclinic demo -->                     the command itself, and what it prints
    <!-- end of output -->

    <!-- contents of: docs/learn/code/chain.py -->    a file
    <!-- end of contents -->

What stands between them is replaced by what the command prints, so no page shows what no command printed.

With ``--check`` nothing is written: each command is run, and what it prints is held against what the page shows. Words
and numbers must be the same, however the lines are broken; durations, dates, bars and sparklines are left out. Where
numbers depend on the machine, a second comment under the first says by how much they may differ, and which may
altogether (the number behind a word, or the column under it):

    <!-- compared: numbers within 10%, apart from ledgers, ‖Δw‖/‖w‖ -->

    python tools/fill_outputs.py [--check] [PAGE ...]      all pages by default
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = re.compile(
    r"<!-- (?P<kind>output of|run|contents of): (?P<of>.+?) -->\n(?:<!-- compared: (?P<compared>.+?) -->\n)?"
    r"(?P<shown>.*?)(?P<end><!-- end of (?:output|contents) -->)",
    re.DOTALL,
)
COMPARED = re.compile(r"numbers within (\d+)%(?:, apart from (.+))?")
#: Wide enough for the report's tables, narrow enough for a page.
COLUMNS = "100"
NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
#: What depends on the machine and the hour in any output, and drawings whose numbers stand beside them.
MASKS = (
    (re.compile(r"\d{8}-\d{6}"), "#date"),
    (re.compile(r"\b\d[\d.,]* (?:ms|s|min|h)\b(?: \(\d+%\))?"), "#time"),
    (re.compile(r"[▁▂▃▄▅▆▇█x]{8,}"), ""),
    (re.compile(r"[━╸─●┃]"), ""),
)


@dataclass(frozen=True)
class Place:
    """A marked place in a page."""

    kind: str
    of: str  #: the command, or the file
    compared: str | None
    shown: str  #: between the comments, fences and all

    @property
    def block(self) -> str:
        """What the last fenced block shows: the output, or the file."""
        return re.findall(r"^```\w+\n(.*?)^```$", self.shown, re.DOTALL | re.MULTILINE)[-1].rstrip("\n")


def places(text: str) -> list[Place]:
    """The marked places of a page, in order."""
    return [Place(match["kind"], match["of"], match["compared"], match["shown"]) for match in PLACE.finditer(text)]


@cache
def output(command: str, folder: Path = ROOT) -> str:
    """What a command prints when it is run in ``folder``, without colours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode().rstrip()
    if not printed:
        raise SystemExit(f"{command!r} printed nothing (exit status {done.returncode})")
    return re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE)


def contents(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8").rstrip()


def filled(text: str) -> str:
    """The page with every marked place filled anew."""
    return PLACE.sub(_fill, text)


def _fill(match: re.Match[str]) -> str:
    if match["kind"] == "contents of":
        block = f"```{Path(match['of']).suffix.replace('.py', 'python').lstrip('.')}\n{contents(match['of'])}\n```\n"
    else:
        block = f"```text\n{output(match['of'])}\n```\n"
    if match["kind"] == "run":
        block = f"```sh\n{match['of']}\n```\n\n{block}"
    return f"{match[0][: match.start('shown') - match.start()]}{block}{match['end']}"


def difference(shown: str, printed: str, compared: str | None = None) -> str | None:
    """Where what is printed first parts from what is shown, in words; None where it does not.

    Raises:
        ValueError: ``compared`` is not of the form above.
    """
    within, apart = 0.0, list[str]()
    if compared is not None:
        match = COMPARED.fullmatch(compared)
        if not match:
            raise ValueError(f"not understood: <!-- compared: {compared} -->")
        within, apart = int(match[1]) / 100, (match[2] or "").split(", ") if match[2] else []
    one, other = _tokens(shown, apart), _tokens(printed, apart)
    for place, (left, right) in enumerate(zip_longest(one, other, fillvalue="")):
        if not (left == right or (compared is not None and _near(left, right, within))):
            around = slice(max(0, place - 6), place + 3)
            return f"the page shows …{' '.join(one[around])}…, the command prints …{' '.join(other[around])}…"
    return None


def _tokens(text: str, apart: list[str]) -> list[str]:
    for name in apart:
        text = _without(text, name)
    text = " ".join(text.split())
    for mask, instead in MASKS:
        text = mask.sub(instead, text)
    return re.findall(rf"{NUMBER.pattern}|[^\W\d]+|[^\w\s]", text)


def _without(text: str, name: str) -> str:
    """The text without the numbers behind ``name``, and without the column of numbers that ends where ``name`` does."""
    text = re.sub(rf"({re.escape(name)}\s+){NUMBER.pattern}", r"\1#", text)
    lines, end = list[str](), None
    for line in text.splitlines():
        if name in line and f"{name} #" not in line:
            end = line.index(name) + len(name)
        elif not line.strip():
            end = None
        elif end is not None:
            found = next((match for match in NUMBER.finditer(line) if match.end() == end), None)
            line = f"{line[: found.start()]}#{line[end:]}" if found else line
        lines.append(line)
    return "\n".join(lines)


def _near(one: str, other: str, within: float) -> bool:
    """Two numbers as near as that, and one unit of the last digit shown."""
    if not (NUMBER.fullmatch(one) and NUMBER.fullmatch(other)):
        return False
    (a, unit_a), (b, unit_b) = _value(one), _value(other)
    return abs(a - b) <= within * max(abs(a), abs(b)) + 1.001 * max(unit_a, unit_b)


def _value(text: str) -> tuple[float, float]:
    """A number, and one unit of its last digit."""
    plain = text.replace(",", "").replace("−", "-")
    digits, _, power = plain.partition("e")
    return float(plain), 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def problems(text: str, folder: Path = ROOT) -> Iterator[str]:
    """What a page shows that is not so any more."""
    for place in places(text):
        if place.kind == "contents of":
            if place.block != contents(place.of):
                yield f"{place.of} has changed"
        elif found := difference(place.block, output(place.of, folder), place.compared):
            yield f"{place.of}: {found}"


def main() -> int:
    """Fills or checks the pages named on the command line, or all; 1 where a check fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    options = parser.parse_args()
    failed = False
    for page in options.pages or sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = page.read_text("utf-8")
        if not PLACE.search(text):
            continue
        print(f"{'checking' if options.check else 'filling'} {page}", flush=True)
        if options.check:
            found = list(problems(text))
            print("".join(f"  {line}\n" for line in found), end="")
            failed = failed or bool(found)
        else:
            page.write_text(filled(text), "utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
