"""Draw the picture of the README from a real trace.

Run as ``python -m tools.trace_picture runs/demo docs/trace.svg --direction fr-zh water.n winter.n …``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pivotlens.artifacts import Trace, write_bytes
from pivotlens.report.svg import figure, node, standalone, words
from pivotlens.report.wording import visible
from pivotlens.text import english_name, parse_direction

_WIDTH, _LEFT, _TOP, _ROW = 745.0, 60.0, 64.0, 18.0
_NAMES = {
    "source": "the source word",
    "english": "the English word",
    "pivot": "another token linked to the concept",
    "target": "the target word",
}

Rows = Sequence[Mapping[str, Any]]


def picture(trace: Trace, direction: tuple[str, str], concepts: Sequence[str], first_layer: int) -> str:
    """Return an SVG with a column an item and a row a layer: the most probable token, its role and probability."""

    def of(rows: Rows, concept: str) -> Rows:
        return [
            row
            for row in rows
            if row["concept_id"] == concept
            and (row["source_language"], row["target_language"]) == direction
            and row["shot_set"] == 0
        ]

    items, tokens = trace.rows("items"), trace.rows("tokens")
    layers = int(trace.manifest.details["layers"])
    shown = list(range(layers - 1, first_layer - 1, -1))
    column = (_WIDTH - _LEFT) / len(concepts)
    height = _TOP + _ROW * len(shown) + 28
    marks = [words(f"layer {layer}", 4.0, _TOP + _ROW * row + 13, "tick start") for row, layer in enumerate(shown)]
    for number, concept in enumerate(concepts):
        x = _LEFT + column * number
        item = of(items, concept)[0]
        marks.append(words(f"{item['source_word']} → {item['target_word']}", x, 20.0, "said strong"))
        marks.append(words(f"answers {item['generated'] or '(nothing)'}", x, 37.0, "tick start"))
        best = {line["layer"]: line for line in of(tokens, concept) if line["rank"] == 1}
        for row, layer in enumerate(shown):
            marks += _token(best[layer], x, _TOP + _ROW * row, column - 12)
    x = _LEFT
    for role, name in _NAMES.items():
        marks.append(node("rect", x=x, y=height - 15, width=9.0, height=9.0, class_=f"swatch r-{role}"))
        marks.append(words(name, x + 14, height - 7, "tick start"))
        x += 40 + 5.9 * len(name)
    label = (
        f"What the layers of {trace.manifest.details['model']} say while it translates "
        f"{english_name(direction[0])} into {english_name(direction[1])}"
    )
    size = {"width": 1.18 * _WIDTH, "height": 1.18 * height}
    return standalone(figure(label, *marks, viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}", **size))


def _token(line: Mapping[str, Any], x: float, y: float, width: float) -> list[Markup]:
    """Draw the first token of a layer: a bar as long as it is probable, its start in the full colour of its role."""
    role = line["role"] or "common"
    bar = {"x": x, "y": y + 1, "height": _ROW - 3}
    return [
        node("rect", width=max(1.0, width * line["prob"]), class_=f"bar r-{role}", fill_opacity=0.3, **bar),
        node("rect", width=3.0, class_=f"swatch r-{role}", **bar),
        words(visible(line["token"]).lstrip("␣") or "␣", x + 7, y + 13, "said strong" if line["role"] else "said"),
        words(f"{line['prob']:.2f}", x + width, y + 13, "tick end"),
    ]


def main() -> int:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("concepts", nargs="+")
    parser.add_argument("--direction", default="fr-zh")
    parser.add_argument("--first-layer", type=int, default=9)
    arguments = parser.parse_args()
    direction = parse_direction(arguments.direction)
    svg = picture(Trace.load(arguments.run), direction, arguments.concepts, arguments.first_layer)
    write_bytes(arguments.out, svg.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
