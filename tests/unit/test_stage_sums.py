"""What count and mine say in a few figures, against plain loops over their rows."""

import math

import numpy as np

from pivotlens.count.tables import ENOUGH, coverage_rows, pair_summary_rows
from pivotlens.mine.sums import grammar_rows, summary_rows

_PAIRS = ("concept_id", "source_language", "target_language", "df_source", "df_target", "df_both")


def counted_pairs():
    rng = np.random.default_rng(6)
    df = {(f"c{number}", code): int(rng.integers(0, 60)) for number in range(9) for code in ("fr", "zh", "en")}
    return [
        dict(zip(_PAIRS, (concept, source, target, df[concept, source], df[concept, target], both), strict=True))
        for source, target in (("fr", "zh"), ("zh", "fr"), ("en", "fr"))
        for concept, both in ((f"c{number}", int(rng.integers(0, 4))) for number in range(9 if source != "en" else 4))
    ]


def columns(rows):
    return {name: [row[name] for row in rows] for name in _PAIRS}


def test_coverage_counts_each_concept_of_a_language_once():
    rows = counted_pairs()
    found = {row["language"]: row for row in coverage_rows(columns(rows))}
    for language, concepts in (("fr", 9), ("zh", 9), ("en", 4)):
        df = {row["concept_id"]: row[f"df_{side}"] for row in rows for side in ("source", "target")
              if row[f"{side}_language"] == language}  # fmt: skip
        assert found[language] == {
            "language": language, "units": ENOUGH, "concepts": concepts,
            "enough": sum(count >= ENOUGH for count in df.values()),
        }  # fmt: skip
    assert coverage_rows(columns([])) == []


def test_pairs_are_summed_up_by_direction():
    rows = counted_pairs()
    for one in pair_summary_rows(columns(rows)):
        shared = [row["df_both"] for row in rows if row["source_language"] == one["source_language"]]
        assert (one["pairs"], one["never"]) == (len(shared), sum(both == 0 for both in shared))
        assert (one["median"], one["most"]) == (np.median(shared), max(shared))
    assert len(pair_summary_rows(columns(rows))) == 3
    assert pair_summary_rows(columns([])) == []


def test_a_pair_mined_for_both_directions_counts_once():
    def pivot(source, target, concept, relation):
        return {"source_language": source, "target_language": target, "concept_id": concept, "relation": relation}

    rows = [pivot("fr", "zh", "a", "synonym"), pivot("fr", "zh", "a", ""), pivot("zh", "fr", "a", "synonym")]
    rows += [pivot("zh", "fr", "b", None), pivot("fr", "zh", "b", None)]
    details = {"pairs_mined": 4, "share_with_pivots": 0.5, "shuffled_share_with_pivots": 0.25}
    assert summary_rows(rows, 7, details) == [
        {"pairs_mined": 4, "pairs": 2, "pair_pivots": 3, "linked": 1, "corpus_pivots": 7, "share_with_pivots": 0.5,
         "share_with_pivots_shuffled": 0.25}
    ]  # fmt: skip
    none = {"pairs_mined": 0, "share_with_pivots": None, "shuffled_share_with_pivots": None}
    (nothing,) = summary_rows([], 0, none)
    assert (nothing["pairs"], nothing["pair_pivots"], nothing["share_with_pivots"]) == (0, 0, None)


def test_what_is_met_everywhere_is_a_word_of_grammar_where_no_list_knows_it():
    pivots = [
        {"token_id": number, "token": token} for number, token in enumerate((" zzyzx", " qqqq", " the", " water"))
    ]
    strata = [
        {"language": "ko", "stratum": 3, "units": 400, "units_sampled": 40, "tokens_sampled": 4000},
        {"language": "ko", "stratum": 4, "units": 600, "units_sampled": 600, "tokens_sampled": 60000},
    ]
    limit = 1000 * (1 - math.exp(-0.1))  # a hundred tokens a unit, met once in a thousand
    tokens = [
        {"document_language": "ko", "stratum": stratum, "token_id": number, "df": df}
        for number in range(4)
        for stratum, df in ((3, 4), (4, math.ceil(limit) - 40 - (number == 1)))
    ]
    assert grammar_rows(pivots, tokens, strata) == [
        {"token_id": 0, "token": " zzyzx", "listed": False, "everywhere": True},
        {"token_id": 2, "token": " the", "listed": True, "everywhere": False},
    ]
    assert grammar_rows([], tokens, strata) == []
