"""The marks that are drawn by hand, against places worked out by hand."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup
from report_words import HOSTILE

from pivotlens.report.charts import (
    Axis,
    Bars,
    Line,
    Row,
    Segment,
    Strip,
    bar_chart,
    column_axis,
    estimates,
    forest,
    interval_cell,
    line_chart,
    names_axis,
    plain_bar,
    share_axis,
    stacked_bar,
    value_axis,
)
from pivotlens.report.svg import standalone

NAN = math.nan
Y = Axis("probability", "0 to 1", (0.0, 0.5, 1.0))
X = Axis("layer", "number", (0, 1, 2))
SIZE = (108.0, 100.0)
"""The area is from 44 to 152 across and from 22 to 122 down; places across keep 4 from both ends."""


def elements(chart: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(chart).iter())


def marks(chart: str, class_: str) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in elements(chart) if element.get("class") == class_]


def texts(chart: str) -> list[str]:
    return ["".join(element.itertext()) for element in elements(chart) if element.tag == "text"]


def label(chart: str) -> str:
    return str(ElementTree.fromstring(chart).get("aria-label"))


# -- axis


@pytest.mark.parametrize(("name", "unit", "ticks"), [("", "nats", (0,)), ("score", "", (0,)), ("score", "nats", ())])
def test_an_axis_without_name_unit_or_ticks_is_refused(name: str, unit: str, ticks: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="an axis needs a name, a unit and ticks"):
        Axis(name, unit, ticks)


def test_the_head_of_a_column_has_name_unit_and_ticks_at_their_places() -> None:
    head = str(column_axis(share_axis("share of items")))
    assert "share of items (%)" in head
    ticks = re.findall(r'x="([\d.]+%)" y="11" class="([a-z ]+)">([^<]+)<', head)
    assert ticks == [("3.00%", "tick", "0%"), ("50.00%", "tick", "50%"), ("97.00%", "tick", "100%")]
    # Above bars, which use the whole width, the outer ticks stay inside.
    ends = re.findall(r'class="(tick[a-z ]*)"', str(column_axis(share_axis("share of items"), 0.0)))
    assert ends == ["tick start", "tick", "tick end"]


def test_an_axis_of_values_reaches_around_them_and_0() -> None:
    assert list(value_axis("change", "nats", [-0.3, NAN, 1.7, math.inf]).ticks) == [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    assert len(value_axis("change", "nats", []).ticks) >= 1
    assert value_axis("change", "nats", [-0.3]).written(-0.5) == "−0.5"


def test_too_many_names_are_thinned_and_long_ones_cut() -> None:
    axis = names_axis("model", "in order", [f"a long name {place} {'x' * 60}" for place in range(40)])
    chart = line_chart("Chart", [Line("share", "b-direct", axis.ticks, [0.5] * 40)], axis, Y)
    shown = [element for element in elements(chart) if element.tag == "text" and element.find("title") is not None]
    assert 2 <= len(shown) <= 8
    assert shown[0].find("title").text == axis.labels[0]
    assert all(len(element.find("title").tail) < 20 for element in shown)


def test_names_at_the_ends_stay_inside_the_figure() -> None:
    axis = names_axis("model", "in order", ["a" * 20, "b" * 20])
    chart = line_chart("Chart", [Line("share", "b-direct", axis.ticks, [0.5, 0.5])], axis, Y, size=(404.0, 100.0))
    first, last = [element for element in elements(chart) if element.text in axis.labels]
    # A letter is about 6.2 wide; the figure is 460.
    assert (float(first.attrib["x"]), float(last.attrib["x"])) == pytest.approx((66.0, 398.0), abs=0.1)


# -- interval


def test_figures_come_in_three_forms() -> None:
    found = estimates([(0.1, 0.0, 0.2), 0.3, None, NAN])
    np.testing.assert_array_equal(found, [[0.1, 0.0, 0.2], [0.3, NAN, NAN], [NAN] * 3, [NAN] * 3])
    np.testing.assert_array_equal(estimates(np.array([0.1, 0.2]))[:, 0], [0.1, 0.2])
    np.testing.assert_array_equal(estimates(np.ones((2, 3))), np.ones((2, 3)))
    assert estimates([]).shape == (0, 3)
    with pytest.raises(ValueError, match="a value with two ends"):
        estimates([(0.1, 0.2)])


def test_intervals_in_a_cell() -> None:
    rows = [Row("all", (0.5, 0.25, 0.75)), Row("right", 0.0, "second"), Row("none", None)]
    chart = interval_cell(rows, share_axis("share"), 0.5)
    (whisker,) = marks(chart, "whisker main")
    # 3 percent are left free on both sides: 0.25 stands at 3 + 94 / 4.
    assert (whisker["x1"], whisker["x2"], whisker["y1"]) == ("26.50%", "73.50%", "8")
    assert [(dot["cx"], dot["cy"]) for dot in marks(chart, "dot main")] == [("50.00%", "8")]
    assert [(dot["cx"], dot["cy"]) for dot in marks(chart, "dot second")] == [("3.00%", "16")]
    assert marks(chart, "whisker second") == []
    assert marks(chart, "reference")[0]["x1"] == "50.00%"
    assert label(chart) == "all 50% [25%, 75%], right 0%"
    assert label(interval_cell([Row("all", None)], share_axis("share"))) == "no figure"
    assert label(interval_cell([], share_axis("share"))) == "no figure"


# -- line with band


def test_a_line_with_its_band() -> None:
    values = np.array([[0.0, 0.0, 0.0], [0.5, 0.4, 0.6], [1.0, 0.9, 1.0]])
    chart = line_chart("Masses", [Line("target word", "c-target", (0, 1, 2), values, "band")], X, Y, size=SIZE)
    assert marks(chart, "line c-target")[0]["d"] == "M48.0,122.0L98.0,72.0L148.0,22.0"
    assert marks(chart, "band c-target")[0]["d"] == "M48.0,122.0L98.0,62.0L148.0,22.0L148.0,32.0L98.0,82.0L48.0,122.0Z"
    assert ElementTree.fromstring(chart).get("viewBox") == "0 0 164 156"
    assert {"probability (0 to 1)", "layer (number)"} <= set(texts(chart))
    assert label(chart) == "Masses. probability (0 to 1) by layer (number). target word 0.000 at 0 to 1.000 at 2"


def test_a_line_breaks_where_a_figure_is_missing() -> None:
    line = Line("share", "b-copy", (0, 1, 2, 3), [(0.5, 0.4, 0.6), None, 1.0, NAN])
    chart = line_chart("Chart", [line], Axis("layer", "number", (0, 3)), Y, size=SIZE)
    assert marks(chart, "line b-copy")[0]["d"] == "M48.0,72.0M114.7,22.0"
    assert len(marks(chart, "spot b-copy")) == 2
    (reach,) = marks(chart, "reach b-copy")
    assert (reach["y1"], reach["y2"]) == ("82", "62")


@pytest.mark.parametrize("mark", ["band", "spots"])
def test_a_single_place_and_none_at_all(mark: str) -> None:
    one = line_chart(
        "Chart", [Line("share", "b-direct", [7], [0.5], mark)], Axis("layer", "number", (7,)), Y, size=SIZE
    )
    assert [(dot["cx"], dot["cy"]) for dot in marks(one, "spot b-direct")] == [("48", "72")]
    empty = line_chart("Chart", [Line("share", "b-direct", [7], [None], mark)], Axis("layer", "number", (7,)), Y)
    assert label(empty).endswith("share: no figure")
    assert marks(empty, "spot b-direct") == []
    assert label(line_chart("Chart", [], X, Y)).endswith("no figure")


def test_whiskers_of_lines_over_names_stand_beside_one_another() -> None:
    axis = names_axis("model", "in order", ["a", "b"])
    lines = [Line(kind, f"b-{kind}", axis.ticks, [(0.5, 0.4, 0.6)] * 2) for kind in ("direct", "copy")]
    chart = line_chart("Chart", lines, axis, Y, size=SIZE)
    places = [[float(mark["x1"]) for mark in marks(chart, f"reach b-{kind}")] for kind in ("direct", "copy")]
    assert places == [[64.0, 128.0], [68.0, 132.0]]
    # Points are where they are.
    points = Line("direct", "b-direct", (0, 1), [0.5, 0.5], "points")
    loose = line_chart("Chart", [points, lines[1]], axis, Y, size=SIZE)
    assert [mark["cx"] for mark in marks(loose, "point b-direct")] == ["48", "148"]


def test_shades_stand_above_their_layers() -> None:
    strip = Strip("shade", (0, 1, 2), np.array([0.0, NAN, 1.0]))
    chart = line_chart("Chart", [Line("a", "c-target", (0, 1, 2), [0.1] * 3, "band")], X, Y, size=SIZE, strip=strip)
    shades = marks(chart, "entropy")
    assert [(shade["x"], shade["fill-opacity"]) for shade in shades] == [("44", "0"), ("123", "0.85")]
    root = ElementTree.fromstring(chart)
    assert (root.get("data-start"), root.get("data-end"), root.get("tabindex")) == ("48", "148", "0")
    assert "shade" in texts(chart)


# -- bar


def test_a_stacked_bar_fills_its_width() -> None:
    parts = [Segment("direct", "b-direct", 3), Segment("copy", "b-copy", 0), Segment("other", "b-other", 1)]
    chart = stacked_bar(parts)
    assert [(mark["x"], mark["width"]) for mark in marks(chart, "segment b-direct")] == [("0.00%", "75.00%")]
    assert [(mark["x"], mark["width"]) for mark in marks(chart, "segment b-other")] == [("75.00%", "25.00%")]
    assert marks(chart, "segment b-copy") == []
    assert texts(chart) == ["3", "1"]
    assert label(chart) == "direct 3, other 1"
    half = stacked_bar(parts, 8, figures=False)
    assert marks(half, "segment b-other")[0]["x"] == "37.50%"
    assert texts(half) == []
    assert label(stacked_bar([])) == label(stacked_bar([Segment("a", "b-copy", NAN)])) == "none"


@pytest.mark.parametrize(
    ("value", "most", "width"), [(1, 4, "25.00%"), (0, 0, "0.00%"), (None, 4, "0.00%"), (NAN, 4, "0.00%")]
)
def test_a_plain_bar(value: float | None, most: float, width: str) -> None:
    assert marks(plain_bar(value, most, "r-ink"), "bar r-ink")[0]["width"] == width


def test_upright_bars_stand_side_by_side_over_their_names() -> None:
    axis = names_axis("range", "count", ["0", "1–2"])
    bars = [Bars("direct", "b-direct", [0.5, None], ["5", "0"]), Bars("pivot", "b-copy", [NAN, 1.0], ["0", "9"])]
    chart = bar_chart("Ranges", bars, axis, Y, size=(100.0, 100.0))
    (first,), (second,) = marks(chart, "segment b-direct"), marks(chart, "segment b-copy")
    # Each name has 50, of which 40 are filled, 20 by each kind.
    assert (first["x"], first["y"], first["width"], first["height"]) == ("49", "72", "20", "50")
    assert (second["x"], second["y"], second["height"]) == ("119", "22", "100")
    assert label(chart) == "Ranges. probability (0 to 1) by range (count). direct: 0 5, 1–2 0; pivot: 0 0, 1–2 9"
    assert label(bar_chart("Ranges", [], axis, Y)).endswith("no figure")


# -- forest


def test_a_forest_has_a_row_for_each_figure() -> None:
    axis = Axis("change", "nats", (-1.0, 0.0, 1.0))
    rows = [Row("own", (-0.5, -1.0, 0.0)), Row("other", None), Row("bare", 1.0)]
    chart = forest("Effects", rows, axis, missing="too few items")
    # Names take 14 + 5.9 a letter: the axis is from 43.5 on and 220 wide.
    (whisker,) = marks(chart, "whisker main")
    assert (float(whisker["x1"]), float(whisker["x2"])) == pytest.approx((43.5, 153.5), abs=0.01)
    assert [float(dot["cx"]) for dot in marks(chart, "dot main")] == pytest.approx([98.5, 263.5], abs=0.01)
    assert [float(dot["cy"]) for dot in marks(chart, "dot main")] == [44.0, 76.0]
    assert [float(line["x1"]) for line in marks(chart, "reference")] == pytest.approx([153.5], abs=0.01)
    assert {"change (nats)", "−0.50 [−1.00, 0.00]", "too few items", "1.00"} <= set(texts(chart))
    assert "own −0.500 [−1.000, 0.000]; other too few items; bare 1.000" in label(chart)
    assert label(forest("Effects", [], axis)).endswith("no figure")


def test_long_names_stand_above_their_intervals() -> None:
    chart = forest("Effects", [Row("x" * 40, 0.0), Row("y", 1.0)], Axis("change", "nats", (0.0, 1.0)))
    assert [(dot["cx"], dot["cy"]) for dot in marks(chart, "dot main")] == [("14", "56.8"), ("234", "92")]
    assert float(str(ElementTree.fromstring(chart).get("viewBox")).split()[2]) < 365


def test_the_rows_of_a_forest_stand_under_their_heads() -> None:
    rows = [Row("a", 0.5, head="one"), Row("b", 0.5, head="one"), Row("a", 0.5, head="two")]
    chart = forest("AUC", rows, Axis("AUC", "0.5 = chance", (0.0, 0.5, 1.0)), reference=0.5)
    assert [element.text for element in elements(chart) if element.get("class") == "name"] == ["one", "two"]
    assert "one, a 0.500; one, b 0.500; two, a 0.500" in label(chart)


# -- all


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_name_holds_is_text(name: str) -> None:
    axis = names_axis("model", "in order", [name])
    drawn: list[Markup] = [
        stacked_bar([Segment(name, "b-copy", 1)]),
        forest(name, [Row(name, 0.5, head=name)], Y),
        interval_cell([Row(name, 0.5)], Y),
        line_chart(name, [Line(name, "b-copy", (0,), [0.5]), Line(name, "b-copy", (0,), [0.5])], axis, Y),
        bar_chart(name, [Bars(name, "b-copy", [0.5], [name])] * 2, axis, Y),
    ]
    for chart in drawn:
        tags = {element.tag for element in elements(str(chart))}
        assert tags <= {"svg", "rect", "line", "path", "circle", "text", "title"}


def test_more_than_one_kind_has_a_key() -> None:
    lines = [Line(name, kind, (0, 1, 2), [0.1] * 3) for name, kind in (("direct", "b-direct"), ("copied", "b-copy"))]
    assert not [text for text in texts(line_chart("Chart", lines[:1], X, Y)) if text == "direct"]
    both = line_chart("Chart", lines, X, Y)
    assert {"direct", "copied"} <= set(texts(both))
    box = [float(part) for part in str(ElementTree.fromstring(both).get("viewBox")).split()]
    assert all(float(element.get("y", 0)) >= box[1] for element in elements(both) if element.tag == "text")


def test_a_figure_as_a_file_has_its_title_and_colours() -> None:
    text = standalone(forest("<Effects>", [Row("own", 0.5)], Y))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].text == root.get("aria-label")
    assert "<Effects>" in root[0].text
    assert "--pivot: #" in root[1].text
