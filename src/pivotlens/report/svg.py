"""SVG in a few lines: nodes whose attributes and text are escaped, and a linear scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

Value = str | float | None


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def node(name: str, *children: str, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        name: Name of the element.
        *children: Text, escaped unless it is `Markup`.
        **attributes: ``class_`` is written ``class``, underscores become hyphens; None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")


def group(children: Iterable[str]) -> Markup:
    """Return several nodes one after another."""
    return Markup("").join(escape(child) for child in children)


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


def nice_ticks(high: float) -> list[float]:
    """Return ticks from 0 to at least ``high``: two to five steps of 1, 2 or 5 times a power of ten."""
    step = 1e-4
    for step in (power * base for power in (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0) for base in (1, 2, 5)):
        if high / step <= 4.0001:
            break
    count = 0
    ticks = [0.0]
    while ticks[-1] < high - 1e-9:
        count += 1
        ticks.append(round(count * step, 6))
    return ticks
