"""The place where lines and bars are drawn: two axes, and a key above where there is more than one kind."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pivotlens.report.charts.axis import Axis, across, upright
from pivotlens.report.charts.svg import Scale, figure, marker, node, words

_LETTER, _ROW = 5.9, 14
_LEFT, _RIGHT, _BELOW = 44.0, 12.0, 34.0


class Plot:
    """An area with two axes; marks are drawn into it and come out as one figure."""

    def __init__(self, x: Axis, y: Axis, size: tuple[float, float], inset: float = 4.0, strip: float = 0.0) -> None:
        """Lay the area out.

        Args:
            x: Axis across.
            y: Axis upright.
            size: Width and height of the area between the axes.
            inset: Left free at both ends of ``x``.
            strip: Height left free above the area, below the key.
        """
        self.across, self.upright = x, y
        self.left, self.right = _LEFT, _LEFT + size[0]
        self.top, self.bottom = 22.0 + strip, 22.0 + strip + size[1]
        self.x = x.scale(self.left + inset, self.right - inset)
        self.y: Scale = y.scale(self.bottom, self.top)
        self.marks: list[Markup] = []

    def figure(
        self, label: str, kinds: Sequence[tuple[str, str, str]], class_: str, **attributes: str | None
    ) -> Markup:
        """Return the figure.

        Args:
            label: Said to who cannot see it.
            kinds: What the key explains: name, CSS class of the kind, and ``line``, ``spot`` or ``segment``.
            class_: CSS class of the figure.
            **attributes: More of its attributes.
        """
        key, rows = self._key(kinds) if len(kinds) > 1 else ([], 0)
        frame = [
            *upright(self.upright, self.y, self.left, self.right, 13.0),
            *across(self.across, self.x, self.bottom, self.right + _RIGHT),
        ]
        width, above, height = self.right + _RIGHT, _ROW * rows, self.bottom + _BELOW
        box = f"0 {0 - above:.0f} {width:.0f} {height + above:.0f}"
        return figure(label, *key, *frame, *self.marks, class_=class_, viewBox=box, **attributes)

    def _key(self, kinds: Sequence[tuple[str, str, str]]) -> tuple[list[Markup], int]:
        """Return the key's marks, above 0, and how many rows they fill."""
        placed, x, row = [], 0.0, 0
        for name, kind, mark in kinds:
            width = 20 + _LETTER * len(name) + 12
            if x and x + width > self.right:
                x, row = 0.0, row + 1
            placed.append((name, kind, mark, x, row))
            x += width
        marks: list[Markup] = []
        for name, kind, mark, x, line in placed:
            y = -4.0 - _ROW * (row - line)
            if mark == "line":
                marks.append(node("path", d=f"M{x:.1f},{y:.1f}h16", class_=f"line {kind}"))
            elif mark == "segment":
                marks.append(node("rect", x=x + 3, y=y - 5, width=10.0, height=10.0, class_=f"swatch {kind}"))
            if mark == "spot":
                marks.append(marker(kind, x + 8, y, 3.2, f"swatch {kind}"))
            marks.append(words(name, x + 20, y + 4, "tick start"))
        return marks, row + 1
