"""Each kind of broken promise in a page is found, and a page without one passes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_docs.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_docs", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text(
        '# A title\n\n## Own anchor <a id="mine"></a>\n\n```sh\n# not a title\n```\n'
    )
    (tmp_path / "Makefile").write_text("demo: other\n\techo\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "[x](docs/other.md)",
        "[x](docs/other.md#a-title)",
        "[x](docs/other.md#mine)",
        "[x](docs/other.md#own-anchor)",
        "[x](https://example.org/nothing)",
        "`docs/other.md` and `gradclinic-runs/mine.db`",
        "`[x](missing.md)`",
        "`make demo`",
        "```sh\nmake demo PYTHON=python3.12\n```",
        "```python\n# make nothing\n```",
        "<!-- output of: x -->\n```text\nsomething\n```\n<!-- end of output -->",
    ],
)
def test_a_kept_promise_passes(tool: ModuleType, root: Path, text: str) -> None:
    assert list(_problems(tool, root, text)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](missing.md)", "missing.md"),
        ("![x](docs/missing.svg)", "missing.svg"),
        ('<img src="docs/missing.svg">', "missing.svg"),
        ("[x](docs/other.md#own)", "#own"),
        ("[x](docs/other.md#not-a-title)", "not-a-title"),
        ("`docs/missing.md`", "docs/missing.md"),
        ("```sh\npython examples/missing.py\n```", "examples/missing.py"),
        ("`make nothing`", "make nothing"),
        ("```sh\n$ make demo nothing\n```", "make nothing"),
        ("<!-- output of: x -->\n<!-- end of output -->", "output of x"),
        ("<!-- run: x -->\n<!-- compared: numbers within 5% -->\n<!-- end of output -->", "output of x"),
        ("<!-- contents of: x -->\n<!-- end of contents -->", "output of x"),
    ],
)
def test_a_broken_promise_is_found(tool: ModuleType, root: Path, text: str, problem: str) -> None:
    (found,) = _problems(tool, root, text)
    assert problem in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("gradclinic run --json out.json train.py --lr 0.1", None),
        ("gradclinic --version", None),
        ("gradclinic run train.py | sed -n 1p", None),
        ("python -m gradclinic run train.py", None),
        ("gradclinic cure", "gradclinic cure"),
        ("gradclinic run --nothing train.py", "--nothing"),
        ("gradclinic run --js train.py", "--js"),
    ],
)
def test_commands_and_options_are_held_against_the_help(
    tool: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch, line: str, problem: str | None
) -> None:
    helps = {(): "Usage: gradclinic\n --version", ("run",): "Usage: gradclinic run\n --json FILE"}
    monkeypatch.setattr(tool, "help_of", lambda *verb: helps.get(verb))
    found = list(tool.check_command(root, line))
    assert [problem in line for line in found] == ([] if problem is None else [True])


def test_every_identifier_needs_its_section(tool: ModuleType, root: Path) -> None:
    (root / "docs" / "findings.md").write_text(
        '## Vanishing <a id="vanishing_gradient"></a>\n\n## New <a id="made_up"></a>\n'
    )
    found = list(tool.check_identifiers(root))
    assert any("exploding_gradient" in line for line in found)
    assert any("made_up" in line for line in found)
    assert not any("vanishing_gradient" in line for line in found)


def _problems(tool: ModuleType, root: Path, text: str) -> list[str]:
    page = root / "README.md"
    page.write_text(text)
    found = [*tool.check_links(root, page), *tool.check_paths(root, text), *tool.check_outputs(text)]
    return found + [problem for line in tool.commands(text) for problem in tool.check_command(root, line)]
