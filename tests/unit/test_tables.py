"""The contract of the tables: what is declared of a column, and that nothing else is written or passes `verify`."""

import re
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.stage_by_hand import writing
from tools.write_docs import tables_page

from pivotlens.artifacts import atomic_path
from pivotlens.artifacts.columns import as_table
from pivotlens.artifacts.tables import SCHEMAS, TABLES, Column, schema_of, table, tables_of
from pivotlens.artifacts.verification import verify_run
from pivotlens.settings import StageConfig
from pivotlens.stages import STAGES

PAIRS = {"concept_id": ["a"], "distractor_id": ["b"], "tier": [0]}


class ToyConfig(StageConfig):
    """Writes the table of distractors."""

    stage: ClassVar[str] = "bench"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_type_unit_and_meaning(name):
    declared = TABLES[name]
    assert re.fullmatch(r"[A-Z].*\.", declared.row), "a sentence says what a row is"
    assert declared.columns
    for column in declared.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.unit.strip(), column.name
        assert re.fullmatch(r"\S.*\.", column.meaning), f"{column.name}: a sentence says what it is"
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        assert column.unit != "–" or not numeric, f"{column.name}: a number has a unit"


def test_schemas_follow_from_the_declarations():
    assert {name.partition("/")[0] for name in TABLES} <= set(STAGES)
    for stage in STAGES:
        for name, declared in tables_of(stage).items():
            assert schema_of(stage, name) == declared.schema == SCHEMAS[f"{stage}/{name}"]
            assert declared.schema.metadata is None
            assert all(field.metadata is None for field in declared.schema), "files would change with the prose"


def test_the_page_shows_every_column():
    page = tables_page()
    for name, declared in TABLES.items():
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert section.count("\n| `") == len(declared.columns)
        assert declared.row in section


def test_a_column_is_declared_once():
    column = Column("n", pa.int64(), "items", "How many.")
    with pytest.raises(ValueError, match=r"\['n'\] are declared twice"):
        table("A row.", (column,), column)


@pytest.mark.parametrize("given", [dict, pa.table])
def test_what_is_not_declared_is_refused(given):
    assert as_table("bench", "distractors", given(PAIRS)).schema == SCHEMAS["bench/distractors"]
    with pytest.raises(ValueError, match="column 'more' of table bench/distractors is not declared"):
        as_table("bench", "distractors", given(PAIRS | {"more": [1.5]}))
    with pytest.raises(ValueError, match="column 'tier' of table bench/distractors is declared and was not given"):
        as_table("bench", "distractors", given({"concept_id": ["a"], "distractor_id": ["b"]}))
    with pytest.raises(ValueError, match="table bench/distractor is not declared"):
        as_table("bench", "distractor", given(PAIRS))


def test_a_list_that_is_empty_has_its_type():
    found = as_table("mine", "pivots", {name: [] for name in SCHEMAS["mine/pivots"].names})
    assert found.schema == SCHEMAS["mine/pivots"]


def test_verify_reports_what_is_not_declared(tmp_path):
    with writing(tmp_path, ToyConfig(), {}) as stage:
        stage.write_table("distractors", PAIRS)
        for name, columns in (("links", {"more": [1]}), ("unheard_of", {"x": [1]})):
            with atomic_path(stage.staged(f"{name}.parquet")) as path:
                pq.write_table(pa.table({column: [""] for column in schema_of("bench", "links").names} | columns), path)
        stage.finish()
    found = {(problem.code, problem.path, problem.message) for problem in verify_run(tmp_path, STAGES).problems}
    assert found == {
        ("V7", "bench/links.parquet", "bench declares no column 'more' of it"),
        ("V7", "bench/unheard_of.parquet", "bench declares no such table"),
    }
