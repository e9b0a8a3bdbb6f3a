"""The page as text; what a browser makes of it is in test_browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from gradclinic.schema.finding import Finding
from gradclinic.schema.ledger import Line
from gradclinic.show import html

from .. import handmade

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\u2028'\"&amp;"


def evil():
    """A record all of whose names try to break out."""
    report, record = handmade.sick()
    parameters = tuple(
        replace(p, name=EVIL + p.name, module=EVIL + p.module, module_type=EVIL) for p in record.parameters
    )
    info = replace(record.info, command=(EVIL,), platform=EVIL)
    ending = replace(record.ending, error=EVIL, traceback=EVIL)
    lines = tuple(Line(x.sequence, x.kind, EVIL + x.module, EVIL, x.decades) for x in report.ledger.lines)
    activities = tuple(replace(a, module=EVIL, op=EVIL) for a in report.ledger.activities)
    finding = Finding("non_finite", "unknown", (EVIL,) * 6, 3, "critical", 0.5, {EVIL: EVIL}, EVIL, EVIL, (EVIL,), EVIL)
    ledger = replace(report.ledger, lines=lines, activities=activities, unseen=(EVIL,))
    report = replace(report, findings=(finding,), headline=EVIL, ledger=ledger)
    return report, replace(record, parameters=parameters, info=info, ending=ending)


class Outline(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self._quiet = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._quiet += tag in ("script", "style")
        self.text += " " if tag in ("th", "td", "dt", "dd") else ""

    def handle_endtag(self, tag):
        self._quiet -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._quiet:
            self.text += data

    def count(self, tag):
        return sum(each == tag for each, _ in self.tags)


@pytest.mark.parametrize("make", [html.page, html.fragment])
def test_hostile_names_add_no_element_and_are_shown_as_they_are(make):
    tame, hostile = Outline(make(*handmade.sick())), Outline(make(*evil()))
    for tag in ("script", "img", "link", "iframe"):
        assert hostile.count(tag) == tame.count(tag)
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}" in hostile.text
    assert not any(key.startswith("on") for _, attributes in hostile.tags for key in attributes)


def test_the_figures_survive_hostile_names_as_json():
    text = html.page(*evil())
    raw = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)[1]
    assert "<" not in raw
    figures = json.loads(raw)
    assert set(figures) == {"loss", "heat", "ledger", "updates", "activity"}
    assert "<script" not in json.dumps(figures)  # plotly would read tags


def test_the_text_has_verdict_findings_remedies_evidence_and_facts():
    text = " ".join(Outline(html.page(*handmade.sick())).text.split())
    for part in (
        "✗ SICK The gradient vanishes", "1. Vanishing gradient — saturating activation",
        "net.1, net.3, net.5, net.7 and 15 more", "since step 0 · 97% sure · critical",
        "Do first: Replace the sigmoids by ReLU", "kaiming init", "first layer gradient norm 3.4e-21",
        "Source: Glorot & Bengio 2010", "18.8 of 19.1 decades went to activations", "Loss 2.503 → 2.303",
        "Command train.py --lr 0.1", "Oscillation: needs 200 steps", "Everywhere: net.1, net.3",
    ):  # fmt: skip
        assert part in text


def test_backticks_become_code_and_what_is_in_them_stays_escaped():
    finding = replace(handmade.VANISHING, explanation="In `net.1` & `<b>`; a lone ` stays.")
    text = html.page(replace(handmade.sick()[0], findings=(finding,)))
    assert "In <code>net.1</code> &amp; <code>&lt;b&gt;</code>; a lone ` stays." in text


def test_nothing_is_loaded_from_anywhere():
    text = html.page(*handmade.sick())
    tags = Outline(text).tags
    for _, attributes in tags:
        for key in ("src", "href", "data", "action", "srcset"):
            assert attributes.get(key, "data:").startswith("data:")
    (policy,) = [a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy.split(";")[1]
    assert text.count("plotly.js v") <= 2  # the library once, with its banner


def test_headings_go_down_one_level_at_a_time_and_every_chart_has_words():
    tags = Outline(html.page(*handmade.sick())).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    pictures = [attributes for _, attributes in tags if attributes.get("role") == "img"]
    assert len(pictures) == 5
    for attributes in pictures:
        assert {attributes["aria-labelledby"], attributes["aria-describedby"]} <= ids
    assert ("html", {"lang": "en"}) in tags


def test_tables_have_headers_for_rows_and_columns():
    tags = Outline(html.page(*handmade.sick())).tags
    tables = sum(tag == "table" for tag, _ in tags)
    assert tables == sum(tag == "caption" for tag, _ in tags) == 5  # three findings, layers, operations
    assert {attributes.get("scope") for tag, attributes in tags if tag == "th"} == {"row", "col"}


def test_a_run_without_charts_brings_no_scripts():
    page = html.page(*handmade.undecided())
    assert len(page) < 30_000
    assert Outline(page).count("script") == 0
    assert "script-src &#39;none&#39;" in page


def test_a_report_without_a_record_is_a_page():
    report, _ = handmade.sick()
    text = " ".join(Outline(html.page(report)).text.split())
    assert "Vanishing gradient" in text
    assert "The gradient's account" in text


def test_the_fragment_is_one_element_without_script_and_with_its_styles_kept_to_itself():
    text = html.fragment(*handmade.sick())
    outline = Outline(text)
    assert outline.tags[0] == ("div", {"class": "gradclinic fragment"})
    assert outline.count("script") == 0
    assert text.strip().endswith("</div>")
    assert len(text) < 60_000
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    selectors = re.findall(r"(?:^|[{}])\s*([^@{};]+?)\s*\{", style)
    assert selectors
    assert all(".gradclinic" in part for selector in selectors for part in selector.split(","))


def test_a_very_long_ledger_is_cut_in_the_table_and_says_so():
    report, record = handmade.sick()
    lines = tuple(Line(-i, "activation", "rnn", "Tanh", -0.01) for i in range(1500))
    text = html.page(replace(report, ledger=replace(report.ledger, lines=lines)), record)
    assert "the first 1000 of 1500" in text
