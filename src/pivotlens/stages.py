"""The stages in the order of work: the one list that a new stage is added to."""

from __future__ import annotations

from typing import Any

from pivotlens.ablate.stage import STAGE as ABLATE
from pivotlens.attribute.stage import STAGE as ATTRIBUTE
from pivotlens.bench.stage import STAGE as BENCH
from pivotlens.count.stage import STAGE as COUNT
from pivotlens.evaluate.stage import STAGE as EVALUATE
from pivotlens.lens.stage import STAGE as LENS
from pivotlens.mine.stage import STAGE as MINE
from pivotlens.query.stage import STAGE as QUERY
from pivotlens.report.stage import STAGE as REPORT
from pivotlens.score.stage import STAGE as SCORE
from pivotlens.select.stage import STAGE as SELECT
from pivotlens.stage import Stage
from pivotlens.trace.stage import STAGE as TRACE
from pivotlens.train.stage import STAGE as TRAIN

STAGES: dict[str, Stage[Any, Any]] = {
    stage.name: stage
    # Trace also compares with the mined pivots, so mining comes before it.
    for stage in (BENCH, COUNT, QUERY, MINE, SCORE, LENS, TRACE, ABLATE, ATTRIBUTE, SELECT, TRAIN, EVALUATE, REPORT)
}
