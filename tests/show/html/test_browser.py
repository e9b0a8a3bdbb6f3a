"""The page in a real Chromium, from file://."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace

import pytest

from gradclinic.show import html
from gradclinic.show.html import comparison_page, search_page

from .. import handmade
from .test_comparison import TOLD
from .test_page import evil
from .test_search import TOLD as SEARCHED

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,1000",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # selenium leaves sockets open
        driver.quit()


def numbered():
    """Layers named 0, 2, 4, ... as those of a bare Sequential."""
    report, record = handmade.sick()
    parameters = tuple(
        replace(p, name=p.name.removeprefix("net."), module=p.module.removeprefix("net.")) for p in record.parameters
    )
    return report, replace(record, parameters=parameters)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, make in {
        "numbered": numbered,
        "sick": handmade.sick,
        "poisoned": handmade.poisoned,
        "foreseen": handmade.foreseen,
        "evil": evil,
    }.items():
        path = folder / f"{name}.html"
        path.write_text(html.page(*make()), encoding="utf-8")
        made[name] = path.as_uri()
    for name, text in {"compared": comparison_page.page(TOLD), "searched": search_page.page(SEARCHED)}.items():
        path = folder / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        made[name] = path.as_uri()
    return made


def screen(browser, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def scheme(browser, dark):
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def visit(browser, url, *, width=1280, dark=False, scripts=True):
    """Loads a page and gives back what the console said and what was requested."""
    screen(browser, width)
    scheme(browser, dark)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    browser.get("about:blank")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(url)
    said = browser.get_log("browser")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return said, [url for url in asked if not url.startswith(("data:", "blob:"))]


@pytest.mark.parametrize(("name", "charts"), [("sick", 5), ("poisoned", 3), ("foreseen", 7)])
def test_the_page_draws_its_charts_and_asks_nobody_for_anything(browser, pages, name, charts):
    said, asked = visit(browser, pages[name])
    assert said == []
    assert asked == [pages[name]]
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('.main-svg').length)"
    )
    assert len(drawn) == charts
    assert all(drawn)
    assert browser.execute_script("return document.querySelectorAll('.heatmaplayer image').length") >= 1


@pytest.mark.parametrize(("name", "charts"), [("compared", 7), ("searched", 5)])
def test_the_page_of_trials_draws_its_charts_and_asks_nobody_for_anything(browser, pages, name, charts):
    said, asked = visit(browser, pages[name])
    assert said == []
    assert asked == [pages[name]]
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('.scatterlayer .trace').length)"
    )
    assert len(drawn) == charts
    assert all(drawn)


def test_layers_with_numbers_for_names_keep_their_order(browser, pages):
    visit(browser, pages["numbered"])
    labels = browser.execute_script(
        "return [...document.querySelectorAll('#heat .ytick text')]"
        ".map(t => [t.getBoundingClientRect().top, t.textContent]).sort((a, b) => a[0] - b[0]).map(p => p[1])"
    )
    assert labels == [str(2 * k) for k in range(20)]


def test_hostile_names_run_nothing_and_make_no_links(browser, pages):
    said, asked = visit(browser, pages["evil"])
    assert said == []
    assert asked == [pages["evil"]]
    assert browser.execute_script("return document.querySelectorAll('main img, main a, main iframe').length") == 0
    assert browser.title.startswith("SICK: </script>")
    labels = browser.execute_script("return [...document.querySelectorAll('.ytick text')].map(t => t.textContent)")
    assert any("<" in label or "script" in label for label in labels)


@pytest.mark.parametrize("name", ["sick", "evil", "compared", "searched"])
def test_the_page_never_scrolls_sideways(browser, pages, name):
    visit(browser, pages[name], width=400)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    for width in (400, 1280):
        screen(browser, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ_and_text_keeps_its_contrast(browser, pages):
    visit(browser, pages["sick"])
    colours, grounds = [], []
    for dark in (False, True):  # without a reload: the reader's scheme may change at dusk
        scheme(browser, dark)
        poor, ground = browser.execute_script(CONTRAST)
        assert poor == []
        grounds.append(ground)
        colours.append(browser.execute_script(TICK_COLOUR))
    assert grounds[0] > 0.8
    assert grounds[1] < 0.05
    assert colours == ["rgb(36, 41, 47)", "rgb(215, 220, 226)"]


def test_without_javascript_all_text_is_there(browser, pages):
    _, asked = visit(browser, pages["sick"], scripts=False)
    assert asked == [pages["sick"]]
    send = browser.execute_cdp_cmd
    root = send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    body = send("DOM.querySelector", {"nodeId": root, "selector": "main"})["nodeId"]
    text = send("DOM.getOuterHTML", {"nodeId": body})["outerHTML"]
    for part in ("Vanishing gradient", "Do first:", "18.8 of 19.1 decades", "The charts need JavaScript"):
        assert part in text
    # No empty boxes where the charts would be.
    chart = send("DOM.querySelector", {"nodeId": root, "selector": ".chart"})["nodeId"]
    send("CSS.enable", {})
    styles = send("CSS.getComputedStyleForNode", {"nodeId": chart})
    assert {"name": "display", "value": "none"} in styles["computedStyle"]
    send("Emulation.setScriptExecutionDisabled", {"value": False})


def test_printing_opens_the_evidence_and_is_light(browser, pages):
    visit(browser, pages["sick"], dark=True)
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    closed = "return document.querySelectorAll('details:not([open])').length"
    assert browser.execute_script(closed) == 0
    assert browser.execute_script(TICK_COLOUR) == "rgb(36, 41, 47)"
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script(closed) > 0
    assert browser.execute_script(TICK_COLOUR) == "rgb(215, 220, 226)"


TICK_COLOUR = "return getComputedStyle(document.querySelector('.xtick text')).fill"

#: Text whose contrast is below WCAG's 4.5 to 1, and the luminance of the page.
CONTRAST = """
const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const lum = c => { const [r, g, b] = c.map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b };
const parse = s => s.match(/[\\d.]+/g).map(Number);
const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return lum(c.slice(0, 3)) } return 1 };
const poor = [];
for (const e of document.querySelectorAll('main *')) {
  if (e.closest('svg, .chart') || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
  const a = lum(parse(getComputedStyle(e).color).slice(0, 3)), b = ground(e);
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) poor.push(e.tagName + ': ' + e.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
}
return [poor, ground(document.body)];
"""
