"""The bar of what takes long."""

from __future__ import annotations

import io
import sys

import pytest

from gradclinic.workflows import bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("patience", "drawn"), [(0.0, True), (1e9, False)])
def test_it_is_drawn_only_when_somebody_waits(patience: float, drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(bar, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm-256color")
    with bar.progress_bar("check-up", shown=True) as tell:
        tell("a few real steps", 0.5)
        tell("the diagnosis", 1.0)
    assert ("the diagnosis" in screen.getvalue()) is drawn


def test_it_is_not_drawn_into_a_pipe_nor_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "PATIENCE", 0.0)
    for screen, shown in ((io.StringIO(), True), (Terminal(), False)):
        monkeypatch.setattr(sys, "stderr", screen)
        with bar.progress_bar("check-up", shown=shown) as tell:
            tell("a few real steps", 0.5)
        assert screen.getvalue() == ""
