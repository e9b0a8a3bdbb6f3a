import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradclinic.inject.gradclinic_arrival import Arrival, begin

SCRIPT = """
import sys
assert type(__loader__).__module__ != "gradclinic.inject.gradclinic_arrival"
assert __spec__.loader is __loader__
import {name}.part
done = True
"""


class Bell:
    """An arrival of a package that a test made, and how often it rang."""

    def __init__(self, folder: Path, name: str) -> None:
        self.package = folder / name
        self.package.mkdir()
        self.package.joinpath("__init__.py").write_text(SCRIPT.format(name=name))
        self.package.joinpath("part.py").touch()
        self.seen: list[bool] = []
        self.arrival = Arrival(name, lambda: self.seen.append(hasattr(sys.modules[name], "done")))


@pytest.fixture
def bell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bell]:
    name = "gradclinic_arrival_test"
    monkeypatch.syspath_prepend(tmp_path)
    bell = Bell(tmp_path, name)
    sys.meta_path.insert(0, bell.arrival)  # type: ignore[arg-type]
    yield bell
    if bell.arrival in sys.meta_path:
        sys.meta_path.remove(bell.arrival)  # type: ignore[arg-type]
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def test_it_rings_once_when_the_module_is_complete_and_goes(bell: Bell) -> None:
    module = importlib.import_module(bell.package.name)
    assert bell.seen == [True]
    assert bell.arrival not in sys.meta_path
    importlib.reload(module)
    assert bell.seen == [True]


def test_looking_for_the_module_is_not_importing_it(bell: Bell) -> None:
    spec = importlib.util.find_spec(bell.package.name)
    assert spec is not None
    assert spec.loader is not None
    assert spec.loader.get_source(bell.package.name) is not None  # type: ignore[attr-defined]
    assert bell.seen == []
    importlib.import_module(bell.package.name)
    assert bell.seen == [True]


def test_an_import_that_fails_rings_only_when_it_is_tried_again(bell: Bell) -> None:
    part = bell.package / "part.py"
    part.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module(bell.package.name)
    assert bell.seen == []
    part.write_text("pass  # of another length, so that no cached bytecode is taken")
    importlib.invalidate_caches()
    importlib.import_module(bell.package.name)
    assert bell.seen == [True]


def test_a_failure_to_begin_is_noted_beside_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradclinic.workflows.record", None)  # makes its import fail
    path = sys.path[:]
    begin({"GRADCLINIC_HOME": str(tmp_path), "GRADCLINIC_RECORD": str(tmp_path / "a.db")})
    assert "gradclinic.workflows.record" in (tmp_path / "a.db.failed").read_text()
    assert sys.path == path


def test_our_imports_never_run_the_users_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gradclinic", "colorsys"):  # the second is also the name of a module of Python's own
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the user's file was run by us')")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "gradclinic.py"), raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    for module in [module for module in sys.modules if module.partition(".")[0] in ("gradclinic", "colorsys")]:
        monkeypatch.delitem(sys.modules, module)
    home = tmp_path / "home"
    workflows = home / "gradclinic" / "workflows"
    workflows.mkdir(parents=True)
    for package in (workflows, workflows.parent):
        (package / "__init__.py").touch()
    (workflows / "record.py").write_text(
        f"import colorsys\ndef begin_recording(*_, **__): open({str(tmp_path / 'begun')!r}, 'w')"
    )
    begin({"GRADCLINIC_HOME": str(home), "GRADCLINIC_RECORD": str(tmp_path / "a.db")})
    assert (tmp_path / "begun").exists()
