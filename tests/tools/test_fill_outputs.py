"""What counts as the same output, and what does not; filling and checking a page."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fill_outputs.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("fill_outputs", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["fill_outputs"] = module
    spec.loader.exec_module(module)
    return module


TABLE = "layer   ‖Δw‖/‖w‖   end\n0           1e-{}   1.00\n12          2e-{}   2.00\n\nsum 3"


@pytest.mark.parametrize(
    ("shown", "printed", "compared"),
    [
        ("loss 0.25", "loss 0.25", None),
        ("a long\nline", "a  long line", None),
        ("in 2.7 s (15%), 300 ms", "in 13 s (2%), 1 ms", None),
        ("sick-20260101-000000.db", "sick-20270202-111111.db", None),
        ("x ▁▂▃▄▅▆▇█▁▂ y", "x ▁▁▁▁▁▁▁▁▁▁▁▁ y", None),
        ("lr ──●──━━ 0.1", "lr ─●───━━━ 0.1", None),
        ("loss 0.250", "loss 0.262", "numbers within 5%"),
        ("1.2 decades", "1.3 decades", "numbers within 0%"),  # one unit of the last digit
        ("δ −12.7, 1,000", "δ −12.9, 1,010", "numbers within 2%"),
        ("ledgers 6 of 7", "ledgers 13 of 7", "numbers within 1%, apart from ledgers"),
        (TABLE.format(9, 9), TABLE.format(7, 5), "numbers within 1%, apart from ‖Δw‖/‖w‖"),
    ],
)
def test_the_same(tool, shown, printed, compared):
    assert tool.difference(shown, printed, compared) is None


@pytest.mark.parametrize(
    ("shown", "printed", "compared"),
    [
        ("loss 0.25", "loss 0.26", None),
        ("loss 0.25", "lose 0.25", "numbers within 50%"),
        ("loss 0.25", "loss 0.25 and more", "numbers within 50%"),
        ("loss 0.25", "loss", None),
        ("loss 0.25", "loss nan", "numbers within 50%"),
        ("loss 0.250", "loss 0.270", "numbers within 5%"),
        ("10^-12.7", "10^12.7", "numbers within 5%"),
        ("gain −12", "gain +12", "numbers within 5%"),
        ("160 steps", "320 steps", "numbers within 5%"),
        ("ledgers 6 of 7", "ledgers 6 of 9", "numbers within 1%, apart from ledgers"),
        (TABLE.format(9, 9).replace("2.00", "3.00"), TABLE.format(9, 9), "numbers within 1%, apart from ‖Δw‖/‖w‖"),
        (TABLE.format(9, 9).replace("m 3", "m 5"), TABLE.format(9, 9), "numbers within 1%, apart from ‖Δw‖/‖w‖"),
    ],
)
def test_not_the_same(tool, shown, printed, compared):
    assert "the page shows" in tool.difference(shown, printed, compared)


def test_a_rule_that_is_not_understood_is_refused(tool):
    with pytest.raises(ValueError, match="more or less"):
        tool.difference("", "", "more or less")


PAGE = """text
<!-- output of: echo one -->
<!-- end of output -->
<!-- run: echo 2.0 -->
<!-- compared: numbers within 5% -->
<!-- end of output -->
<!-- contents of: docs/learn/code/chain.py -->
<!-- end of contents -->
"""


def test_a_filled_page_passes_its_check_and_a_changed_number_does_not(tool):
    page = tool.filled(PAGE)
    assert "-->\n```text\none\n```\n<!-- end" in page
    assert "5% -->\n```sh\necho 2.0\n```\n\n```text\n2.0\n```\n<!-- end" in page
    assert tool.filled(page) == page
    assert list(tool.problems(page)) == []
    (found,) = tool.problems(page.replace("text\n2.0", "text\n2.5"))
    assert "echo 2.0" in found
    (found,) = tool.problems(page.replace("x, product", "y, product"))
    assert "chain.py" in found
