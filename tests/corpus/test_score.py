"""What is chosen and what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import score
from corpus.index import Script

ALL = [
    Script("faulty/a.py", "faulty", "development"),
    Script("faulty/b.py", "faulty", "scored"),
    Script("healthy/ab.py", "healthy", "scored"),
]


def files(half: str = "all", only: str = "", show: bool = False) -> list[str]:
    return [Path(script.file).stem for script in score.choose(ALL, half, only, show)]


def test_halves() -> None:
    assert files() == ["a", "b", "ab"]
    assert files("scored") == ["b", "ab"]
    assert files("development") == ["a"]


def test_a_part_of_the_scored_half_is_chosen_only_where_its_rows_may_be_shown() -> None:
    assert files(only="b.py") == []
    assert files(only="a") == ["a"]
    assert files(only="b.py", show=True) == ["b", "ab"]
    assert files("development", "b.py", show=True) == []


def test_an_index_that_is_not_sound_is_not_scored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(score, "load", lambda: (Script("faulty/nowhere.py", "faulty"),))
    assert score.main([]) == 2
    assert "faulty/nowhere.py is in the index and not in the folder" in capsys.readouterr().err


def test_the_command_in_the_results_names_no_folder_of_this_machine() -> None:
    words = ["--jobs", "2", "--keep", "/home/me/kept", "--results=/tmp/x.json", "--half", "all"]
    assert score._public(words) == ["--jobs", "2", "--half", "all"]
