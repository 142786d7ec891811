"""Draw the picture of the README from a real trace.

Run as ``python -m tools.trace_picture runs/demo docs/trace.svg --direction fr-zh water.n winter.n …``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Trace, write_bytes
from pivotlens.text import english_name, escape_controls, parse_direction

_WIDTH, _LEFT, _TOP, _ROW = 880, 70, 76, 21
_STYLE = """
text{font:13px system-ui,'Noto Sans','Noto Sans CJK SC','Noto Sans CJK JP',sans-serif;fill:#24292f}
.title{font-weight:600;font-size:15px}.dim{fill:#6e7781;font-size:11.5px}.bar{fill:#8c959f;opacity:.28}
.source{fill:#bf8700}.pivot{fill:#8250df}.target{fill:#1a7f37}.bar.source,.bar.pivot,.bar.target{opacity:.3}
text.source,text.pivot,text.target{font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#8d96a0}
.source{fill:#d29922}.pivot{fill:#bc8cff}.target{fill:#3fb950}}
"""
_ROLES = {"english": "pivot", "pivot": "pivot", "source": "source", "target": "target"}

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
    height = _TOP + _ROW * len(shown) + 34
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img"><title>What the layers of {escape(str(trace.manifest.details["model"]))} say while it translates '
        f"{english_name(direction[0])} into {english_name(direction[1])}</title><style>{_STYLE}</style>"
    ]
    for row, layer in enumerate(shown):
        out.append(_text(8, _TOP + _ROW * row + 15, f"layer {layer}", "dim"))
    for number, concept in enumerate(concepts):
        x = _LEFT + column * number
        item = of(items, concept)[0]
        out.append(_text(x, 24, f"{item['source_word']} → {item['target_word']}", "title"))
        out.append(_text(x, 44, f"answers {item['generated'] or '(nothing)'}", "dim"))
        best = {line["layer"]: line for line in of(tokens, concept) if line["rank"] == 1}
        for row, layer in enumerate(shown):
            line, y = best[layer], _TOP + _ROW * row
            role = _ROLES.get(line["role"], "")
            width = max(1.0, (column - 14) * line["prob"])
            out.append(
                f'<rect class="bar {role}" x="{x:.1f}" y="{y + 1}" width="{width:.1f}" height="{_ROW - 3}" rx="2"/>'
            )
            out.append(_text(x + 6, y + 15, escape_controls(line["token"]).strip() or "␣", role))
            out.append(_text(x + column - 48, y + 15, f"{line['prob']:.2f}", "dim"))
    legend = (("source", "the source word"), ("pivot", "a semantic pivot"), ("target", "the target word"))
    for number, (role, label) in enumerate(legend):
        out.append(_text(_LEFT + 170 * number, height - 8, f"■ {label}", role))
    return "\n".join([*out, "</svg>\n"])


def _text(x: float, y: float, text: str, role: str) -> str:
    return f'<text class="{role}" x="{x:.1f}" y="{y}">{escape(text)}</text>'


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
