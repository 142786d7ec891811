"""The report in a real browser, opened from a file: inert, silent, and usable."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from report_fixture import DIRECTIONS, build_run

from pivotlens.report import ReportConfig, write_report

pytestmark = pytest.mark.browser

ITEMS = len(DIRECTIONS) * 16
FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1280,900",
)  # fmt: skip
WATCH = """
window.alerts = [];
window.alert = (text) => window.alerts.push(text);
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


def _start(profile: Path) -> Any:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with chromedriver here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    from selenium.webdriver.chrome.service import Service

    return webdriver.Chrome(options=options, service=Service(driver))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    report = write_report(ReportConfig(), build_run(tmp_path_factory.mktemp("run"), sweep=True))
    return (report.folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = _start(tmp_path_factory.mktemp("profile"))
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(address)
    return browser


def script(page: Any, code: str, *arguments: Any) -> Any:
    return page.execute_script(code, *arguments)


def choose(page: Any, control: str, value: str) -> None:
    script(
        page,
        "const c = document.getElementById(arguments[0]); c.value = arguments[1];"
        "c.dispatchEvent(new Event('input', {bubbles: true})); c.dispatchEvent(new Event('change', {bubbles: true}));",
        control,
        value,
    )


def count(page: Any) -> str:
    return script(page, "return document.getElementById('item-count').textContent")


def open_everything(page: Any) -> None:
    script(
        page,
        "for (const id of ['item-more', 'pair-more']) {"
        "  const more = document.getElementById(id); while (!more.hidden) more.click(); }"
        "document.querySelectorAll('details').forEach((each) => { each.open = true; });",
    )
    # The toggle event of a details element comes in a later task.
    page.execute_async_script("const done = arguments[0]; setTimeout(done, 300);")


def test_silent_and_inert(page: Any, address: str) -> None:
    open_everything(page)
    assert script(page, "return document.querySelectorAll('.heat').length") == ITEMS
    assert [entry for entry in page.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert script(page, "return window.alerts") == []
    assert script(page, "return window.violations") == []
    assert script(page, "return document.querySelectorAll('img, iframe, object, [onerror], [style]').length") == 0
    assert script(page, "return document.scripts.length") == 2
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    }
    assert address in asked
    assert all(url == address or url.startswith("data:") for url in asked)


def test_hostile_tokens_are_shown_as_they_are(page: Any) -> None:
    open_everything(page)
    text = script(page, "return document.querySelector('main').textContent")
    for token in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "\\u202egnp.exe"):
        assert token in text


def test_filters(page: Any) -> None:
    assert count(page) == f"{ITEMS} items"
    choose(page, "filter-direction", "1")
    assert count(page) == f"16 of {ITEMS} items"
    choose(page, "filter-correct", "1")
    right = int(count(page).split()[0])
    choose(page, "filter-correct", "0")
    assert right + int(count(page).split()[0]) == 16
    choose(page, "filter-correct", "")
    choose(page, "filter-direction", "")
    pivot = script(
        page,
        "const options = [...document.getElementById('filter-behaviour').options];"
        "return options.find((option) => option.text === 'semantic pivot').value",
    )
    choose(page, "filter-behaviour", pivot)
    labels = script(page, "return [...document.querySelectorAll('.item .label')].map((each) => each.textContent)")
    assert labels
    assert all(label.startswith("semantic pivot") for label in labels)
    choose(page, "filter-behaviour", "")
    choose(page, "filter-text", "HIVER")
    found = script(page, "return [...document.querySelectorAll('.item .words')].map((each) => each.textContent)")
    assert len(found) == len(DIRECTIONS)
    assert "hiver → 冬天" in found
    choose(page, "filter-text", "no such word")
    assert count(page) == f"0 of {ITEMS} items"


def test_an_item_unfolds_by_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(page, "filter-text", "cheval")
    summary = page.find_element("css selector", ".item > summary")
    summary.send_keys(Keys.ENTER)
    page.execute_async_script("const done = arguments[0]; setTimeout(done, 200);")
    rows = script(page, "return document.querySelectorAll('.item[open] .heat tbody tr').length")
    assert rows == 19
    peak = page.find_element("css selector", ".heat .at-peak")
    assert peak.text.startswith("14")
    assert "horse" in peak.text
    assert script(page, "return document.querySelector('.item[open] .words bdi').lang") == "fr"


def test_a_chart_is_read_by_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    chart = page.find_element("css selector", ".profile svg")
    readout = page.find_element("css selector", ".profile output")
    resting = readout.text
    chart.send_keys(Keys.END)
    assert readout.text.startswith("layer 18: target word 0.")
    chart.send_keys(Keys.ARROW_LEFT)
    assert readout.text.startswith("layer 17: ")
    script(page, "document.activeElement.blur()")
    assert readout.text == resting


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("#attribution svg.forest", ".whisker"), ("#attribution svg.shares", "rect"),
        ("#attribution svg.scatter", ".point"), ("#behaviours svg.lines", ".spot"), ("#lenses svg.lines", ".line"),
        ("#causality svg.forest", ".whisker"), ("#causality svg.lines", ".spot"),
    ],
)  # fmt: skip
def test_figures_are_as_wide_as_their_place(page: Any, kind: str, mark: str) -> None:
    chart = page.find_element("css selector", kind)
    assert chart.size["width"] > 300
    assert chart.size["height"] > 100
    inside = script(
        page,
        "const box = arguments[0].getBoundingClientRect();"
        "return [...arguments[0].querySelectorAll(arguments[1])].map((each) => each.getBoundingClientRect())"
        ".every((each) => each.left >= box.left - 1 && each.right <= box.right + 1"
        "  && each.top >= box.top - 1 && each.bottom <= box.bottom + 1)",
        chart,
        mark,
    )
    assert inside


def test_pairs_are_searched(page: Any) -> None:
    choose(page, "pair-text", "winter")
    words = script(page, "return [...document.querySelectorAll('#pair-rows tr')].map((row) => row.textContent)")
    assert words
    shown = script(page, "return document.getElementById('pair-count').textContent")
    assert " of " in shown


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(page: Any, width: int, theme: str) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = [{"name": "prefers-color-scheme", "value": theme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    open_everything(page)
    assert script(page, "return document.documentElement.scrollWidth") <= width
    colours = script(page, "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    paper, ink = (sum(int(part) for part in re.findall(r"\d+", colour)[:3]) for colour in colours)
    assert (paper < ink) == (theme == "dark")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_scripts_the_telling_items_are_there(browser: Any, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(address)
        cards = browser.find_elements("css selector", "noscript .card, #items .card")
        assert len(cards) == 10
        assert not browser.find_element("id", "item-filters").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
