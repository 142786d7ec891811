"""The marks that are drawn by hand as SVG: axis, interval, line with band, bar, forest.

They take numbers, labels and the CSS class of a role, and know no section and no table. What they return is inert,
says what it shows to who cannot see it, and is the same bytes for the same figures.
"""

from pivotlens.report.charts.axis import (
    MARGIN,
    Axis,
    axis_ticks,
    column_axis,
    names_axis,
    nice_ticks,
    share_axis,
    value_axis,
)
from pivotlens.report.charts.bars import Bars, Segment, bar_chart, plain_bar, stacked_bar
from pivotlens.report.charts.intervals import Row, forest, interval_cell
from pivotlens.report.charts.lines import Line, Strip, line_chart
from pivotlens.report.charts.standalone import standalone

__all__ = [
    "MARGIN",
    "Axis",
    "Bars",
    "Line",
    "Row",
    "Segment",
    "Strip",
    "axis_ticks",
    "bar_chart",
    "column_axis",
    "forest",
    "interval_cell",
    "line_chart",
    "names_axis",
    "nice_ticks",
    "plain_bar",
    "share_axis",
    "stacked_bar",
    "standalone",
    "value_axis",
]
