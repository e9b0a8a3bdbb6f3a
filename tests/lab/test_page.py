"""The page in a real Chromium, from file://."""

from __future__ import annotations

import json
import shutil
import warnings

import pytest

from gradclinic.lab.experiment import Experiment, Row, at_most
from gradclinic.lab.figures import grid, lines
from gradclinic.lab.outcome import Outcome
from gradclinic.lab.page import page

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


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


def outcome():
    figures = [
        lines("Lines", "says", {"a": ([1, 2], [1.0, 2.0])}, ("x", "y"), log="y", theory={"b": ([1, 2], [2.0, 2.0])}),
        grid("Grid", "says", ([1, 2], [3, 4], [[0.1, 0.2], [0.3, float("nan")]]), ("x", "y"), colour="z"),
    ]
    experiment = Experiment(
        name="drawn",
        title="Drawn",
        paper="Nobody 2000",
        quick={},
        full={},
        conditions=lambda settings: [],
        measure=lambda seed: {},
        judge=lambda rows: [at_most("x", 1, 2.0)],
        draw=lambda rows: figures,
    )
    return Outcome(experiment, [Row({"seed": 0}, {f"value {place}": 1.0 for place in range(20)})], 1)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_draws_every_figure_asks_nobody_and_never_scrolls_sideways(browser, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(page(outcome()), "utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get("about:blank")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    drawn = "return [...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('.main-svg').length > 0)"
    assert browser.execute_script(drawn) == [True, True]
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
