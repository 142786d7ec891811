"""Colours that stand beside each other can be told apart: by everyone, under deuteranopia, and in greyscale."""

from __future__ import annotations

import itertools
import re
from importlib import resources

import numpy as np
import pytest

from pivotlens.arrays import Floats
from pivotlens.report.svg import marker

LEAST_SEEN = 16.0
"""Least distance (CIEDE2000) between two colours; before, some were 8 apart."""
LEAST_DEUTERANOPIA = 12.0
"""The same as a dichromat without the middle cones sees them."""
LEAST_GREY = 7.0
"""Least difference of lightness (L* of CIELAB, 0 to 100): what is left in greyscale."""
LEAST_CONTRAST_TEXT, LEAST_CONTRAST_MARK = 4.5, 2.9
"""Contrast of WCAG 2.2 for text; lines and points are held to nearly its 3 for graphics."""

BESIDE = {
    "behaviours": ["b-direct", "b-copy", "b-source_or_english", "b-semantic_pivot", "b-other", "b-none", "b-dropped"],
    "tokens": ["r-source", "r-english", "r-pivot", "r-target", "r-other", "r-common"],
    "curves": ["c-target", "c-source", "c-english", "c-mined", "c-random"],
    "relations": ["k-0", "k-1", "k-2", "k-3", "k-4", "k-5"],
    "lenses": ["s-raw", "s-tuned"],
    "verdicts": ["r-target", "r-english"],
}
"""CSS classes of kinds that share a figure."""
LINES = ["c-target", "c-source", "c-english", "c-mined", "c-random", "s-raw", "s-tuned", "s-both"]
SPOTS = ["b-direct", "b-copy", "b-semantic_pivot", "b-other"]

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB."""


def linear(colour: str) -> Floats:
    """Return linear RGB of ``#rrggbb``, each 0 to 1."""
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: Floats) -> Floats:
    """Return L*, a* and b* of linear RGB under D65."""
    ratio = TO_XYZ @ rgb / TO_XYZ.sum(axis=1)
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def as_deuteranope(rgb: Floats) -> Floats:
    return np.clip(DEUTERANOPIA @ rgb, 0, 1)


def distance(one: Floats, other: Floats) -> float:
    """Return CIEDE2000 between two colours in CIELAB (Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    a1, a2 = (a * (1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))) for a in (a1, a2))
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    s_l = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    bent = np.exp(-((((hue % 360) - 275) / 25) ** 2))
    r_t = -np.sin(np.radians(60 * bent)) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / s_h
    return float(np.sqrt(d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def style(name: str) -> str:
    return (resources.files("pivotlens.report") / "templates" / name).read_text("utf-8")


def colours(theme: str) -> dict[str, str]:
    """Return the colours of a theme by name."""
    blocks = re.findall(r"^\s*:root \{(.*?)\}", style("charts.css"), re.S | re.M)
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block)) for block in blocks)
    found = light if theme == "light" else light | dark
    return {
        name: colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:]) for name, colour in found.items()
    }


def role_of(kind: str) -> str:
    """Return the name of the colour of a CSS class."""
    (name,) = re.findall(rf"\.{kind}(?:, [^{{}}]*)? {{ --c: var\(--(\w+)\); }}", style("charts.css"))
    return name


@pytest.mark.parametrize(
    ("one", "other", "known"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_is_that_of_the_published_pairs(one: tuple, other: tuple, known: float) -> None:
    assert distance(np.array(one), np.array(other)) == pytest.approx(known, abs=5e-5)


def test_a_grey_is_a_grey_to_everyone() -> None:
    grey = linear("#777777")
    assert lab(grey) == pytest.approx([50.03, 0, 0], abs=0.05)
    assert as_deuteranope(grey) == pytest.approx(grey, abs=1e-3)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("group", BESIDE)
def test_colours_beside_each_other_can_be_told_apart(theme: str, group: str) -> None:
    known = colours(theme)
    for one, other in itertools.combinations(BESIDE[group], 2):
        pair = f"{one} and {other}"
        first, second = (linear(known[role_of(kind)]) for kind in (one, other))
        assert distance(lab(first), lab(second)) >= LEAST_SEEN, pair
        assert distance(lab(as_deuteranope(first)), lab(as_deuteranope(second))) >= LEAST_DEUTERANOPIA, pair
        assert abs(lab(first)[0] - lab(second)[0]) >= LEAST_GREY, pair


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_words_stand_out_from_the_paper(theme: str) -> None:
    known = colours(theme)
    for kind in {*LINES, *SPOTS} - {"s-both"}:
        assert contrast(known[role_of(kind)], known["paper"]) >= LEAST_CONTRAST_MARK, kind
    for name in ("ink", "soft", "pivot", "target"):
        assert contrast(known[name], known["paper"]) >= LEAST_CONTRAST_TEXT, name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", BESIDE["behaviours"])
def test_figures_on_a_segment_can_be_read(theme: str, kind: str) -> None:
    sheet = style("charts.css")
    light, dark = re.split(r"@media screen and \(prefers-color-scheme: dark\) \{ (?=\.count)", sheet)
    black_in_light = f".on-{kind}" in light[light.index(".count {") :]
    black = black_in_light if theme == "light" else f".on-{kind}" not in dark.split("}\n")[0]
    assert contrast("#000000" if black else "#ffffff", colours(theme)[role_of(kind)]) >= LEAST_CONTRAST_TEXT


def test_lines_differ_in_dash_or_weight_and_points_in_shape() -> None:
    sheet = style("charts.css")

    def stroke(kind: str) -> list[str]:
        rules = re.findall(r"([^{}]+) \{ (stroke-[^{}]*) \}", sheet)
        return [rule for names, rule in rules if f".{kind}.line" in names]

    curves, lenses = LINES[:5], LINES[5:7]
    for group in (curves, lenses):
        assert len({tuple(stroke(kind)) for kind in group}) == len(group)
    shapes = [re.sub(r' class="[^"]*"', "", marker(kind, 0.0, 0.0, 3.0, kind)) for kind in SPOTS]
    assert len(set(shapes)) == len(SPOTS)
