"""The report in a real browser, opened from a file: inert, silent, and usable."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

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
        ("#attribution svg.forest", ".whisker"), ("#attribution svg.columns", "rect"),
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
        cards = browser.find_elements(
            "css selector", "noscript :is(figure, section).card, #items :is(figure, section).card"
        )
        assert len(cards) == 10
        assert not browser.find_element("id", "item-filters").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def resize(page: Any, width: int, media: str = "screen", theme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    page.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": media == "print"})


@pytest.fixture
def resized(page: Any) -> Iterator[Any]:
    yield page
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    page.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": False})


A4 = 718
"""Pixels across an A4 page between the margins that browsers print with."""
CUT = """
const inner = document.documentElement.clientWidth;
return [...document.querySelectorAll('main table, main svg[role=img], main pre')]
  .filter((each) => each.getClientRects().length)
  .map((each) => {
    const place = each.closest('.scroll') || each.parentElement;
    const box = each.getBoundingClientRect();
    const fits = place.scrollWidth <= place.clientWidth + 1 && box.left >= -1 && box.right <= inner + 1;
    const region = each.closest('.scroll');
    const hint = region && region.nextElementSibling && region.nextElementSibling.querySelector('.hint');
    return {
      name: each.getAttribute('aria-label') || (each.caption || {}).textContent || each.id,
      fits,
      reachable: Boolean(region) && region.tabIndex === 0 && region.getAttribute('role') === 'region'
        && Boolean(region.getAttribute('aria-label') || region.getAttribute('aria-labelledby'))
        && Boolean(hint) && hint.getClientRects().length > 0 && getComputedStyle(region).overflowX === 'auto',
    };
  });
"""


def test_no_table_and_no_figure_is_cut(resized: Any) -> None:
    open_everything(resized)
    for width, media in ((400, "screen"), (1000, "screen"), (1400, "screen"), (A4, "print"), (1000, "print")):
        resize(resized, width, media)
        # A hint follows its region's size in a later task.
        resized.execute_async_script("const done = arguments[0]; setTimeout(done, 300);")
        page = script(resized, "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]")
        assert page[0] <= page[1] <= width, (width, media)
        found = script(resized, CUT)
        assert len([each for each in found if "Score by direction" in each["name"]]) == 1
        cut = [each["name"] for each in found if not each["fits"] and not (width == 400 and each["reachable"])]
        assert (width, media, cut) == (width, media, [])
        if (width, media) == (1400, "screen"):
            assert script(resized, "return document.querySelectorAll('.hint').length") > 10
            assert script(resized, "return document.querySelectorAll('.hint:not([hidden])').length") == 0


def test_paper_is_light_and_nothing_is_folded(resized: Any) -> None:
    script(resized, "window.dispatchEvent(new Event('beforeprint'))")
    resize(resized, A4, "print", "dark")
    closed = script(resized, "return document.querySelectorAll('details.more:not([open])').length")
    assert closed == 0
    colours = script(resized, "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    pale = "return getComputedStyle(document.documentElement).getPropertyValue('--dropped')"
    assert script(resized, pale).strip() == "#ebecdc"


@pytest.fixture
def downloads(page: Any, tmp_path: Path) -> Path:
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    return tmp_path


def fetched(folder: Path, ending: str) -> Path:
    """Wait for the one file with an ending."""
    for _ in range(100):
        files = [each for each in folder.iterdir() if each.suffix == ending]
        if files and not list(folder.glob("*.crdownload")):
            assert len(files) == 1
            return files[0]
        time.sleep(0.1)
    pytest.fail(f"no {ending} came: {sorted(folder.iterdir())}")


def rows_of(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    return list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True), strict=True))


def press(page: Any, label: str) -> None:
    script(
        page,
        "const [found] = [...document.querySelectorAll('button')]"
        ".filter((each) => (each.getAttribute('aria-label') || each.textContent) === arguments[0]); found.click();",
        label,
    )


def test_every_table_and_figure_can_be_taken(page: Any) -> None:
    open_everything(page)
    tables = script(page, "return document.querySelectorAll('main table').length")
    figures = script(page, "return document.querySelectorAll('main svg[role=img][viewBox]').length")
    labels = script(page, "return [...document.querySelectorAll('.take button')].map((each) => each.textContent)")
    assert (labels.count("CSV"), labels.count("SVG")) == (tables, figures)
    assert tables > ITEMS + 15
    assert figures > 10
    # Small figures in cells repeat their table's figures, or say them in its CSV.
    small = "return [...document.querySelectorAll('main svg[role=img]:not([viewBox])')]"
    assert script(page, f"{small}.every((each) => each.closest('td'))")


def test_every_axis_has_a_name_and_a_unit(page: Any) -> None:
    texts = script(
        page,
        "return [...document.querySelectorAll('main svg[role=img][viewBox]')].map((figure) => ["
        "figure.matches('.forest') ? 1 : 2, figure.getAttribute('aria-label'),"
        "[...figure.querySelectorAll('text')].map((each) => each.textContent)])",
    )
    assert len(texts) > 10
    for axes, label, found in texts:
        named = [text for text in found if re.fullmatch(r"[^()]+ \([^()]+\)", text) and text in label]
        assert len(named) >= axes, label
    heads = script(
        page,
        "return [...document.querySelectorAll('main svg.axis')]"
        ".map((axis) => (axis.previousElementSibling || axis).textContent)",
    )
    assert len(heads) > 10
    assert [head for head in heads if not re.fullmatch(r"[^()]+ \([^()]+\)", head)] == []


def test_a_row_without_figures_says_why_in_the_csv(page: Any, downloads: Path) -> None:
    first = "const [first] = document.querySelectorAll('#attribution table');"
    script(page, f"{first} first.closest('.scroll').nextElementSibling.querySelector('button').click()")
    head, *rows = rows_of(fetched(downloads, ".csv"))
    assert {len(row) for row in rows} == {len(head)}
    reasons = script(
        page,
        f"{first} return [...first.querySelectorAll('td[colspan]')].map((cell) => cell.textContent.trim())",
    )
    assert reasons
    assert [cell for row in rows for cell in row if cell.startswith("no AUC")] == reasons


def test_a_table_as_csv_has_the_figures_of_the_page(page: Any, downloads: Path) -> None:
    press(page, "CSV of the table: Score by direction")
    head, *rows = rows_of(fetched(downloads, ".csv"))
    assert head[:4] == ["direction", "score", "score low", "score high"]
    assert {len(row) for row in rows} == {len(head)}
    shown = script(
        page,
        "return [...document.querySelector('#score table').tBodies[0].rows]"
        ".map((row) => [row.cells[0].textContent, row.cells[2].textContent])",
    )
    assert len(shown) == len(rows) == len(DIRECTIONS) + 1
    for (name, figures), row in zip(shown, rows, strict=True):
        assert row[0] == " ".join(name.split())
        assert [float(part) for part in re.findall(r"[\d.]+", figures)] == [float(part) for part in row[1:4]]


def test_a_formula_in_a_csv_is_text_and_a_number_a_number(page: Any, downloads: Path) -> None:
    cells = [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+49",
        "-1",
        "−0.5",
        "@SUM(A1)",
        "-x",
        "a,b",
        'say "a"',
        "＝1",
        "–",
        "12%",
    ]
    script(
        page,
        "const body = document.querySelector('#score tbody'); body.replaceChildren();"
        "for (const text of arguments[0]) { const row = body.insertRow(); row.insertCell().textContent = text; }",
        cells,
    )
    press(page, "CSV of the table: Score by direction")
    _, *rows = rows_of(fetched(downloads, ".csv"))
    assert [row[0] for row in rows] == [
        "'=1+1", "'=HYPERLINK(\"http://x\",\"y\")", "'+49", "-1", "-0.5", "'@SUM(A1)", "'-x", "a,b", 'say "a"',
        "'＝1", "–", "12%",
    ]  # fmt: skip


def test_pairs_as_csv_are_all_of_them(page: Any, downloads: Path) -> None:
    press(page, "CSV of the table: Pivots of word pairs with their evidence")
    _, *rows = rows_of(fetched(downloads, ".csv"))
    assert len(rows) == script(
        page, "return JSON.parse(document.getElementById('data').textContent).pairs.flatMap((pair) => pair.v).length"
    )


def test_all_items_as_csv(page: Any, downloads: Path) -> None:
    press(page, "All items as CSV")
    head, *rows = rows_of(fetched(downloads, ".csv"))
    assert len(rows) == ITEMS
    found = [dict(zip(head, row, strict=True)) for row in rows]
    (horse,) = [row for row in found if row["source_word"] == "cheval" and row["target_language"] == "zh"]
    assert (horse["calibrated"], horse["layer"], horse["token"]) == ("semantic_pivot", "14", "␣horse")


@pytest.mark.parametrize("section", ["layers", "causality", "attribution", "behaviours"])
def test_a_figure_as_svg_stands_alone(page: Any, downloads: Path, section: str) -> None:
    script(
        page,
        "[...document.querySelectorAll(`#${arguments[0]} .take button`)]"
        ".find((each) => each.textContent === 'SVG').click()",
        section,
    )
    root = ElementTree.fromstring(fetched(downloads, ".svg").read_text("utf-8"))
    name = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{name}svg"
    assert root.find(f"{name}title").text == root.get("aria-label")
    box = [float(part) for part in str(root.get("viewBox")).split()]
    assert [root.get("width"), root.get("height")] == [f"{side:g}" for side in box[2:]]
    marks = [each for each in root.iter() if each.tag in {f"{name}path", f"{name}line", f"{name}circle"}]
    assert marks
    for mark in marks:
        # No class and no variable: the colours are in the file.
        assert mark.get("class") is None
        assert "var(" not in "".join(mark.attrib.values())
        assert str(mark.get("fill")).startswith("rgb") or str(mark.get("stroke")).startswith("rgb")
    assert any("(" in (text.text or "") for text in root.iter(f"{name}text"))


def test_every_item_is_reachable_where_not_all_have_their_layers(browser: Any, tmp_path: Path) -> None:
    report = write_report(ReportConfig(items=12), build_run(tmp_path, ["bench", "trace"], concepts=8, layers=5))
    browser.get((report.folder / "report.html").as_uri())
    total = 8 * len(DIRECTIONS)
    assert count(browser) == f"{total} items"
    bare = "return [...document.querySelectorAll('.item')].filter((each) => !each.querySelector('svg.strip'))"
    script(browser, "const more = document.getElementById('item-more'); while (!more.hidden) more.click();")
    without = script(browser, f"{bare}.length")
    assert total - 22 <= without <= total - 12
    words = script(browser, f"{bare}[0].querySelector('.words').textContent")
    choose(browser, "filter-text", words.split(" → ")[0])
    assert words in script(
        browser, "return [...document.querySelectorAll('.item .words')].map((each) => each.textContent)"
    )
    script(browser, f"{bare}[0].open = true".replace("return ", ""))
    browser.execute_async_script("const done = arguments[0]; setTimeout(done, 200);")
    inside = script(browser, "return document.querySelector('.item[open] .inside').textContent")
    assert f"pivotlens report --items {total}" in inside
    assert "trace/tokens" in inside
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
