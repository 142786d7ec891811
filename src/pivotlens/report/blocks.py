"""What a report is made of: sections of blocks that every renderer knows; nothing here is HTML or Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from pivotlens.report.wording import MISSING, is_missing, number, p_value, percent, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

Kind = Literal["share", "small", "figure", "short", "count", "p"]
"""How a number is written: a percentage, one with two decimals, three decimals, two decimals, a count, a p-value."""
_WRITERS: dict[str, tuple[Callable[[float], str], Callable[[float], str]]] = {
    "share": (percent, "{:.1%}".format),
    "small": ("{:.2%}".format, "{:.2%}".format),
    "count": (whole, whole),
    "p": (p_value, "{:.2g}".format),
}
"""How kinds are written, and how where there is room for more digits."""


@dataclass(frozen=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True)
class Code:
    """A name as it is typed."""

    text: str


@dataclass(frozen=True)
class Soft:
    """Text that stands back."""

    text: str


@dataclass(frozen=True)
class Word:
    """A word or token, which nobody vouches for; ``kind`` is its role, ``language`` its code where it is known."""

    text: str
    language: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Link:
    """A link to a section (``#id``) or elsewhere."""

    text: str
    target: str


@dataclass(frozen=True)
class Value:
    """A number, with its interval where it has one; ``signed`` numbers carry a plus where they are above 0."""

    value: float | None
    kind: Kind = "figure"
    interval: Interval | None = None
    signed: bool = False

    @classmethod
    def of(cls, interval: Interval | None, kind: Kind = "figure", *, signed: bool = False) -> Value:
        """Return a figure with its interval, or the absence of one."""
        return cls(interval.value if interval else None, kind, interval, signed)

    def write(self, value: float | None, *, fine: bool = False) -> str:
        """Return a number as it is written; ``fine`` gives a share a decimal more."""
        if value is None or is_missing(value):
            return MISSING
        if self.kind in _WRITERS:
            return _WRITERS[self.kind][fine](value)
        text = number(value, 3 if self.kind == "figure" else 2)
        return f"+{text}" if self.signed and value > 0 and float(text) else text

    def text(self, *, fine: bool = False) -> str:
        """Return the number."""
        return self.write(self.value, fine=fine)

    def ends(self, *, fine: bool = False) -> str:
        """Return ``[low, high]``, or nothing where there is no interval."""
        ends = (self.interval.low, self.interval.high) if self.interval else (None,)
        return "" if any(map(is_missing, ends)) else f"[{', '.join(self.write(end, fine=fine) for end in ends)}]"


@dataclass(frozen=True)
class Pair:
    """A direction of translation; None is the mean over directions."""

    direction: Direction | None

    @property
    def text(self) -> str:
        """The codes, or what None stands for."""
        return "mean of directions" if self.direction is None else " → ".join(self.direction)


Inline = str | Strong | Code | Soft | Word | Link | Value | Pair
Prose = tuple[Inline, ...]


@dataclass(frozen=True)
class Plot:
    """A drawing in a cell: of the numbers beside it, so that a renderer may leave it out."""

    svg: Markup


Cell = Inline | Plot | Prose


@dataclass(frozen=True)
class Column:
    """A column: its header, whether it holds text, numbers or drawings, and the axis of the latter."""

    title: str
    kind: Literal["text", "number", "plot", "wide"] = "text"
    axis: Markup | None = None


@dataclass(frozen=True)
class Line:
    """A row; the last cell reaches to the end where there are fewer cells than columns. ``kind`` is its style."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table; ``name`` is that of its file where it is taken from the page, ``caption`` may be for the ear alone."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Line, ...]
    caption: Prose = ()
    unseen: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``kind`` is nothing, ``lede`` or ``note``."""

    content: Prose
    kind: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    content: Prose
    level: int = 3
    id: str = ""


@dataclass(frozen=True)
class Legend:
    """What colours mean: the class of each and its text."""

    label: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Figure:
    """A chart; its label for who cannot see it is in the SVG.

    Attributes:
        name: Of its file where it is taken from the page.
        kind: Style of its frame.
        readout: What is said below a chart that is read point by point.
        profile: Number of the data that such a chart is read from.
    """

    name: str
    svg: Markup
    caption: Prose = ()
    kind: str = "chart"
    readout: str = ""
    profile: int | None = None


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until they are asked for."""

    summary: Prose
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Items:
    """A list."""

    entries: tuple[Prose, ...]


@dataclass(frozen=True)
class Listing:
    """Code, as it is."""

    text: str


@dataclass(frozen=True)
class Grid:
    """Blocks beside each other where there is room."""

    blocks: tuple[Block, ...]
    kind: str = "beside"


@dataclass(frozen=True)
class Group:
    """Blocks that belong together; ``label`` is for the ear."""

    blocks: tuple[Block, ...]
    kind: str = ""
    label: str = ""


@dataclass(frozen=True)
class Widget:
    """A part of the page with a template of its own, which only a page with scripts has."""

    template: str
    data: object
    instead: tuple[Block, ...] = ()


Block = Table | Paragraph | Heading | Legend | Figure | Details | Items | Listing | Grid | Group | Widget


@dataclass(frozen=True)
class Section:
    """A section; ``short`` is its name in the table of contents."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    short: str = ""


_MARKS = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\)|\{\w+\})")


def prose(text: str, /, **values: Inline | Prose) -> Prose:
    """Return a sentence of ours with marks of Markdown (code, strong, links) and values by their names in braces.

    Marks are looked for in ``text`` alone: a value that looks like one is text.
    """

    def read(part: str, *, marked: int) -> Inline | Prose:
        if not marked or part[0] == "{":
            return values.get(part[1:-1], part) if marked else part
        if part[0] == "[":
            return Link(*part[1:-1].split("](", 1))
        return Code(part[1:-1]) if part[0] == "`" else Strong(part[2:-2])

    parts = joined((read(part, marked=place % 2) for place, part in enumerate(_MARKS.split(text)) if part), "")
    return tuple(part for part in parts if part != "")


def joined(parts: Iterable[Inline | Prose], between: str = ", ") -> Prose:
    """Return pieces of prose with text between them."""
    out: list[Inline] = []
    for place, part in enumerate(parts):
        out += [between] if place else []
        out += part if isinstance(part, tuple) else [part]
    return tuple(out)


def plain(content: Inline | Prose, *, fine: bool = False) -> str:
    """Return prose as text."""
    if isinstance(content, tuple):
        return "".join(plain(part, fine=fine) for part in content)
    if isinstance(content, Value):
        return f"{content.text(fine=fine)} {content.ends(fine=fine)}".rstrip()
    return content if isinstance(content, str) else content.text
