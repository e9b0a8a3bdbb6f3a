"""docs/learn: every command is run again and prints what the pages show, in both languages the same."""

from __future__ import annotations

import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
LEARN = ROOT / "docs" / "learn"
LANGUAGES = ("en", "zh")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


fill, figures = _load(ROOT / "tools" / "fill_outputs.py"), _load(LEARN / "figures.py")
PAGES = sorted((LEARN / "en").glob("*.md"))
PLACES = [place for page in PAGES for place in fill.places(page.read_text("utf-8"))]
#: The long ones first, so that two workers end at about the same time.
COMMANDS = sorted({place.of for place in PLACES if place.kind != "contents of"}, key=lambda of: ("python" in of, of))


@pytest.fixture
def clone(tmp_path):
    """A folder that looks like the repository, so that nothing is written to it."""
    for name in ("docs", "examples", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_the_pages_show(command, clone):
    printed = fill.output(command, clone)
    found = [fill.difference(place.block, printed, place.compared) for place in PLACES if place.of == command]
    assert found == [None] * len(found)


@pytest.mark.timeout(300)
def test_the_figures_are_drawn_from_what_the_commands_compute(clone):
    command = [sys.executable, "docs/learn/figures.py", "--out", "drawn"]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    assert sorted(figures.FIGURES) == sorted(path.stem for path in (LEARN / "figures").glob("*.svg"))
    for name in figures.FIGURES:
        shown, drawn = ((folder / f"{name}.svg").read_text("utf-8") for folder in (LEARN / "figures", clone / "drawn"))
        assert shown == figures.svg(figures.data(shown)), f"{name}.svg is not what its data make"
        one, other = figures.data(shown), figures.data(drawn)
        assert [one[key] for key in ("title", "axes", "log")] == [other[key] for key in ("title", "axes", "log")]
        assert _points(one) == pytest.approx(_points(other), rel=0.02, abs=0.02), name


def _points(figure):
    """All points by curve; logarithms where it is drawn so, so that an error is a share of what one sees."""
    found = {}
    for curve in figure["curves"]:
        for place, (x, y) in enumerate(zip(curve["x"], curve["y"], strict=True)):
            found[curve["name"], curve["dash"], place, "x"] = x
            found[curve["name"], curve["dash"], place, "y"] = math.log10(y) if figure["log"] and y else y
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_languages_show_the_same(page):
    english, chinese = (_shown((LEARN / language / page.name).read_text("utf-8")) for language in LANGUAGES)
    assert english == chinese


def _shown(text):
    """What must be the same: marked places, blocks, figures, formulas, and how long each table is."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return {
        "places": [(place.kind, place.of, place.compared) for place in fill.places(text)],
        "blocks": blocks,
        "figures": re.findall(r"!\[.*?\]\((.*?)\)", text),
        "chapters": len(re.findall(r"^## ", text, re.MULTILINE)),
        "rows": len(re.findall(r"^\|", text, re.MULTILINE)),
        "commands": sorted(set(re.findall(r"`((?:gradclinic|python) [^`]+)`", text))),
    }


def test_both_languages_have_all_chapters_and_show_all_figures():
    for language in LANGUAGES:
        pages = sorted((LEARN / language).glob("*.md"))
        assert [page.name for page in pages] == [page.name for page in PAGES]
        text = "".join(page.read_text("utf-8") for page in pages)
        assert set(re.findall(r"\.\./figures/(\w+)\.svg", text)) == set(figures.FIGURES)


@pytest.mark.parametrize("place", [p for p in PLACES if p.kind == "contents of"], ids=lambda place: place.of)
def test_a_script_is_shown_as_it_is(place):
    assert place.block == fill.contents(place.of)
