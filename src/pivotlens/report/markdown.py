"""A report as Markdown with its figures as SVG files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pivotlens.report.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Details,
    Figure,
    Grid,
    Group,
    Heading,
    Inline,
    Items,
    Legend,
    Line,
    Link,
    Listing,
    Pair,
    Paragraph,
    Plot,
    Prose,
    Section,
    Soft,
    Strong,
    Table,
    Value,
    Widget,
    Word,
    plain,
)  # fmt: skip
from pivotlens.report.charts import standalone
from pivotlens.report.html import address
from pivotlens.report.page import Chapter, Page
from pivotlens.report.wording import clean, visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&])")
FIGURES = "figures"
"""Folder of the figures, beside the page."""


def escaped(text: str) -> str:
    """Return text that no renderer of Markdown takes for markup, in one line without controls."""
    return _SPECIAL.sub(r"\\\1", clean(text))


def code(text: str) -> str:
    """Return text as code, fenced by more backticks than it has in a row; no cell of a table breaks off in it."""
    shown = clean(text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


@dataclass
class MarkdownReport:
    """The text of a report, and its figures by file name.

    Attributes:
        page: The report.
        folder: Of the figures, as the text links to them.
    """

    page: Page
    folder: str = FIGURES
    figures: dict[str, str] = field(default_factory=dict)
    _prefix: str = ""

    def text(self) -> str:
        """Return the report and fill `figures`."""
        page = self.page
        several = len(page.chapters) > 1
        lines = [f"# {escaped(page.title)}", ""]
        if page.deck and not page.introduction:
            lines += [escaped(page.deck), ""]
        lines += self._blocks(page.introduction, 1)
        if page.beside:
            lines += self._section(page.beside, 1)
        if several:
            lines += self._blocks(page.method, 1)
        for place, chapter in enumerate(page.chapters):
            self._prefix = f"{place + 1}-" if several else ""
            lines += self._chapter(chapter, 2 if several else 1)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"

    def _chapter(self, chapter: Chapter, level: int) -> list[str]:
        lines = [f"{'#' * level} {escaped(chapter.name)}", ""] if chapter.name else []
        facts = (f"{name}: {self._prose(text)}" for name, text in chapter.facts.items())
        lines += [" · ".join(facts), ""]
        if chapter.findings:
            lines += [f"{'#' * (level + 1)} Findings", ""]
            lines += [line for sentence in chapter.findings for line in (self._prose(sentence), "")]
        if chapter.cautions:
            lines += ["Before you rely on it:", ""]
            lines += [f"- {escaped(one.stage)}: {escaped(visible(one.text))}" for one in chapter.cautions] + [""]
        lines += [] if chapter.name else self._blocks(self.page.method, 1)
        lines += self._blocks(chapter.examples, level)
        for section in chapter.sections:
            lines += self._section(section, level)
        return lines

    def _section(self, section: Section, level: int) -> list[str]:
        blocks = self._blocks(section.blocks, level)
        return [f"{'#' * (level + 1)} {escaped(section.title)}", "", *blocks]

    # -- blocks

    def _blocks(self, blocks: Iterable[Block], level: int) -> list[str]:
        return [line for block in blocks for line in self._block(block, level)]

    def _block(self, block: Block, level: int) -> list[str]:
        match block:
            case Paragraph():
                return [self._prose(block.content), ""]
            case Heading():
                depth = min(block.level + level - 1, 6)
                anchor = [f'<a id="{self._prefix}{block.id}"></a>', ""] if block.id else []
                return [*anchor, f"{'#' * depth} {self._prose(block.content)}", ""]
            case Table():
                return self._table(block)
            case Figure():
                return self._figure(block)
            case Details():
                inner = self._blocks(block.blocks, level)
                summary = _html(plain(block.summary, fine=True))
                return ["<details>", f"<summary>{summary}</summary>", "", *inner, "</details>", ""] if inner else []
            case Items():
                return [*(f"- {self._prose(entry)}" for entry in block.entries), ""]
            case Listing():
                fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", block.text)), 3)
                return [f"{fence}sh", *map(clean, block.text.split("\n")), fence, ""]
            case Grid() | Group():
                return self._blocks(block.blocks, level)
            case Widget():
                return self._blocks(block.instead, level)
            case Legend():
                return []

    def _figure(self, figure: Figure) -> list[str]:
        name = f"{self._prefix}{figure.name}.svg"
        self.figures[name] = standalone(figure.svg)
        caption = [self._prose(figure.caption), ""] if figure.caption else []
        said = figure.readout or plain(figure.caption) or figure.name.replace("-", " ")
        return [*caption, f"![{escaped(said)}]({self.folder}/{name})", ""]

    def _table(self, table: Table) -> list[str]:
        kept = [place for place, column in enumerate(table.columns) if column.kind not in ("plot", "wide")]
        if len(kept) < 2:
            return []
        header = [escaped(table.columns[place].title) for place in kept]
        marks = ["---:" if table.columns[place].kind == "number" else "---" for place in kept]
        rows = [self._row(row, table.columns, kept) for row in table.rows]
        caption = [self._prose(table.caption), ""] if table.caption and not table.unseen else []
        return [*caption, *(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)), ""]

    def _row(self, row: Line, columns: Sequence[Column], kept: Sequence[int]) -> list[str]:
        cells: list[str] = []
        for place in kept:
            if place < len(row.cells):
                cells.append(self._cell(row.cells[place]))
            else:
                # The last cell reaches to the end: a drawing's column, which is left out, may be where it begins.
                last = len(row.cells) - 1
                cells.append(self._cell(row.cells[last]) if last not in kept and last == place - 1 else "")
        return cells

    def _cell(self, cell: Cell) -> str:
        if isinstance(cell, Plot):
            return ""
        text = self._prose(cell) if isinstance(cell, tuple) else self._inline(cell, strong=False)
        return text.replace("\n", " ")

    # -- text

    def _prose(self, content: Prose) -> str:
        return "".join(map(self._inline, content))

    def _inline(self, part: Inline, *, strong: bool = True) -> str:
        match part:
            case str():
                return escaped(part)
            case Strong():
                return f"**{escaped(part.text)}**"
            case Code():
                return code(part.text)
            case Soft() | Pair():
                return escaped(part.text)
            case Word():
                return escaped(visible(part.text))
            case Link():
                return f"[{escaped(part.text)}]({address(part.target, self._prefix)})"
            case Value():
                value = part.text(fine=True)
                return " ".join(filter(None, (f"**{value}**" if strong else value, part.ends(fine=True))))


def _html(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown(page: Page, folder: str = FIGURES) -> tuple[str, dict[str, str]]:
    """Return a report as Markdown, and its figures by file name; equal pages give equal text."""
    report = MarkdownReport(page, folder)
    return report.text(), report.figures
