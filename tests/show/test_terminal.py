"""What a person sees in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from gradclinic.show import terminal

from . import handmade

ALL = {
    "sick": handmade.sick,
    "healthy": handmade.healthy,
    "poisoned": handmade.poisoned,
    "undecided": handmade.undecided,
    "foreseen": handmade.foreseen,
    "hopeless": handmade.hopeless,
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def shown(which, width=100, *, encoding="utf-8", tty=False, height=60, **paths):
    """The report as the bytes that reach the terminal."""
    report, record = which() if callable(which) else which
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    # _environ: the machine's own NO_COLOR, TERM and COLUMNS must not decide.
    console = Console(
        file=stream,
        width=width,
        height=height,
        force_terminal=tty,
        highlight=False,
        _environ={"TERM": "xterm-256color"},
    )
    terminal.show(report, record, console, **paths)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_the_first_lines_of_a_sick_run_say_what_is_wrong_where_why_and_what_to_do():
    text = shown(handmade.sick)
    head = " ".join(text.replace("┃", " ").split())
    for part in (
        "✗ SICK", "The gradient vanishes on its way", "Vanishing gradient — saturating activation",
        "net.1, net.3, net.5, net.7 and 15 more", "since step 0", "97% sure", "Do first: Replace the sigmoids by ReLU",
        "total decades −19.1", "first layer gradient norm 3.4e-21", "Glorot & Bengio 2010", "Plateau",
    ):  # fmt: skip
        assert part in head
    assert text.index("SICK") < text.index("Vanishing") < text.index("Plateau") < text.index("net.38")
    assert "18.8 of 19.1 decades went to activations" in head
    assert "loss 2.503 → 2.303" in head
    assert "rank collapse" not in head  # in words, not identifiers
    assert "oscillation (needs 200 steps)" in head


def test_the_table_shows_the_decades_of_a_vanishing_gradient_as_growing_bars():
    rows = [line for line in shown(handmade.sick, 140).splitlines() if line.startswith("net.")]
    assert rows[0].startswith("net.0")
    assert rows[-1].startswith("net.38")
    lengths = [row.count("━") for row in rows]
    assert lengths == sorted(lengths)
    assert lengths[0] <= 1
    assert lengths[-1] == 40
    assert "1.4e-21" in rows[0]


def test_a_healthy_run_is_short_and_quiet():
    lines = shown(handmade.healthy).strip().splitlines()
    assert lines[0].strip().startswith("✓ HEALTHY   It trains")
    assert len(lines) <= 6
    assert "Do first" not in "".join(lines)


def test_a_check_up_shows_the_window_and_what_the_theory_says():
    text = shown(handmade.foreseen)
    axis = next(line for line in text.splitlines() if line.startswith("window"))
    assert axis.index("━") < axis.index("●") < axis.rindex("━")
    assert "lr 0.001" in text
    assert "depth scales" not in text  # a rule about depth is no news of what trains
    assert "the gradient against finite differences: it is <b>rough</b>" in " ".join(text.split())
    text = shown(handmade.hopeless)
    axis = next(line for line in text.splitlines() if line.startswith("window"))
    assert "━" not in axis
    assert "net.0 to net.38: ordered, 3.2 depth scales deep" in " ".join(text.split())


def test_a_column_that_says_nothing_is_left_out():
    assert "sat." in shown(handmade.sick)
    ledger = handmade.chain(6, "Relu", -0.5, 0.1)
    report, record = handmade.poisoned()
    head = shown(lambda: (replace(report, ledger=ledger), record))
    assert "δ decades" in head
    assert "dead" in head
    assert "sat." not in head


def test_nan_and_absent_gradients_are_said_in_words():
    text = shown(handmade.poisoned)
    row = next(line for line in text.splitlines() if line.startswith("net.4"))
    assert "no gradient" in row
    assert "nan or inf" in next(line for line in text.splitlines() if line.startswith("net.6"))
    assert "ValueError: loss is nan" in text
    assert "ended by an error, exit status 1" in " ".join(text.split())


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("width", [20, 40, 80, 100, 140, 300])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_terminal(which, width, encoding):
    text = shown(ALL[which], width, encoding=encoding)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    words = " ".join(text.split())
    assert ALL[which]()[0].verdict.upper() in words


def test_without_unicode_every_character_is_ascii_and_nothing_is_lost():
    text = shown(handmade.sick, encoding="ascii")
    assert "x SICK" in text
    assert "||delta|| by four or more" in " ".join(text.split())
    assert "=====" in text


def test_colour_only_on_a_terminal_and_never_under_no_color(monkeypatch):
    assert "\x1b" not in shown(handmade.sick)
    assert "\x1b[1;7;31m" in shown(handmade.sick, tty=True)
    report, record = handmade.sick()
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, _environ={"NO_COLOR": "1", "TERM": "xterm"})
    terminal.show(report, record, console)
    codes = {code for sequence in ANSI.findall(stream.getvalue()) for code in sequence[2:-1].split(";")}
    assert not codes & {str(k) for k in (*range(30, 50), *range(90, 108))}


def test_colours_change_nothing_in_the_text():
    assert ANSI.sub("", shown(handmade.sick, tty=True)) == shown(handmade.sick)


def test_names_cannot_send_escape_sequences_or_markup():
    report, record = handmade.poisoned()
    finding = replace(report.findings[0], where=("[red]evil[/red]\x1b]0;owned\x07",), explanation="[link=x]hi[/link]")
    text = shown(lambda: (replace(report, findings=(finding,), headline="a\nb"), record), tty=True)
    assert "\x1b]" not in text
    plain = ANSI.sub("", text)
    assert "[red]evil[/red]\\x1b]0;owned\\x07" in plain
    assert "[link=x]hi[/link]" in plain
    assert "a b" in plain


def test_paths_and_the_command_to_look_again():
    text = shown(handmade.healthy, record_path="my runs/x.db", html_path="my runs/x.html")
    assert "record    my runs/x.db" in text
    assert "page      my runs/x.html" in text
    assert "gradclinic diagnose 'my runs/x.db'" in text


def test_a_low_terminal_gets_a_shorter_table():
    def rows(height):
        text = ANSI.sub("", shown(handmade.sick, tty=True, height=height))
        return sum(line.startswith(("net.", "…")) for line in text.splitlines())

    assert rows(24) <= 6 < rows(60) <= 14


def test_a_deep_net_is_folded_with_a_count():
    ledger = handmade.chain(120, "Relu", -0.5, 0.499)
    record = handmade.record(120, 2, norm=lambda k, t: 0.1, loss=lambda t: 1.0, ledger=ledger)
    text = shown(lambda: (handmade.report("undecided", "?", ledger=ledger), record))
    counts = [int(n) for n in re.findall(r"… (\d+) similar layers …", text)]
    rows = sum(line.startswith("net.") for line in text.splitlines())
    assert sum(counts) + rows == 120
    assert rows < 14


def test_one_layer_among_many_that_a_finding_names_is_coloured():
    report, record = handmade.sick()
    finding = replace(handmade.VANISHING, where=("net.17",))  # the activation after net.16
    lines = shown(lambda: (replace(report, findings=(finding,)), record), tty=True).splitlines()
    red = [ANSI.sub("", line).split()[0] for line in lines if line.startswith("\x1b[31mnet.")]
    assert red == ["net.16"]


def test_a_report_without_a_record_is_shown():
    report, _ = handmade.sick()
    text = shown(lambda: (report, None))
    assert "Vanishing gradient" in text
    assert "18.8 of 19.1" in text
