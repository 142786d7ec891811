"""The judged set of mined pivots: what is drawn, and what comes of judgements."""

import numpy as np
import pytest
from tools.pivot_judgements.draw import RANKS, SHUFFLED, Drawn, once_a_pair, shuffled, stratum_of, take
from tools.pivot_judgements.evaluate import agreement, precision, read_drawn, read_pass
from tools.pivot_judgements.page import JUDGED, PAGE, page


def rows(concepts=9, ranks=12):
    return [
        {"concept_id": f"c{concept}", "source_language": source, "target_language": target, "rank": rank,
         "token": f" t{concept}-{rank}"}
        for concept in range(concepts)
        for rank in range(1, ranks + 1)
        for source, target in (("de", "fr"), ("fr", "de"))
    ]  # fmt: skip


def test_a_pivot_is_drawn_once_a_pair_with_the_weight_of_its_ranks():
    once = once_a_pair(rows())
    assert len(once) == 9 * 10
    assert {row["source_language"] for row in once} == {"de"}
    drawn = take(once, 12, 0, "x")
    assert [row["first"] for row, _ in drawn] == [first for first, _ in RANKS for _ in range(4)]
    assert sum(weight for _, weight in drawn) == pytest.approx(len(once))
    assert drawn == take(once[::-1], 12, 0, "x")
    assert [stratum_of(rank) for rank in (1, 2, 3, 4, 10, 11)] == [1, 2, 2, 4, 4, None]


def test_the_control_gives_pivots_to_pairs_of_other_concepts_at_like_ranks():
    once = once_a_pair(rows())
    control = shuffled(once, 0)
    assert len(control) > 0.8 * len(once)
    for row in control:
        concept, rank = row["token"].strip()[1:].split("-")
        assert row["concept_id"] != f"c{concept}"
        assert stratum_of(int(rank)) == row["first"]


def test_precision_is_weighted_and_its_interval_resamples_concepts():
    drawn = [Drawn(number, "x", SHUFFLED, f"c{number // 2}", 1, 1.0 + number % 2, 1, 1) for number in range(40)]
    found = precision(drawn, lambda item: item % 2)
    assert found.value == pytest.approx(2 / 3)
    assert (found.low, found.high) == pytest.approx((2 / 3, 2 / 3))  # every concept has one of each
    apart = precision(drawn, lambda item: item < 20)
    assert apart.value == pytest.approx(0.5)
    assert 0.15 < 0.5 - apart.low < 0.3  # twenty concepts: 1.96 · √(0.25 / 20) = 0.22


def test_agreement_beyond_chance():
    first = dict(enumerate(["useful", "useful", "noise", "noise"]))
    assert agreement(first, first) == (1.0, pytest.approx(1.0))
    second = dict(enumerate(["useful", "noise", "useful", "noise"]))
    assert agreement(first, second) == (0.5, pytest.approx(0.0))


def test_a_pass_is_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "pass_1.tsv"
    path.write_text("1\tu\n2\tn\n")
    assert read_pass(path, [1, 2]) == {1: "useful", 2: "noise"}
    with pytest.raises(ValueError, match="differ in items"):
        read_pass(path, [1, 2, 3])
    for wrong in ("1\tx\n", "1\tu\n1\tu\n"):
        path.write_text(wrong)
        with pytest.raises(ValueError, match="told twice or has no label"):
            read_pass(path, [1])


def test_the_page_is_that_of_the_judgements():
    assert PAGE.read_text(encoding="utf-8") == page()
    drawn = [one for folder in JUDGED.iterdir() for one in read_drawn(folder)]
    assert sum(one.mode == "npmi" for one in drawn) == sum(one.mode == SHUFFLED for one in drawn) == 300
    assert np.isfinite([one.weight for one in drawn]).all()
