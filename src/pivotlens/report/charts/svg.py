"""SVG in a few lines: nodes whose attributes and text are escaped, a linear scale, paths and markers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from pivotlens.text import escape_controls

Value = str | float | None


def _written(value: str | float) -> str:
    return _inert(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def _inert(text: str) -> str:
    """Return markup as it is, and any other text escaped, with controls shown as their codes."""
    return escape(text if isinstance(text, Markup) else escape_controls(text))


def node(name: str, *children: str, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        name: Name of the element.
        *children: Text, escaped and without controls unless it is `Markup`.
        **attributes: ``class_`` is written ``class``, underscores become hyphens; None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_written(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(map(_inert, children))
    return Markup(f"<{name}{written}>{inner}</{name}>")


def words(text: str, x: Value, y: float, kind: str) -> Markup:
    """Return a text at a place; ``kind`` is its CSS class."""
    return node("text", text, x=x, y=y, class_=kind)


def figure(label: str, *children: str, **attributes: Value) -> Markup:
    """Return an ``svg`` element with a label for who cannot see it."""
    return node("svg", *children, role="img", aria_label=label, **attributes)


@dataclass(frozen=True)
class Scale:
    """A linear scale from a domain to a range."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def percent(self, value: float) -> str:
        """Return the place of a value as a percentage, for figures that stretch."""
        return f"{self(value):.2f}%"


def line_path(xs: Iterable[float], ys: Iterable[float]) -> str:
    """Return the path of a line; NaN breaks it."""
    parts: list[str] = []
    pen = "M"
    for x, y in zip(xs, ys, strict=True):
        if y != y:
            pen = "M"
            continue
        parts.append(f"{pen}{x:.1f},{y:.1f}")
        pen = "L"
    return "".join(parts)


def band_path(xs: list[float], lows: list[float], highs: list[float]) -> str:
    """Return the closed path between two lines; points that are NaN in either are left out."""
    kept = [(x, low, high) for x, low, high in zip(xs, lows, highs, strict=True) if low == low and high == high]
    if not kept:
        return ""
    there = "L".join(f"{x:.1f},{high:.1f}" for x, _, high in kept)
    back = "L".join(f"{x:.1f},{low:.1f}" for x, low, _ in reversed(kept))
    return f"M{there}L{back}Z"


_SQUARE, _TALL = 0.89, 1.35
"""Half side of a square and height of a triangle or diamond that look as large as a circle of radius 1."""
_SHAPES = {
    "b-copy": "square",
    "b-semantic_pivot": "triangle",
    "b-other": "diamond",
    "s-tuned": "triangle",
    "s-both": "square",
}
"""What is not drawn as a circle, so that colour is never all that tells two kinds apart."""


def marker(kind: str, x: float, y: float, radius: float, class_: str) -> Markup:
    """Return the marker of a kind: a circle, square, triangle or diamond about a place."""
    shape = _SHAPES.get(kind, "circle")
    if shape == "circle":
        return node("circle", cx=x, cy=y, r=radius, class_=class_)
    side, tall = _SQUARE * radius, _TALL * radius
    corners = {
        "square": [(-side, -side), (side, -side), (side, side), (-side, side)],
        "triangle": [(0.0, -tall), (tall, side), (-tall, side)],
        "diamond": [(0.0, -tall), (tall, 0.0), (0.0, tall), (-tall, 0.0)],
    }[shape]
    path = "L".join(f"{x + right:.1f},{y + down:.1f}" for right, down in corners)
    return node("path", d=f"M{path}Z", class_=class_)
