"""The window as a line of text."""

from __future__ import annotations

from typing import Any

import pytest

from gradclinic.show.window_axis import FAR, axis_of, window_lines
from gradclinic.show.words import number


def window(lr: float, low: Any, high: Any) -> dict[str, Any]:
    return {"lr": [lr], "lr_min": low, "lr_max": high}


def test_the_rate_lies_where_it_is() -> None:
    axis, labels = window_lines(window(1e-3, 1e-4, 1e-1), 61, plain_ascii=False)
    assert len(axis) == 61
    # From 1e-4.7 to 1e-0.3: 4.4 decades on 60 columns.
    assert axis.index("━") == round(0.7 / 4.4 * 60)
    assert axis.index("●") == round(1.7 / 4.4 * 60)
    assert axis.rindex("━") == round(3.7 / 4.4 * 60)
    assert labels.split() == ["1.0e-04", "lr", "0.001", "0.1"]


@pytest.mark.parametrize(("lr", "before"), [(1e-7, True), (10.0, False)])
def test_a_rate_outside_stands_beside_the_window(lr: float, before: bool) -> None:
    axis, _ = window_lines(window(lr, 1e-4, 1e-1), 61, plain_ascii=True)
    assert set(axis) == {"-", "=", "o"}
    assert (axis.index("o") < axis.index("=")) is before


@pytest.mark.parametrize(("low", "high"), [(10.0, 0.1), ("inf", 0.1), (1e300, 1e-300)])
def test_an_empty_window_is_not_drawn(low: Any, high: Any) -> None:
    axis, labels = window_lines(window(1e-3, low, high), 61, plain_ascii=False)
    assert "━" not in axis
    assert labels.split() == ["lr", "0.001"]


def test_an_end_that_is_nowhere_is_drawn_at_the_edge() -> None:
    axis = axis_of(window(1e-3, 0.0, "inf"))
    assert (axis.low, axis.high) == (-3 - FAR, -3 + FAR)
    assert not axis.empty


def test_labels_never_overlap_and_the_rate_is_always_there() -> None:
    for width in (24, 30, 80):
        for lr in (1.01e-4, 3e-3, 0.099):
            _, labels = window_lines(window(lr, 1e-4, 1e-1), width, plain_ascii=True)
            assert f"lr {number(lr)}" in labels
            assert all(text in ("lr", number(lr), "1.0e-04", "0.1") for text in labels.split())
            assert len(labels) <= width
