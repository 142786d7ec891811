"""docs/training-data.md shows what the data card of an arm says, and code that is at least code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from pivotlens.corpus.writing import TOKEN_FORMATS, TokenCoding, WritingPlan, how_to_train
from pivotlens.corpus.writing.indexes import olmo_core_bounds
from pivotlens.settings import CorpusFormat

PAGE = (Path(__file__).parents[2] / "docs" / "training-data.md").read_text(encoding="utf-8")


def test_configurations_are_those_of_the_card() -> None:
    plan = WritingPlan(("parquet", *TOKEN_FORMATS), pa.schema([]), TokenCoding(262_145, 1, "my-model"))
    card = how_to_train(plan, np.array([10_000]), 2048, "select/top")
    shown = PAGE.partition("compares it -->\n")[2].partition("<!-- end -->")[0]
    assert shown == card[card.index("nanotron (datatrove):\n") :]


def test_every_format_is_listed() -> None:
    listed = re.findall(
        r"^\| `(\w+)` \|", PAGE.partition("|---|---|---|\n")[2].partition("\n\n")[0], flags=re.MULTILINE
    )
    assert listed == list(get_args(CorpusFormat))


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
def test_recipes_are_python(code: str) -> None:
    compile(code, "training-data.md", "exec")


def test_the_recipe_for_litgpt_reads_the_documents_of_a_token_file(tmp_path: Path) -> None:
    code = PAGE.partition("**litgpt.**")[2].partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {}
    exec(code.replace("from litdata import TokensLoader, optimize\n", ""), names)
    (tmp_path / "a.uint32.npy").write_bytes(np.array([70_000, 1, 1, 5, 1], "<u4").tobytes())
    (tmp_path / "a.uint32.csv.gz").write_bytes(olmo_core_bounds(np.array([2, 1, 2])))
    read = [document.tolist() for document in names["documents"](tmp_path / "a.uint32.npy")]
    assert read == [[70_000, 1], [1], [5, 1]]


@pytest.mark.parametrize("block", ["score_batch", "PivotScorer"])
def test_the_pipelines_can_be_built(block: str) -> None:
    (code,) = (code for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if block in code)
    exec(compile(code, "training-data.md", "exec"), {})
