"""Each way in which an index can be unsound is found, and the index of the corpus is sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.index import Origin, Script, load, problems, save

FAULTY = Script(
    "faulty/a.py",
    "faulty",
    "scored",
    ("non_finite",),
    ("invalid_operation",),
    Origin(("log",), ("", "head"), ("forward",)),
    "log of 0; nan at step 3",
    "own",
)
SOUND = (FAULTY, Script("fixed/a.py", "fixed", "scored"), Script("healthy/b.py", "healthy", "development"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for script in SOUND:
        (tmp_path / script.file).parent.mkdir(exist_ok=True)
        (tmp_path / script.file).touch()
    return tmp_path


def test_an_index_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(reversed(SOUND), tmp_path / "index.json")
    assert load(tmp_path / "index.json") == SOUND
    assert (tmp_path / "index.json").read_text().count("\n") == 5  # a line a row and one for each bracket


def test_a_sound_index_has_no_problem(folder: Path) -> None:
    assert problems(SOUND, folder) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda a, b, c: [a, b], "healthy/b.py is in the folder and not in the index"),
        (lambda a, b, c: [a, b, c, replace(c, file="healthy/x.py")], "healthy/x.py is in the index and not in"),
        (lambda a, b, c: [a, b, c, c], "a file has more than one row"),
        (lambda a, b, c: [a, c], "faulty/a.py: has no twin fixed/a.py"),
        (lambda a, b, c: [a, replace(b, half="development"), c], "faulty/a.py: is in another half than its twin"),
        (lambda a, b, c: [a, b, replace(c, half=None)], "healthy/b.py: belongs to no half: run python -m corpus.split"),
        (lambda a, b, c: [replace(a, causes=("bad_luck",)), b, c], "faulty/a.py: bad_luck is no cause"),
        (lambda a, b, c: [replace(a, conditions=("sad",)), b, c], "faulty/a.py: sad is no condition"),
        (lambda a, b, c: [replace(a, causes=()), b, c], "faulty/a.py: a faulty script has accepted"),
        (lambda a, b, c: [a, b, replace(c, causes=("unknown",))], "healthy/b.py: a faulty script has accepted"),
        (lambda a, b, c: [replace(a, origin=Origin((), ("",), ("forward",))), b, c], "faulty/a.py: its origin lacks"),
        (lambda a, b, c: [a, b, replace(c, kind="fixed")], "healthy/b.py: is fixed, and lies elsewhere"),
    ],
)  # fmt: skip
def test_each_problem_is_found(folder: Path, change: Callable[..., list[Script]], problem: str) -> None:
    found = problems(change(*SOUND), folder)
    assert any(line.startswith(problem) for line in found), found


def test_the_corpus_is_sound_and_large_enough() -> None:
    scripts = load()
    assert problems(scripts) == []
    counts = Counter(script.kind for script in scripts)
    assert counts["faulty"] >= 70
    assert counts["healthy"] >= 50
    # As nearly half as the scripts that were there before the split allow.
    for kind in ("faulty", "healthy"):
        scored = sum(script.half == "scored" for script in scripts if script.kind == kind)
        assert abs(scored - counts[kind] / 2) <= 1
