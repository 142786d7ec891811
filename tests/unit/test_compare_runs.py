"""The comparison of two runs finds what differs, and nothing else."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from tools.compare_runs import compare_runs


def write(run, columns, files=(b"one\ntwo\n",)):
    (run / "mine").mkdir(parents=True)
    (run / "select" / "top").mkdir(parents=True)
    pq.write_table(pa.table(columns), run / "mine" / "pivots.parquet")
    for number, content in enumerate(files):
        (run / "select" / "top" / f"documents-{number:05d}.jsonl.zst").write_bytes(zstandard.compress(content))
    return run


@pytest.fixture
def before(tmp_path):
    return write(tmp_path / "before", {"token": ["a", "b"], "score": [0.5, float("nan")]})


def test_equal_runs_however_many_files_hold_the_documents(before, tmp_path):
    after = write(tmp_path / "after", {"token": ["a", "b"], "score": [0.5, float("nan")]}, (b"one\n", b"two\n"))
    assert compare_runs(before, after, {}) == ([], 2, False)


def test_a_new_column_is_named_and_no_difference(before, tmp_path):
    after = write(tmp_path / "after", {"token": ["a", "b"], "score": [0.5, float("nan")], "degree": [1, 2]})
    assert compare_runs(before, after, {}) == (["mine/pivots: new column degree"], 2, False)


def test_a_renamed_column_is_compared_under_its_new_name(before, tmp_path):
    after = write(tmp_path / "after", {"token": ["a", "b"], "strength": [0.5, 0.25]})
    lines, _, differs = compare_runs(before, after, {"mine/pivots.score": "strength"})
    assert differs
    assert lines == [
        "mine/pivots: column score is now strength",
        "mine/pivots: column strength DIFFERS in 1 of 2 rows",
    ]


def test_new_rows_behind_the_old_ones_are_named_and_no_difference(before, tmp_path):
    after = write(tmp_path / "after", {"token": ["a", "b", "c"], "score": [0.5, float("nan"), 1.0]})
    assert compare_runs(before, after, {}) == (["mine/pivots: 1 new rows behind the 2 there were"], 2, False)


@pytest.mark.parametrize(
    ("columns", "files", "said"),
    [
        ({"token": ["a", "b"]}, (b"one\ntwo\n",), "mine/pivots: column score is GONE"),
        ({"token": ["a"], "score": [0.5]}, (b"one\ntwo\n",), "mine/pivots: 2 rows, now 1"),
        ({"token": ["a", "c"], "score": [0.5, float("nan")]}, (b"one\ntwo\n",), "token DIFFERS in 1 of 2 rows"),
        ({"token": ["a", "b"], "score": [0.5, float("nan")]}, (b"one\n",), "documents DIFFER from number 1 on"),
    ],
)
def test_every_kind_of_difference_is_found(before, tmp_path, columns, files, said):
    lines, _, differs = compare_runs(before, write(tmp_path / "after", columns, files), {})
    assert differs
    assert said in lines[-1]


def test_documents_are_compared_under_the_new_names_of_their_keys(tmp_path):
    columns = {"token": ["a"]}
    before = write(tmp_path / "before", columns, (b'{"id":"1","part":0}\n',))
    after = write(tmp_path / "after", columns, (b'{"id":"1","unit":0}\n',))
    assert compare_runs(before, after, {"select/top.part": "unit"}) == ([], 2, False)
    assert compare_runs(before, after, {})[2]
    other = write(tmp_path / "other", columns, (b'{"id":"1","unit":1}\n',))
    assert compare_runs(before, other, {"select/top.part": "unit"})[2]
