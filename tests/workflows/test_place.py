import os
from pathlib import Path

import pytest

from gradclinic.errors import UserError
from gradclinic.workflows.place import find_record, new_record, rank_record, records_of, writable


def test_a_new_record_is_absolute_and_never_one_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = new_record(Path("runs"), "a", "train")
    assert first == tmp_path / "runs" / "a.db"
    first.touch()
    assert new_record(Path("runs"), "a.db", "train").name == "a-2.db"
    # A page of a record that was deleted is not overwritten either.
    first.with_name("a-2.html").touch()
    assert new_record(Path("runs"), "a", "train").name == "a-3.db"
    assert new_record(Path("runs"), "a", "train", rank=1).name == "a-rank1.db"
    assert new_record(Path("runs"), None, "train").name.startswith("train-2")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "/a"])
def test_a_name_is_not_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="--out"):
        new_record(tmp_path, name, "train")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"choose another with --out"):
        new_record(tmp_path / "file" / "runs", None, "train")


def test_ranks_are_found_in_order_and_the_newest_attempt_first(tmp_path: Path) -> None:
    base = tmp_path / "a[1].db"
    names = ["a[1]-rank10.db", "a[1]-rank0.db", "a[1]-rank0-2.db", "a[1]-rank2.db", "b-rank0.db"]
    for age, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert [path.name for path in records_of(base)] == [
        "a[1]-rank0-2.db", "a[1]-rank0.db", "a[1]-rank2.db", "a[1]-rank10.db"
    ]  # fmt: skip
    assert rank_record(base, 0).name == "a[1]-rank0-3.db"
    base.touch()
    assert records_of(base) == [base]
    assert records_of(tmp_path / "gone" / "x.db") == []


def test_a_record_is_found_by_path_name_page_folder_or_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "gradclinic-runs"
    with pytest.raises(UserError, match=r"gradclinic run train\.py"):
        find_record(None)
    runs.mkdir()
    for age, name in enumerate(["new.db", "old.db", "old.html"]):
        (runs / name).touch()
        os.utime(runs / name, (9 - age, 9 - age))
    asked = [
        None,
        "old",
        "old.db",
        "gradclinic-runs/old.db",
        "gradclinic-runs/old",
        "gradclinic-runs/old.html",
        str(runs),
    ]
    assert [find_record(run).stem for run in asked] == ["new", "old", "old", "old", "old", "old", "new"]
    with pytest.raises(UserError, match="no such run: older"):
        find_record("older")


def test_an_output_is_checked_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert writable(Path("a.json")) == tmp_path / "a.json"
    assert not (tmp_path / "a.json").exists()
    for bad in (tmp_path, tmp_path / "no" / "a.json"):
        with pytest.raises(UserError, match="folder"):
            writable(bad)
