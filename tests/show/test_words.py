"""Numbers and identifiers as people read them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradclinic.schema.finding import CAUSES, CONDITIONS
from gradclinic.show import words


@pytest.mark.parametrize(("identifiers", "table"), [(CONDITIONS, words.CONDITION_WORDS), (CAUSES, words.CAUSE_WORDS)])
def test_every_identifier_has_words_of_its_own(identifiers, table):
    assert set(identifiers) == set(table)
    assert len(set(table.values())) == len(table)


def test_an_identifier_of_a_plug_in_is_spelt_out():
    assert words.condition("cold_start") == "Cold start"
    assert words.cause("bad_luck") == "bad luck"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0"), (0.0, "0"), (True, "yes"), (1234567, "1,234,567"), (-3, "−3"), (0.5, "0.5"),
        (0.0123456, "0.0123"), (999.4, "999"), (1234.5, "1234"), (12345.0, "1.2e+04"), (1.5e-45, "1.5e-45"),
        (-2.5e-9, "−2.5e-09"), (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (np.float32(0.25), "0.25"),
        (np.int64(4096), "4,096"), ("text", "text"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0%"), (1.0, "100%"), (0.0004, "<1%"), (0.004, "0.4%"), (0.93, "93%"), (0.9999, "99.9%"), (None, "–")],
)
def test_a_share_is_0_or_100_per_cent_only_where_it_is(fraction, text):
    assert words.share(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.018, "18 ms"), (4.21, "4.2 s"), (192, "3 min 12 s"), (7500, "2 h 05 min"), (59.96, "60.0 s"), (None, "–")],
)
def test_duration(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("decades", "text"), [(-43.41, "−43.4"), (0.149, "+0.15"), (-0.001, "0.00"), (0.0, "0.00"), (math.inf, "inf")]
)
def test_signed(decades, text):
    assert words.signed(decades) == text


def test_evidence_of_any_shape_is_one_line():
    assert words.value([1, 2.5, None]) == "[1, 2.5, –]"
    assert words.value(list(range(9)), 3) == "[0, 1, 2, …]"
    assert words.value({"low_value": 0.5, "name": "x"}) == "low value 0.5, name x"
    assert words.value(np.array([0.5, 1.5])) == "[0.5, 1.5]"


def test_control_characters_become_visible_and_line_breaks_spaces():
    assert words.plain("a\x1b[31m\nb\u202ec") == "a\\x1b[31m b\\u202ec"
    assert words.plain("\udc80") == "\\udc80"
    assert words.plain("Größe ‖δ‖") == "Größe ‖δ‖"


def test_ascii_only_leaves_no_other_character():
    text = "".join((*words.VERDICT_SYMBOLS.values(), "‖δ‖² ≤ 2⟨δ,Jᵀδ⟩ → × — “é” 层"))
    made = words.ascii_only(text)
    assert made.isascii()
    assert '||delta||^2 <= 2<delta,J^Tdelta> -> x - "e" ?' in made


def test_eliding_keeps_both_ends():
    assert words.elide("short", 10) == "short"
    made = words.elide("encoder.layers.17.attention.query", 15)
    assert len(made) == 15
    assert made.startswith("encoder")
    assert made.endswith(".query")
    assert len(words.elide("abcdef", 1)) <= 1


def test_sparkline_runs_from_the_lowest_to_the_highest():
    assert words.sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert words.sparkline([7, math.nan, 0], 8) == "█x▁"
    assert words.sparkline([math.inf] * 3, 8) == "xxx"
    assert words.sparkline([], 8) == ""
    assert words.sparkline([1.0] * 100, 10) == "▁" * 10
    assert words.sparkline([0, 1], 8, unicode=False).isascii()
