"""The report in Markdown, and of several runs: what is said, that no text becomes markup, and equal bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_fixture import build_run
from report_words import HOSTILE
from test_report import Page

from pivotlens.artifacts import Report
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.report import ReportConfig, write_report
from pivotlens.report.blocks import Code, Column, Items, Line, Link, Listing, Table, Value, Word, plain, prose
from pivotlens.report.html import address, environment
from pivotlens.report.markdown import MarkdownReport, code, escaped, markdown
from pivotlens.report.notes import parse
from pivotlens.report.page import build_page
from pivotlens.report.run_tables import RunTables
from pivotlens.report.stage import STAGE

BOTH = ("html", "md")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_run(tmp_path_factory.mktemp("run"), sweep=True)
    write_report(ReportConfig(title="Words & <b>layers</b>", format=BOTH), folder)
    return folder


@pytest.fixture(scope="module")
def text(run: Path) -> str:
    return (run / "report" / "report.md").read_text("utf-8")


def tables_of(text: str) -> list[list[list[str]]]:
    """The tables of a page as cells, by a reader that knows escaped pipes."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_both_formats_are_written_and_every_section_is_in_both(run: Path, text: str) -> None:
    page = Page((run / "report" / "report.html").read_text("utf-8"))
    titles = re.findall(r"^## (.*)$", text, re.M)
    assert titles[0] == "Findings"
    for title in ("Score", "Layers", "Behaviours", "Is the pivot causal?", "Corpus", "Mined pivots", "Provenance"):
        assert title in titles
        assert title in page.text()
    assert text.startswith("# Words \\& \\<b\\>layers\\</b\\>\n")
    assert text.index("## Findings") < text.index("Before you rely on it")


def test_every_row_of_a_table_has_as_many_cells_as_its_head(text: str) -> None:
    tables = tables_of(text)
    assert len(tables) > 40
    for table in tables:
        assert {len(row) for row in table} == {len(table[0])}
        assert set(table[1]) <= {"---", "---:"}
        assert len(table) > 2


def test_figures_are_files_that_the_page_links_to(run: Path, text: str) -> None:
    linked = re.findall(r"!\[[^\n]*\]\((figures/[^)]+)\)", text)
    assert linked
    assert sorted(linked) == sorted(f"figures/{path.name}" for path in (run / "report" / "figures").iterdir())
    assert set(linked) <= set(Report.load(run).manifest.outputs)
    for path in linked:
        root = ElementTree.fromstring((run / "report" / path).read_text("utf-8"))
        assert not [element for element in root.iter() if element.tag.endswith("script")]


@pytest.mark.parametrize("token", HOSTILE)
def test_no_text_becomes_markup(token: str) -> None:
    for written in (escaped(token), code(token)):
        assert not set(written) & set("\n\r\x00\x07\x1b\u202e\u2028\u2029")
    bare = escaped(token)
    assert not re.search(r"(?<!\\)[<>`|*_\[\]]", bare)
    assert "<" not in bare.replace("\\<", "")


def test_hostile_tokens_are_on_the_page_as_text(text: str) -> None:
    text = re.sub(r"^```sh$.*?^```$", "", text, flags=re.M | re.S)
    outside = re.sub(r"</?(details|summary)>|<a id=\"[\w-]+\"></a>", "", re.sub(r"<summary>.*</summary>", "", text))
    assert not re.search(r"(?<!\\)<", re.sub(r"`[^`\n]*`", "", outside))
    assert "\\<script\\>alert(1)\\</script\\>" in text
    for char in ("\x1b", "\x00", "\x07", "\u202e", "\u2028", "\u2029"):
        assert char not in text


def test_code_is_fenced_by_more_than_it_holds() -> None:
    assert code("a``b`c") == "```a``b`c```"
    assert code("`x") == "`` `x ``"
    assert code("a|b") == "`a\\|b`"


def cells_of(*cells: object, columns: int = 2) -> str:
    table = Table("t", tuple(Column(f"c{place}") for place in range(columns)), (Line(cells),))  # type: ignore[arg-type]
    return "\n".join(MarkdownReport(None)._table(table)).splitlines()[2]  # type: ignore[arg-type]


def test_cells_hold_words_values_and_links() -> None:
    assert cells_of(Word(" a|b"), (Code("x"), " ", Value(0.5, "share"))) == "| ␣a\\|b | `x` **50.0%** |"
    assert cells_of("head", "to the end", columns=4) == "| head | to the end |  |  |"


def test_links_lead_into_the_page_or_to_a_web_page_alone() -> None:
    assert address("#pivot-links", "run-2-") == "#run-2-pivot-links"
    assert address("https://example.org/a?b", "") == "https://example.org/a?b"
    assert address("behaviour-rules.md", "") == "behaviour-rules.md"
    for target in ("javascript:alert(1)", "data:text/html,x", " https://example.org"):
        assert address(target, "") == "#"
    block = environment().get_template("blocks.html.j2").module.inline(Link("<b>", "javascript:alert(1)"))  # type: ignore[attr-defined]
    assert str(block) == '<a href="#">&lt;b&gt;</a>'


def test_an_introduction_is_read_as_blocks(tmp_path: Path) -> None:
    path = tmp_path / "introduction.md"
    path.write_text("First `a`\nline.\n\n## What\n- one\n  more\n- **two**\n\n```sh\nrun | it\n\n```\nLast.\n")
    first, heading, listed, listing, last = parse(str(path))
    assert plain(first.content) == "First a line."  # type: ignore[union-attr]
    assert (plain(heading.content), heading.level) == ("What", 2)  # type: ignore[union-attr]
    assert isinstance(listed, Items)
    assert listed.entries == (prose("one more"), prose("**two**"))
    assert listing == Listing("run | it\n")
    assert plain(last.content) == "Last."  # type: ignore[union-attr]
    path.write_text("```\nno end")
    with pytest.raises(DataError, match="line 1: code without an end"):
        parse(str(path))


def test_runs_stand_beside_one_another(run: Path, tmp_path: Path) -> None:
    other = build_run(tmp_path / "other", ["score", "trace", "ablate"], ["fr-zh", "zh-fr"], 6, 4)
    comparison = tmp_path / "comparison.json"
    row = {"task": "score", "tasks": 2, "metric": "probability_share", "n": 9, "first": 0.5, "second": 0.25}
    row |= {"difference": -0.25, "ci_low": -0.3, "ci_high": -0.2, "p_value": 0.0001, "p_holm": 0.0002}
    rows = [row | {"detectable": 0.125}, row | {"task": "score_en_fr", "tasks": 1, "detectable": None}]
    comparison.write_text(json.dumps({"first": "a", "second": "b<", "rows": rows}))
    (tmp_path / "introduction.md").write_text("By hand, see [the rest](#run-2).\n\n## Method\n\nIt was done.")
    config = ReportConfig(
        format=BOTH, name="one", beside=(f"<i>two</i>={other}",), comparisons=(str(comparison),),
        introduction=str(tmp_path / "introduction.md"),
    )  # fmt: skip
    folder = write_report(config, run).folder
    html, text = (folder / "report.html").read_text("utf-8"), (folder / "report.md").read_text("utf-8")
    page = Page(html)
    assert len(page.ids()) == len(set(page.ids()))
    assert {"side-by-side", "run-1", "run-2", "findings", "run-2-findings", "run-2-causality"} <= set(page.ids())
    assert "<i>two</i>" in page.text()
    assert "By hand, see " in page.text()
    assert ("a", {"href": "#run-2"}) in page.elements
    assert page.ids().count("item-rows") == 1
    places = [text.index(part) for part in ("By hand", "## Side by side", "## Method\n\nIt was done.", "\n## one\n")]
    assert places == sorted(places)
    assert {"introduction", "method"} <= set(page.ids())
    assert re.search(r"^## one$", text, re.M)
    line = "| score, mean of 2 tasks | probability share | 50.0% | 25.0% | −0.250 [−0.300, −0.200] | 0.0001 | 0.0002 |"
    assert f"{line} 0.125 | 9 |" in text
    assert "score\\_en\\_fr" not in text
    assert "| \\<i\\>two\\</i\\> | `calibrated` |" in text
    sections = [title for title in re.findall(r"^### (.*)$", text, re.M) if title == "Behaviours"]
    assert len(sections) == 2


def test_runs_are_told_under_their_own_directions(run: Path, tmp_path: Path) -> None:
    other = build_run(tmp_path, ["trace", "ablate"], ["en-fr"], 6, 4)
    made, _ = markdown(
        build_page(ReportConfig(), [(name, RunTables.load(at)) for name, at in (("a", run), ("b", other))])
    )
    beside = made.partition("\n## a\n")[0]
    runs_of = {
        caption: set(re.findall(r"^\| ([ab]) \|", rows, re.M))
        for caption, rows in re.findall(r"^([A-Z][^|\n]*)\n\n((?:\|.*\n)+)", beside, re.M)
    }
    assert runs_of["Shares of items, neither side English"] == {"a"}
    assert runs_of["Shares of items, English as the source"] == {"b"}
    for caption in runs_of:
        assert not ("neither side English" in caption and "b" in runs_of[caption]), caption


def test_no_placeholder_and_no_missing_name_is_on_a_page(run: Path, text: str) -> None:
    html = Page((run / "report" / "report.html").read_text("utf-8"))
    for shown in (text, html.text()):
        assert not re.search(r"\{[a-z_]+\}", shown)
    assert not re.search(r"\|\s*None\s*\||≥ None", text)
    assert "None" not in [part.strip() for tag in ("td", "th") for part in html.texts.get(tag, ())]


def test_what_stands_beside_makes_the_fingerprint(run: Path, tmp_path: Path) -> None:
    other = build_run(tmp_path / "other", ["score"], ["fr-zh"], 3, 3)
    alone, beside = (STAGE.plan(ReportConfig(beside=names), run) for names in ((), (f"b={other}",)))
    assert beside.inputs.keys() - alone.inputs.keys() == {"b: score"}
    assert alone.fingerprint != beside.fingerprint
    with pytest.raises(PrerequisiteError, match="has no result of any stage"):
        STAGE.plan(ReportConfig(beside=(str(tmp_path / "nothing"),)), run)
    with pytest.raises(DataError, match="cannot read"):
        STAGE.plan(ReportConfig(introduction=str(tmp_path / "nothing.md")), run)
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(DataError, match="is no comparison"):
        write_report(ReportConfig(comparisons=(str(tmp_path / "list.json"),)), run)


def test_a_format_must_be_known() -> None:
    for formats in (("pdf",), ("html", "pdf"), ()):
        with pytest.raises(ConfigError, match="give html, md, or both"):
            ReportConfig.build({"command line": {"format": formats}})


def test_equal_runs_give_equal_text(run: Path, tmp_path: Path) -> None:
    config = ReportConfig(title="Words & <b>layers</b>", format=("md",))
    pages = [
        markdown(build_page(config, [("", RunTables.load(one))])) for one in (run, build_run(tmp_path, sweep=True))
    ]
    assert pages[0] == pages[1]


def test_a_link_of_an_introduction_leads_to_a_page_or_nowhere() -> None:
    report = MarkdownReport(None)  # type: ignore[arg-type]
    assert report._inline(Link("a", "javascript:x")) == "[a](#)"
    assert report._inline(Link("a", "https://x.org/b")) == "[a](https://x.org/b)"
