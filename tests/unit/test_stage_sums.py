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
    assert summary_rows(rows, 7, 0.5, 0.25) == [
        {"pairs": 2, "pair_pivots": 3, "linked": 1, "corpus_pivots": 7, "share_with_pivots": 0.5,
         "share_with_pivots_shuffled": 0.25}
    ]  # fmt: skip
    (nothing,) = summary_rows([], 0, None, None)
    assert (nothing["pairs"], nothing["pair_pivots"], nothing["share_with_pivots"]) == (0, 0, None)


def test_what_is_met_everywhere_is_a_word_of_grammar_where_no_list_knows_it():
    pivots = [
        {"token_id": number, "token": token} for number, token in enumerate((" zzyzx", " qqqq", " the", " water"))
    ]
    languages = [{"language": "ko", "units": 1000, "units_sampled": 10, "tokens_sampled": 1000},
                 {"language": "xx", "units": 0, "units_sampled": 0, "tokens_sampled": 0}]  # fmt: skip
    limit = 1000 * (1 - math.exp(-0.1))  # a hundred tokens a unit, met once in a thousand
    tokens = [
        {"document_language": "ko", "token_id": number, "df": math.ceil(limit) - (number == 1)} for number in range(4)
    ]
    tokens += [{"document_language": code, "token_id": 1, "df": 9999} for code in ("xx", "not counted")]
    assert grammar_rows(pivots, tokens, languages) == [
        {"token_id": 0, "token": " zzyzx", "listed": False, "everywhere": True},
        {"token_id": 2, "token": " the", "listed": True, "everywhere": False},
    ]
    assert grammar_rows([], tokens, languages) == []
