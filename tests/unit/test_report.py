"""The report as a whole: what is on the page, that it is inert, and that equal runs give equal bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from report_fixture import ALL_STAGES, DIRECTIONS, build_run
from report_words import HOSTILE
from rich.console import Group

from pivotlens.artifacts import Report
from pivotlens.artifacts.verification import verify_run
from pivotlens.errors import PrerequisiteError
from pivotlens.report import ReportConfig, render_summary, write_report
from pivotlens.report.payload import embedded_json
from pivotlens.report.stage import STAGE

VOID = {"meta", "link", "br", "input", "col", "img", "hr"}
SECTION_OF = {
    "score": "score",
    "lens": "lenses",
    "trace": "behaviours",
    "count": "corpus",
    "attribute": "attribution",
    "mine": "pivots",
    "select": "selection",
}


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]

    def text(self) -> str:
        return "".join(text for tag, texts in self.texts.items() if tag not in ("script", "style") for text in texts)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_run(tmp_path_factory.mktemp("run"))
    write_report(ReportConfig(title="Words & <b>layers</b>"), folder)
    return folder


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    return (run / "report" / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found is not None
    return orjson.loads(found[1])


def test_every_section_is_there(page: Page) -> None:
    wanted = {"findings", "layers", "items", "causality", "provenance", *SECTION_OF.values()}
    assert wanted <= set(page.ids())


def test_ids_are_unique_and_labels_point_to_something(page: Page) -> None:
    ids = page.ids()
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "for"):
            if attributes.get(name):
                assert attributes[name] in ids
        if str(attributes.get("href", "")).startswith("#"):
            assert str(attributes["href"])[1:] in ids


def test_the_two_tables_of_languages_say_which_language_they_mean(html: str, page: Page) -> None:
    written, linked = "The language a pivot is written in", "The language of a pivot's dictionary link"
    assert f"<h4>{written}</h4>" in html
    linked = linked.replace("'", "&#39;")
    assert f'<h3 id="pivot-links">{linked}</h3>' in html
    assert "another question" in html
    assert "not the language that the token is written in" in html
    found = re.search(r"Of the (\d+) pivots that <code>calibrated</code> finds spelled alike in several", html)
    assert found is not None
    assert f"languages, {found[1]} are linked with the concept as a word of English; of the others" in html


def test_nothing_is_asked_of_the_network(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base")
        assert "src" not in attributes
        if "href" in attributes:
            assert str(attributes["href"]).startswith(("#", "data:"))


def test_no_inline_style_or_handler(page: Page) -> None:
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_policy_lets_exactly_our_script_and_style_through(html: str, page: Page) -> None:
    policy = next(str(attributes["content"]) for _, attributes in page.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; ")
    for tag, pattern in (("script", r"<script>(.*?)</script>"), ("style", r"<style>(.*?)</style>")):
        blocks = re.findall(pattern, html, re.S)
        assert len(blocks) == 1
        digest = base64.b64encode(hashlib.sha256(blocks[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_text_is_text(html: str, page: Page) -> None:
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert not [tag for tag, _ in page.elements if tag in ("img", "b")]
    assert "Words & <b>layers</b>" in page.text()
    assert "<script>alert(1)</script>" in page.text()
    assert "49" not in "".join(page.texts.get("bdi", []))
    for char in ("\x1b", "\x00", "\x07", "\u202e", "\u2028", "\u2029"):
        assert char not in html


def test_data_survives_the_embedding(html: str) -> None:
    data = data_of(html)
    assert "<script>alert(1)</script>" in data["tokens"]
    assert "</script><script>alert(2)</script>" in data["tokens"]
    assert len(data["items"]) == len(DIRECTIONS) * 16
    item = data["items"][0]
    assert len(item["r"]) == 19
    assert all(len(reading) == 15 for reading in item["r"])
    assert {data["tokens"][reading[0]] for each in data["items"] for reading in each["r"]} >= {"s", "␣horse", "␣马"}


@pytest.mark.parametrize("token", [*HOSTILE, "<!--", "]]>", "&lt;/script&gt;"])
def test_embedded_json_is_inert_and_exact(token: str) -> None:
    text = str(embedded_json({"token": token}))
    assert not set(text) & set("<>&\u2028\u2029")
    assert orjson.loads(text) == {"token": token}


def test_cautions_come_from_every_stage(page: Page) -> None:
    text = page.text()
    assert "no evidence about what the model was trained on" in text
    assert "limited to the first 16 concepts" in text
    assert "calibration set has 16 concepts, fewer than 100: `calibrated` labels are rough <b>here</b>" in text
    assert "1 of 14,000 rows could not be read" in text


@pytest.mark.parametrize("same", [True, False])
def test_a_stage_made_from_another_result_is_named(tmp_path: Path, same: bool) -> None:
    build_run(tmp_path, ALL_STAGES)
    there = orjson.loads((tmp_path / "trace" / "manifest.json").read_bytes())["fingerprint"]
    manifest = tmp_path / "attribute" / "manifest.json"
    known = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps(known | {"inputs": {"trace": there if same else "0" * 64}}))
    write_report(None, tmp_path)
    text = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8")).text()
    assert ("made from another result of trace than the one on this page" in text) != same


def test_results_of_different_items_are_not_set_side_by_side_without_a_word(tmp_path: Path) -> None:
    build_run(tmp_path, ["score"], directions=["fr-zh", "en-fr"], concepts=5)
    build_run(tmp_path, ["trace"], directions=["fr-zh"], concepts=3, layers=3)
    write_report(None, tmp_path)
    text = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8")).text()
    said = "score is of en-fr, fr-zh, 5 concepts; trace is of fr-zh, 3 concepts"
    assert text.count(f"igures of score and trace are not of the same items: {said}.") == 2  # a caution, the findings
    shown = render_summary(tmp_path)
    assert isinstance(shown, Group)
    assert said in str(shown.renderables[1])


def test_results_of_the_same_items_need_no_word(page: Page) -> None:
    assert "not of the same items" not in page.text()


def test_foreign_words_carry_their_language(page: Page) -> None:
    languages = {attributes["lang"] for tag, attributes in page.elements if tag == "bdi" and "lang" in attributes}
    assert {"fr", "zh"} <= languages


def test_figures_have_a_label_or_are_hidden(page: Page) -> None:
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_attribution_has_its_three_kinds_of_figure(html: str, page: Page) -> None:
    section = Page(html[html.index('<section id="attribution"') :].split("</section>")[0] + "</section>")
    kinds = [attributes.get("class") for tag, attributes in section.elements if tag == "svg"]
    # A forest for each choice of items.
    assert [kinds.count(kind) for kind in ("forest", "columns", "scatter")] == [2, 1, 1]
    # Four items in five have a score, and one in thirty is spelled alike.
    points = [a for _, a in page.elements if str(a.get("class")).startswith("point ")]
    assert len(points) == 23 * len(DIRECTIONS)
    assert "rank correlation 0.200 " in html


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_one_stage_is_enough(tmp_path: Path, stage: str) -> None:
    build_run(tmp_path, [stage], directions=["fr-zh"], concepts=3, layers=4)
    report = write_report(ReportConfig(), tmp_path)
    page = Page((report.folder / "report.html").read_text("utf-8"))
    present = set(page.ids())
    assert "provenance" in present
    for other, section in SECTION_OF.items():
        assert (section in present) == (other == stage)


def test_causality_is_shown_or_says_how_to_test_it(tmp_path: Path, html: str) -> None:
    assert "✓ holds" in html
    assert "Is the pivot causal?" in html
    build_run(tmp_path, ["trace"], directions=["fr-zh"], concepts=3, layers=4)
    page = Page((write_report(ReportConfig(), tmp_path).folder / "report.html").read_text("utf-8"))
    assert "causality" in page.ids()
    assert "Not tested in this run." in page.text()
    assert "pivotlens ablate --run RUN" in page.text()


def test_a_sweep_changes_nothing_but_its_own_part(tmp_path: Path, html: str) -> None:
    report = write_report(ReportConfig(title="Words & <b>layers</b>"), build_run(tmp_path, sweep=True))
    text = (report.folder / "report.html").read_text("utf-8")
    assert data_of(text) == data_of(html)
    assert "elsewhere" not in text
    page = Page(text)
    for name in ("step&lt;2&gt;", "step[3]", "By prompt"):
        assert name in text
    assert "By model" not in html

    # Apart from settings and counts of rows, only the sweep's own tables and charts come in.
    def drawn(content: str, section: str) -> str:
        return content[content.index(f'<section id="{section}"') :].split("</section>")[0]

    for section in ("findings", "score", "lenses", "layers", "causality"):
        assert drawn(text, section) == drawn(html, section)
    by_direction = [content[content.index("<h3>By direction</h3>") :].split("</table>")[0] for content in (text, html)]
    assert by_direction[0] == by_direction[1]
    assert not [tag for tag, _ in page.elements if tag == "b"]


def test_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="at least one stage"):
        write_report(ReportConfig(), tmp_path)
    with pytest.raises(PrerequisiteError):
        STAGE.plan(ReportConfig(), tmp_path, planned={})


def test_planned_inputs_make_the_fingerprint(tmp_path: Path) -> None:
    one = STAGE.plan(ReportConfig(), tmp_path, planned={"bench": "a"})
    other = STAGE.plan(ReportConfig(), tmp_path, planned={"bench": "a", "score": "b"})
    assert one.inputs == {"bench": "a"}
    assert one.fingerprint != other.fingerprint
    assert not any(tmp_path.iterdir())


def test_equal_runs_give_equal_bytes_and_a_finished_report_is_reused(run: Path, tmp_path: Path, html: str) -> None:
    config = ReportConfig(title="Words & <b>layers</b>")
    again = write_report(config, build_run(tmp_path))
    assert (again.folder / "report.html").read_text("utf-8") == html
    first = (run / "report" / "run.json").stat().st_mtime_ns
    assert isinstance(write_report(config, run), Report)
    assert (run / "report" / "run.json").stat().st_mtime_ns == first


def test_a_smaller_list_says_what_is_left_out(tmp_path: Path) -> None:
    folder = build_run(tmp_path, ["bench", "trace"], concepts=8, layers=5)
    report = write_report(ReportConfig(items=12), folder)
    html = (report.folder / "report.html").read_text("utf-8")
    items = data_of(html)["items"]
    # Every item is listed and can be found; its layers come with as many as the setting says.
    assert len(items) == 8 * len(DIRECTIONS)
    assert len({(item["d"], item["c"]) for item in items}) == len(items)
    assert all(len(item["b"]) and ("r" in item) == ("n" in item) for item in items)
    shown = sum("r" in item for item in items)
    # Ten telling items are on the page whatever the limit.
    assert 12 <= shown <= 22
    assert f"Shown are {shown} of {8 * len(DIRECTIONS)} traced items" in html


def test_size(run: Path, page: Page) -> None:
    manifest = Report.load(run).manifest
    assert manifest.outputs["report.html"].bytes == manifest.details["bytes"] < 700_000


def test_formats_that_are_not_asked_for_stay_as_they_are(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", ["bench", "trace"])
    folder = run / "report"
    write_report(ReportConfig(format=("html", "md")), run)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".md", ".svg")}
    assert len(before) > 1
    report = write_report(ReportConfig(title="Another"), run)
    assert {path: path.read_bytes() for path in before} == before
    assert "Another" in (folder / "report.html").read_text("utf-8")
    assert report.manifest.warnings == ["report.md is still that of an earlier report: --format html md writes both"]
    assert verify_run(run, ["report"]).problems == []
    again = write_report(ReportConfig(title="A third", format=("md",)), run)
    assert "Another" in (folder / "report.html").read_text("utf-8")
    assert "A third" in (folder / "report.md").read_text("utf-8")
    assert again.manifest.warnings == ["report.html is still that of an earlier report: --format html md writes both"]
