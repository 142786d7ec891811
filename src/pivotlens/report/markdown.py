"""A report as Markdown with its figures as SVG files beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from pivotlens.report import blocks as b
from pivotlens.report.html import address
from pivotlens.report.page import Chapter, Page
from pivotlens.report.svg import standalone
from pivotlens.report.wording import clean, visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&])")
FIGURES = "figures"
"""Folder of the figures, beside the page."""


def escaped(text: str) -> str:
    """Return text that no renderer of Markdown takes for markup, in one line without controls."""
    return _SPECIAL.sub(r"\\\1", clean(text))


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`*", text)))


def code(text: str) -> str:
    """Return text as code, fenced by more backticks than it has in a row; no cell of a table breaks off in it."""
    shown = clean(text).replace("|", "\\|")
    ticks = "`" * (_longest_ticks(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


class MarkdownReport:
    """The text of a report, and in `figures` its figures by file name."""

    def __init__(self, page: Page) -> None:
        """Take the report."""
        self.page = page
        self.figures: dict[str, str] = {}
        self._prefix = ""

    def text(self) -> str:
        """Return the report and fill `figures`."""
        page = self.page
        several = len(page.chapters) > 1
        lines = [f"# {escaped(page.title)}", ""]
        if page.deck and not page.introduction:
            lines += [escaped(page.deck), ""]
        lines += self._blocks(page.introduction, 1)
        lines += self._section(page.beside, 1) if page.beside else []
        lines += self._blocks(page.method, 1) if several else []
        for place, chapter in enumerate(page.chapters, 1):
            self._prefix = f"{place}-" if several else ""
            lines += self._chapter(chapter, 2 if several else 1)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"

    def _chapter(self, chapter: Chapter, level: int) -> list[str]:
        lines = [f"{'#' * level} {escaped(chapter.name)}", ""] if chapter.name else []
        lines += [" · ".join(f"{name}: {self._prose(text)}" for name, text in chapter.facts.items()), ""]
        found = tuple(b.Paragraph(sentence) for sentence in chapter.findings)
        lines += self._section(b.Section("findings", "Findings", found), level) if found else []
        if chapter.cautions:
            lines += ["Before you rely on it:", ""]
            lines += [f"- {escaped(one.stage)}: {escaped(visible(one.text))}" for one in chapter.cautions] + [""]
        lines += [] if chapter.name else self._blocks(self.page.method, 1)
        lines += self._blocks(chapter.examples, level)
        return [*lines, *(line for section in chapter.sections for line in self._section(section, level))]

    def _section(self, section: b.Section, level: int) -> list[str]:
        return [f"{'#' * (level + 1)} {escaped(section.title)}", "", *self._blocks(section.blocks, level)]

    # -- blocks

    def _blocks(self, blocks: Iterable[b.Block], level: int) -> list[str]:
        return [line for block in blocks for line in self._block(block, level)]

    def _block(self, block: b.Block, level: int) -> list[str]:
        match block:
            case b.Paragraph():
                return [self._prose(block.content), ""]
            case b.Heading():
                anchor = [f'<a id="{self._prefix}{block.id}"></a>', ""] if block.id else []
                return [*anchor, f"{'#' * min(block.level + level - 1, 6)} {self._prose(block.content)}", ""]
            case b.Table():
                return self._table(block)
            case b.Figure():
                name = f"{self._prefix}{block.name}.svg"
                self.figures[name] = standalone(block.svg)
                caption = [self._prose(block.caption), ""] if block.caption else []
                said = block.readout or b.plain(block.caption) or block.name.replace("-", " ")
                return [*caption, f"![{escaped(said)}]({FIGURES}/{name})", ""]
            case b.Details():
                inner = self._blocks(block.blocks, level)
                summary = html.escape(clean(b.plain(block.summary, fine=True)), quote=False)
                return ["<details>", f"<summary>{summary}</summary>", "", *inner, "</details>", ""] if inner else []
            case b.Items():
                return [*(f"- {self._prose(entry)}" for entry in block.entries), ""]
            case b.Listing():
                fence = "`" * max(3, _longest_ticks(block.text) + 1)
                return [f"{fence}sh", *map(clean, block.text.split("\n")), fence, ""]
            case b.Grid() | b.Group():
                return self._blocks(block.blocks, level)
            case b.Widget():
                return self._blocks(block.instead, level)
            case b.Legend():
                return []

    def _table(self, table: b.Table) -> list[str]:
        kept = {place: column for place, column in enumerate(table.columns) if column.kind in ("text", "number")}
        if len(kept) < 2:
            return []
        header = [escaped(column.title) for column in kept.values()]
        marks = ["---:" if column.kind == "number" else "---" for column in kept.values()]
        caption = [self._prose(table.caption), ""] if table.caption and not table.unseen else []
        rows = [header, marks]
        for row in table.rows:
            cells = dict(enumerate(map(self._cell, row.cells)))
            # The last cell reaches to the end: a drawing's column, which is left out, may be where it begins.
            if (last := len(row.cells) - 1) not in kept:
                cells[last + 1] = cells[last]
            rows.append([cells.get(place, "") for place in kept])
        return [*caption, *(f"| {' | '.join(cells)} |" for cells in rows), ""]

    def _cell(self, cell: b.Cell) -> str:
        if isinstance(cell, b.Plot):
            return ""
        text = self._prose(cell) if isinstance(cell, tuple) else self._inline(cell, strong=False)
        return text.replace("\n", " ")

    # -- text

    def _prose(self, content: b.Prose) -> str:
        return "".join(map(self._inline, content))

    def _inline(self, part: b.Inline, *, strong: bool = True) -> str:
        match part:
            case str():
                return escaped(part)
            case b.Strong():
                return f"**{escaped(part.text)}**"
            case b.Code():
                return code(part.text)
            case b.Soft() | b.Pair():
                return escaped(part.text)
            case b.Word():
                return escaped(visible(part.text))
            case b.Link():
                return f"[{escaped(part.text)}]({address(part.target, self._prefix)})"
            case b.Value():
                value = part.text(fine=True)
                return " ".join(filter(None, (f"**{value}**" if strong else value, part.ends(fine=True))))


def markdown(page: Page) -> tuple[str, dict[str, str]]:
    """Return a report as Markdown, and its figures by file name; equal pages give equal text."""
    report = MarkdownReport(page)
    return report.text(), report.figures
