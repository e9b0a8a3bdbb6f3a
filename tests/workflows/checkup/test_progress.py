"""The bar of a long check-up."""

from __future__ import annotations

import io
import sys

import pytest

from gradclinic.workflows.checkup import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("patience", "drawn"), [(0.0, True), (1e9, False)])
def test_it_is_drawn_only_when_somebody_waits(patience: float, drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress.progress_bar(shown=True) as tell:
        tell("a few real steps", 0.5)
        tell("the diagnosis", 1.0)
    assert ("the diagnosis" in screen.getvalue()) is drawn


def test_it_is_not_drawn_into_a_pipe_nor_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    for screen, shown in ((io.StringIO(), True), (Terminal(), False)):
        monkeypatch.setattr(sys, "stderr", screen)
        with progress.progress_bar(shown=shown) as tell:
            tell("a few real steps", 0.5)
        assert screen.getvalue() == ""
