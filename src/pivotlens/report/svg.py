"""SVG in a few lines: nodes whose attributes and text are escaped, paths and markers, a figure as a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources

from markupsafe import Markup, escape

from pivotlens.text import escape_controls

Value = str | float | None


def template_text(name: str) -> str:
    """Return one of the page's template files."""
    return (resources.files("pivotlens.report") / "templates" / name).read_text("utf-8")


def _written(value: str | float) -> str:
    """Return a number, markup as it is, and any other text escaped, with controls shown as their codes."""
    if not isinstance(value, str):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(value if isinstance(value, Markup) else escape_controls(value))


def node(name: str, *children: str, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        name: Name of the element.
        *children: Text, escaped and without controls unless it is `Markup`.
        **attributes: ``class_`` is written ``class``, underscores become hyphens; None is left out.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    written = "".join(f' {key}="{_written(value)}"' for key, value in given.items() if value is not None)
    return Markup(f"<{name}{written}>{''.join(map(_written, children))}</{name}>")


def words(text: str, x: Value, y: float, kind: str) -> Markup:
    """Return a text at a place; ``kind`` is its CSS class."""
    return node("text", text, x=x, y=y, class_=kind)


def figure(label: str, *children: str, **attributes: Value) -> Markup:
    """Return an ``svg`` element with a label for who cannot see it."""
    return node("svg", *children, role="img", aria_label=label, **attributes)


def standalone(drawn: Markup) -> str:
    """Return a figure of two axes or a forest as the text of an SVG file, with title and style."""
    opened, rest = drawn.removeprefix("<svg ").split(">", 1)
    label = opened.partition('aria-label="')[2].partition('"')[0]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {opened}><title>{label}</title>'
    return f"{head}<style>{escape(template_text('charts.css'))}</style>{rest}\n"


def line_path(xs: Iterable[float], ys: Iterable[float]) -> str:
    """Return the path of a line; NaN breaks it."""
    path, pen = "", "M"
    for x, y in zip(xs, ys, strict=True):
        path += f"{pen}{x:.1f},{y:.1f}" if y == y else ""
        pen = "L" if y == y else "M"
    return path


def closed_path(points: Iterable[tuple[float, float]]) -> str:
    """Return the path around an area."""
    around = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{around}Z" if around else ""


def band_path(xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
    """Return the closed path between two lines; points that are NaN in either are left out."""
    kept = [place for place, ends in enumerate(zip(lows, highs, strict=True)) if sum(ends) == sum(ends)]
    there = [(xs[place], highs[place]) for place in kept]
    return closed_path(there + [(xs[place], lows[place]) for place in reversed(kept)])


# Half a side of a square and the height of the others look as large as a circle of radius 1.
_SQUARE = ((-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89))
_TRIANGLE = ((0.0, -1.35), (1.35, 0.89), (-1.35, 0.89))
_DIAMOND = ((0.0, -1.35), (1.35, 0.0), (0.0, 1.35), (-1.35, 0.0))
_SHAPES = {
    "b-copy": _SQUARE, "b-semantic_pivot": _TRIANGLE, "b-other": _DIAMOND, "s-tuned": _TRIANGLE, "s-both": _SQUARE,
}  # fmt: skip
"""What is not drawn as a circle, so that colour is never all that tells two kinds apart."""


def marker(kind: str, x: float, y: float, radius: float, class_: str) -> Markup:
    """Return the marker of a kind: a circle, square, triangle or diamond about a place."""
    if kind not in _SHAPES:
        return node("circle", cx=x, cy=y, r=radius, class_=class_)
    corners = ((x + radius * right, y + radius * down) for right, down in _SHAPES[kind])
    return node("path", d=closed_path(corners), class_=class_)
