"""The corpus's index: which scripts there are, what is wrong with each, and which half each belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gradclinic.schema.finding import CAUSES, CONDITIONS

HERE = Path(__file__).resolve().parent
INDEX = HERE / "index.json"

Kind = Literal["faulty", "fixed", "healthy"]
Half = Literal["development", "scored"]
KINDS: tuple[Kind, ...] = ("faulty", "fixed", "healthy")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the first value that is not finite comes from; any of each is right."""

    operation: tuple[str, ...]  #: torch's function names: "log", "linear"
    module: tuple[str, ...]  #: paths as in named_modules(); "" and the root's class mean code outside any submodule
    direction: tuple[str, ...]  #: "forward" or "backward"


@dataclass(frozen=True, slots=True)
class Script:
    """One row of the index."""

    file: str  #: below corpus/: "faulty/name.py"
    kind: Kind
    half: Half | None = None  #: None until corpus/split.py has drawn it
    conditions: tuple[str, ...] = ()  #: accepted as the first thing to see; empty where nothing is wrong
    causes: tuple[str, ...] = ()  #: accepted as the first thing to change
    origin: Origin | None = None  #: for scripts that end in inf or nan
    note: str = ""  #: the fault and the measured figures
    source: str = ""  #: where this fault is reported

    @property
    def path(self) -> Path:
        """The script itself."""
        return HERE / self.file

    @property
    def twin(self) -> str:
        """The file of a faulty script's fixed twin, and of a fixed one's faulty twin; "" for a healthy one."""
        other = {"faulty": "fixed", "fixed": "faulty", "healthy": ""}[self.kind]
        return other and f"{other}/{Path(self.file).name}"


def read_row(row: dict[str, Any]) -> Script:
    """A script from its row of JSON."""
    fields = dict(row)
    for name in ("conditions", "causes"):
        fields[name] = tuple(fields.get(name, ()))
    if fields.get("origin"):
        fields["origin"] = Origin(**{name: tuple(values) for name, values in fields["origin"].items()})
    return Script(**fields)


def load(path: Path = INDEX) -> tuple[Script, ...]:
    """All scripts of an index, in its order."""
    return tuple(read_row(row) for row in json.loads(path.read_text("utf-8")))


def save(scripts: Iterable[Script], path: Path = INDEX) -> None:
    """Writes an index: one line a script, sorted, so that a change shows as a line."""
    ordered = sorted(scripts, key=lambda script: (KINDS.index(script.kind), script.file))
    rows = [{name: value for name, value in asdict(script).items() if value} for script in ordered]
    path.write_text("[\n" + ",\n".join(f" {json.dumps(row, ensure_ascii=False)}" for row in rows) + "\n]\n", "utf-8")


def problems(scripts: Sequence[Script], folder: Path = HERE) -> list[str]:
    """What is wrong with an index, one line each; empty where it is sound."""
    rows = {script.file: script for script in scripts}
    there = {path.relative_to(folder).as_posix() for kind in KINDS for path in (folder / kind).glob("*.py")}
    found = [f"{file} is in the index and not in the folder" for file in sorted(set(rows) - there)]
    found += [f"{file} is in the folder and not in the index" for file in sorted(there - set(rows))]
    if len(rows) != len(scripts):
        found.append("a file has more than one row")
    return found + [f"{script.file}: {problem}" for script in scripts for problem in _problems(script, rows)]


def _problems(script: Script, rows: dict[str, Script]) -> Iterator[str]:
    if script.file.split("/")[0] != script.kind:
        yield f"is {script.kind}, and lies elsewhere"
    if script.half not in ("development", "scored"):
        yield "belongs to no half: run python -m corpus.split"
    yield from (f"{name} is no condition" for name in script.conditions if name not in CONDITIONS)
    yield from (f"{name} is no cause" for name in script.causes if name not in CAUSES)
    if bool(script.conditions) != (script.kind == "faulty") or bool(script.causes) != (script.kind == "faulty"):
        yield "a faulty script has accepted conditions and causes, and no other has"
    if script.origin and not all((script.origin.operation, script.origin.module, script.origin.direction)):
        yield "its origin lacks an operation, a module or a direction"
    twin = rows.get(script.twin)
    if script.twin and twin is None:
        yield f"has no twin {script.twin}"
    elif twin and twin.half != script.half:
        yield "is in another half than its twin"
