"""The package as it is installed: from the wheel, with and without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "gradclinic"
RECORDS = sorted((ROOT / "tests" / "data" / "runs").glob("*.db"))

#: Makes every import of torch and numba fail, as where they are not installed.
WITHOUT_TORCH = "import sys; sys.modules['torch'] = sys.modules['numba'] = None; "


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the working tree, built offline."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as it would lie in site-packages."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(code: str, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs code against the unpacked wheel, which goes before the checkout, in a folder that is not the checkout."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); {code}"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=site.parent, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    there = {
        str(path.relative_to(ROOT / "src"))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".nbi", ".nbc"}
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert packed == there
    assert {"gradclinic/py.typed", "gradclinic/schema/report.schema.json"} <= packed


def test_the_version_is_the_same_everywhere(unpacked: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert metadata.version("gradclinic") == version
    code = "import runpy; sys.argv = ['gradclinic', '--version']; runpy.run_module('gradclinic', run_name='__main__')"
    done = python(code, unpacked)
    assert (done.returncode, version in done.stdout) == (0, True), done.stderr


def test_importing_the_package_does_not_import_torch(unpacked: Path) -> None:
    done = python("import gradclinic; print(gradclinic.__file__); print('torch' in sys.modules)", unpacked)
    file, torch_too = done.stdout.splitlines()
    assert Path(file).is_relative_to(unpacked)
    assert torch_too == "False"


@pytest.mark.parametrize("stage", ["schema", "store", "diagnose", "show", "cli"])
def test_a_stage_that_reads_works_without_torch(unpacked: Path, stage: str) -> None:
    done = python(f"{WITHOUT_TORCH}import gradclinic.{stage}", unpacked)
    assert done.returncode == 0, done.stderr


def test_what_can_be_seen_without_torch_is_said_in_one_line(unpacked: Path) -> None:
    code = f"{WITHOUT_TORCH}from gradclinic.cli import main; sys.exit(main(['diagnose', 'no-such-run']))"
    done = python(code, unpacked)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "no-such-run" in done.stderr


def test_there_are_records_to_diagnose() -> None:
    assert {"healthy", "vanishing_gradient"} <= {record.stem for record in RECORDS}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_is_diagnosed_without_torch(unpacked: Path, tmp_path: Path, record: Path) -> None:
    # A record's name is its first finding; a copy, because SQLite writes beside the file that it reads.
    copy = Path(shutil.copy(record, tmp_path))
    report = tmp_path / "report.json"
    code = f"{WITHOUT_TORCH}from gradclinic.cli import main; sys.exit(main(sys.argv[1:]))"
    done = python(code, unpacked, "diagnose", "--json", str(report), str(copy))
    healthy = record.stem == "healthy"
    assert done.returncode == (0 if healthy else 1), done.stderr
    found = json.loads(report.read_text("utf-8"))
    assert found["verdict"] == ("healthy" if healthy else "sick")
    assert healthy or found["findings"][0]["condition"] == record.stem


def test_the_core_brings_only_what_it_needs() -> None:
    needed = {line.split(";")[0] for line in metadata.requires("gradclinic") or [] if "extra ==" not in line}
    names = {"".join(letter if letter.isalnum() else " " for letter in line).split()[0].lower() for line in needed}
    assert names == {"click", "jinja2", "numba", "numpy", "plotly", "pyyaml", "rich"}
