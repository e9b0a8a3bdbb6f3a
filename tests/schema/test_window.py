"""Where a learning rate lies."""

from __future__ import annotations

import pytest

from gradclinic.schema.window import Side, Window


@pytest.mark.parametrize(
    ("lr", "low", "high", "state"),
    [(0.1, 0.01, 1.0, "inside"), (1e-3, 0.01, 1.0, "below"), (3.0, 0.01, 1.0, "above"), (0.1, 1.0, 0.01, "empty")],
)
def test_the_states_of_a_window(lr: float, low: float, high: float, state: str) -> None:
    window = Window(lr, Side(low, 0.5 * low, 2 * low), Side(high, 0.5 * high, 2 * high), 100)
    assert window.state == state
    assert window.to_dict() == {
        "lr": [lr],
        "lr_min": low,
        "lr_max": high,
        "lr_min_range": [0.5 * low, 2 * low],
        "lr_max_range": [0.5 * high, 2 * high],
        "steps": 100,
        "state": state,
    }
