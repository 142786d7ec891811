"""From judged tokens to labelled items, and rules held against them."""

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools.behaviour_labels.evaluate import found_by, views
from tools.behaviour_labels.labels import agreement, disagreements, item_labels, read_pass, read_shown, settled
from tools.behaviour_labels.languages import MADE_ON, judged_and_told
from tools.behaviour_labels.page import LABELLED

from pivotlens.statistics.proportion import wilson_interval, wilson_lower
from pivotlens.trace.behaviours import rules

_SHOWN = {1: ["a", "b"], 2: ["c"], 3: []}


def token(item: int, layer: int, rank: int, text: str, prob: float, role: str = "", relation: str = "", **more):
    return {"item": item, "layer": layer, "rank": rank, "token_id": ord(text[0]), "token": text, "prob": prob,
            "baseline": 0.0, "role": role, "relation": relation, "last": layer == 3} | more  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Three items of three layers: one whose pivot is linked, one junk at its peak, one with nothing."""
    tokens = [
        token(1, 1, 1, "junk", 0.99, baseline=0.99), token(1, 2, 1, "pivot", 0.6, "pivot", "hypernym"),
        token(1, 2, 2, "source", 0.3, "source"), token(1, 3, 1, "target", 0.9, "target"),
        token(2, 1, 1, " noise", 0.9), token(2, 2, 1, "target", 0.5, "target"), token(2, 2, 2, " noise", 0.2),
        token(2, 3, 1, "target", 0.9, "target"),
        token(3, 1, 1, "junk", 0.99, baseline=0.99), token(3, 3, 1, "target", 0.9, "target"),
    ]  # fmt: skip
    items = [{"item": n, "source_language": "fr", "target_language": "zh", "concept_id": f"c{n}", "shares_token": False}
             for n in (1, 2, 3)]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(tokens), tmp_path / "tokens.parquet")
    pq.write_table(pa.Table.from_pylist(items), tmp_path / "items.parquet")
    (tmp_path / "common_tokens.json").write_bytes(orjson.dumps(["junk"]))
    return tmp_path


def test_an_items_label_is_its_most_probable_token_without_junk(folder):
    judged = {(1, "pivot"): "E", (1, "source"): "S", (2, " noise"): "J", (2, "target"): "T"}
    assert item_labels(folder, judged, 0.1) == {1: "semantic_pivot", 2: "direct", 3: "none"}
    assert item_labels(folder, judged | {(1, "pivot"): "J"}, 0.1)[1] == "copy"
    assert item_labels(folder, judged | {(2, " noise"): "R"}, 0.1)[2] == "semantic_pivot"
    assert item_labels(folder, judged, 0.7) == {1: "none", 2: "none", 3: "none"}


def test_a_rule_reads_of_the_kept_tokens_what_it_read_of_the_trace(folder):
    read = views(folder)
    labels = {item: rules(3.0, 0.05)["calibrated"](view).label for item, view in read.items()}
    assert labels == {1: "semantic_pivot", 2: "semantic_pivot", 3: "none"}
    assert rules(3.0, 0.05)["calibrated_linked"](read[2]).label == "other"
    gold = {1: "semantic_pivot", 2: "semantic_pivot", 3: "none"}
    found = found_by("linked", rules(3.0, 0.05)["calibrated_linked"], read, gold, {1, 2, 3})
    assert (found.labelled, found.called, found.both) == (2, 1, 1)
    assert found.precision[0] == 1.0
    assert found.recall[0] == 0.5
    assert found.f1 == pytest.approx(2 / 3)


def test_a_pass_is_read_and_a_wrong_line_named(tmp_path):
    path = tmp_path / "pass_1.tsv"
    path.write_text("1\tTJ\n2\tE\n3\t\n", encoding="utf-8")
    assert read_pass(path, _SHOWN) == {(1, "a"): "T", (1, "b"): "J", (2, "c"): "E"}
    for text, message in (
        ("1\tTJ\n2\tE\n", "lacks items"),
        ("1\tT\n", "pass_1.tsv:1: item 1 has 2 tokens"),
        ("1\tTX\n", "the codes are 'TX'"),
        ("1\tTJ\n1\tTJ\n", "pass_1.tsv:2: item 1 is there twice"),
        ("9\tT\n", "item 9"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read_pass(path, _SHOWN)


def test_where_two_judges_differ_a_third_decides():
    first, second = {(1, "a"): "T", (1, "b"): "J"}, {(1, "a"): "T", (1, "b"): "R"}
    assert disagreements(first, second) == [(1, "b")]
    assert settled(first, second, {(1, "b"): "E"}) == {(1, "a"): "T", (1, "b"): "E"}
    n, alike, kappa = agreement(first, second)
    assert (n, alike) == (2, 0.5)
    # By chance: both T .5·.5.
    assert kappa == pytest.approx((0.5 - 0.25) / 0.75)


def test_shown_tokens_keep_their_order(tmp_path):
    lines = [orjson.dumps({"item": 2, "tokens": ["b", "a"]}), orjson.dumps({"item": 1, "tokens": []})]
    (tmp_path / "judged_items.jsonl").write_bytes(b"\n".join(lines))
    assert read_shown(tmp_path) == {2: ["b", "a"], 1: []}


def test_wilson_interval_is_the_same_from_both_ends():
    low, high = wilson_interval([3, 0, 10, 0], [10, 10, 10, 0])
    assert low.tolist() == wilson_lower([3, 0, 10, 0], [10, 10, 10, 0]).tolist()
    assert high[0] == pytest.approx(1 - float(wilson_lower(7, 10)))
    assert high[2] == 1.0
    assert (low[3], high[3]) == (0.0, 1.0)


def test_a_pivots_language_is_told_right_for_most_judged_tokens():
    pairs = judged_and_told(LABELLED / "languages")[MADE_ON:]
    right = sum(judged == told for judged, told in pairs)
    assert float(wilson_interval(right, len(pairs))[0]) > 0.8
    named = [(judged, told) for judged, told in pairs if told in ("english", "target")]
    assert sum(judged == told for judged, told in named) / len(named) > 0.9
