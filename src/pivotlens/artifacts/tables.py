"""The tables between the rooms: names and columns are the contract."""

from __future__ import annotations

import pyarrow as pa

_STR, _INT, _FLOAT, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_WORDS = pa.list_(pa.string())


def _schema(*groups: dict[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for group in groups for name, kind in group.items()])


_DIRECTION = {"source_language": _STR, "target_language": _STR}
_MODEL = {"model": _STR, "prompt": _STR}
_TRACED = {**_MODEL, "shot_set": _INT, **_DIRECTION, "concept_id": _STR}
_INTERVAL = {"ci_low": _FLOAT, "ci_high": _FLOAT}

_BEHAVIOURS = _schema(
    {**_TRACED, "rule": _STR, "behaviour": _STR, "layer": _INT, "token_id": _INT, "token": _STR},
    {"prob": _FLOAT, "relation": _STR, "languages": _WORDS, "pivot_language": _STR, "correct": _BOOL},
)

SCHEMAS: dict[str, pa.Schema] = {
    # -- bench
    "bench/items": _schema(
        {"concept_id": _STR, "split": _STR, "calibration": _BOOL, "pos": _STR, "synset": _STR, "band": _STR},
        {"language": _STR, "word": _STR, "accepted": _WORDS, "answers_only": _WORDS, "flags": _WORDS},
    ),
    "bench/distractors": _schema({"concept_id": _STR, "distractor_id": _STR, "tier": _INT}),
    "bench/links": _schema({"concept_id": _STR, "language": _STR, "word": _STR, "relation": _STR}),
    # -- score
    "score/answers": _schema(
        {**_MODEL, **_DIRECTION, "concept_id": _STR, "choice_id": _STR, "shot_set": _INT},
        {"n_tokens": _INT, "sum_logprob": _FLOAT, "n_tokens_line": _INT, "sum_logprob_line": _FLOAT},
    ),
    "score/concepts": _schema(
        {**_MODEL, **_DIRECTION, "concept_id": _STR, "same_spelling": _BOOL},
        {"p_source": _FLOAT, "p_distractors": _FLOAT, "score": _FLOAT, "share": _FLOAT, "share_line": _FLOAT},
        {"margin": _FLOAT, "rank": _FLOAT, "accuracy_10way": _FLOAT, "generated": _STR, "correct": _BOOL},
    ),
    "score/summary": _schema(
        {**_MODEL, **_DIRECTION, "items": _STR, "n": _INT, "score": _FLOAT, **_INTERVAL},
        {"share": _FLOAT, "share_low": _FLOAT, "share_high": _FLOAT, "share_line": _FLOAT},
        {"margin": _FLOAT, "margin_low": _FLOAT, "margin_high": _FLOAT},
        {"accuracy_10way": _FLOAT, "accuracy_10way_low": _FLOAT, "accuracy_10way_high": _FLOAT},
        {"accuracy_generated": _FLOAT, "accuracy_generated_low": _FLOAT, "accuracy_generated_high": _FLOAT},
    ),
    "score/strata": _schema(
        {**_MODEL, **_DIRECTION, "stratum": _STR, "value": _STR, "n": _INT, "score": _FLOAT, **_INTERVAL},
        {"share": _FLOAT, "margin": _FLOAT, "accuracy_10way": _FLOAT, "accuracy_pairwise": _FLOAT},
        {"accuracy_generated": _FLOAT},
    ),
    # -- lens
    "lens/layers": _schema(
        {"model": _STR, "layer": _INT, "n": _INT, "kl_raw": _FLOAT, "kl_raw_low": _FLOAT, "kl_raw_high": _FLOAT},
        {"kl_tuned": _FLOAT, "kl_tuned_low": _FLOAT, "kl_tuned_high": _FLOAT},
        {"agrees_raw": _FLOAT, "agrees_raw_low": _FLOAT, "agrees_raw_high": _FLOAT},
        {"agrees_tuned": _FLOAT, "agrees_tuned_low": _FLOAT, "agrees_tuned_high": _FLOAT, "share": _FLOAT},
    ),
    # -- trace
    "trace/items": _schema(
        _TRACED,
        {"source_word": _STR, "target_word": _STR, "same_spelling": _BOOL, "shares_token": _BOOL, "ambiguous": _BOOL},
        {"target_token_id": _INT, "target_token": _STR, "n_target_tokens": _INT, "n_space_tokens": _INT},
        {"pos": _STR, "band": _STR, "correct": _BOOL, "calibration": _BOOL},
    ),
    "trace/layers": _schema(
        {**_TRACED, "layer": _INT, "entropy": _FLOAT, "kl_to_final": _FLOAT, "target_rank": _INT},
        {
            "target_prob": _FLOAT,
            "word_logprob": _FLOAT,
            "mass_source": _FLOAT,
            "mass_target": _FLOAT,
            "mass_english": _FLOAT,
        },
        {"mass_pivots": _FLOAT, "mass_random": _FLOAT},
    ),
    # Mean over the n items of shot set 0 that have a figure at a layer; 95 % interval over items. `figure` is a column
    # of trace/layers: entropy in nats, the masses probabilities. A figure that no item of the direction has has no row.
    "trace/profiles": _schema(
        {**_MODEL, **_DIRECTION, "figure": _STR, "layer": _INT, "n": _INT, "mean": _FLOAT, **_INTERVAL}
    ),
    "trace/tokens": _schema(
        {**_TRACED, "layer": _INT, "rank": _INT, "token_id": _INT, "token": _STR, "prob": _FLOAT},
        {"baseline": _FLOAT, "role": _STR, "relation": _STR},
    ),
    "trace/behaviours": _BEHAVIOURS,
    # The rules in their order, the default one first, each with what it does in a sentence.
    "trace/rules": _schema({"rule": _STR, "note": _STR}),
    "trace/tuned_behaviours": _BEHAVIOURS,
    "trace/lenses": _schema(
        {**_MODEL, "shot_set": _INT, **_DIRECTION, "layer": _INT, "n": _INT, "same_top": _FLOAT},
        {"kl_to_final_raw": _FLOAT, "kl_to_final_tuned": _FLOAT, "target_prob_raw": _FLOAT},
        {"target_prob_tuned": _FLOAT, "mass_english_raw": _FLOAT, "mass_english_tuned": _FLOAT},
    ),
    # Mean of each figure of trace/lenses at a layer, over the directions and shot sets that have it; `n` items and shot
    # sets; same_top a share, KL in nats, the others probabilities.
    "trace/lens_layers": _schema(
        {**_MODEL, "layer": _INT, "n": _INT, "same_top": _FLOAT, "kl_to_final_raw": _FLOAT},
        {"kl_to_final_tuned": _FLOAT, "target_prob_raw": _FLOAT, "target_prob_tuned": _FLOAT},
        {"mass_english_raw": _FLOAT, "mass_english_tuned": _FLOAT},
    ),
    # Share of semantic pivots under a rule, read through either lens, of the same `n` items of shot set 0: mean over
    # `directions` (neither_english, or all), 95 % interval over concepts.
    "trace/lens_shares": _schema(
        {**_MODEL, "directions": _STR, "rule": _STR, "n": _INT, "raw": _FLOAT, "raw_low": _FLOAT, "raw_high": _FLOAT},
        {"tuned": _FLOAT, "tuned_low": _FLOAT, "tuned_high": _FLOAT},
    ),
    "trace/strata": _schema(
        {**_MODEL, "directions": _STR, "rule": _STR, "stratum": _STR, "value": _STR, "behaviour": _STR},
        {"n": _INT, "share": _FLOAT, **_INTERVAL},
    ),
    "trace/agreement": _schema(
        {**_MODEL, "kind": _STR, "first": _STR, "second": _STR, "n": _INT, "agreement": _FLOAT},
        {"kappa": _FLOAT, "kappa_low": _FLOAT, "kappa_high": _FLOAT},
        {"kappa_pivot": _FLOAT, "kappa_pivot_low": _FLOAT, "kappa_pivot_high": _FLOAT},
    ),
    "trace/pivot_languages": _schema(
        {**_MODEL, "directions": _STR, "items": _STR, "rule": _STR, "pivot_language": _STR},
        {"n": _INT, "share": _FLOAT, **_INTERVAL},
    ),
    "trace/pivots": _schema(
        {**_MODEL, **_DIRECTION, "rule": _STR, "pivot_language": _STR, "languages": _STR, "relation": _STR},
        {"layer": _INT},
        {"n": _INT, "share": _FLOAT},
    ),
    # Counts of trace/pivots, of shot set 0, over `directions`: neither_english, all, or one such as zh-fr.
    # pivot_counts: pivots of a rule by one `language` of the link (in each of its languages, so that shares add up to
    # more than 1), by all `languages` of it (joined by +, empty where nothing links), by `relation` (without its
    # language and form) and by `layer`; the share is of all that rule's pivots.
    "trace/pivot_counts": _schema(
        {**_MODEL, "directions": _STR, "rule": _STR, "by": _STR, "value": _STR, "n": _INT, "share": _FLOAT}
    ),
    # Pivots by one language of the link and relation; a pivot linked in two languages is counted in both.
    "trace/pivot_links": _schema(
        {**_MODEL, "directions": _STR, "rule": _STR, "language": _STR, "relation": _STR, "n": _INT}
    ),
    # english: share linked as a word of English; english_alone (and its n): as one of no other language; the most
    # frequent relation and its share; median layer, the lower of two; n_alike: pivots spelled alike in several
    # languages, and those of them linked as a word of English.
    "trace/pivot_summary": _schema(
        {**_MODEL, "directions": _STR, "rule": _STR, "n": _INT, "english": _FLOAT, "n_english_alone": _INT},
        {"english_alone": _FLOAT, "relation": _STR, "relation_share": _FLOAT, "layer": _INT, "n_alike": _INT},
        {"n_alike_english": _INT},
    ),
    "trace/summary": _schema(
        {**_MODEL, **_DIRECTION, "rule": _STR, "behaviour": _STR, "items": _STR, "n": _INT},
        {"share": _FLOAT, **_INTERVAL},
    ),
    # Items of shot set 0 by the label a rule gives them: `n` of so many `items` of a scope (direction, neither_english,
    # with_english, all); the share is of these items, not a mean over directions. Labels without items have no row.
    "trace/labels": _schema(
        {**_MODEL, "scope": _STR, **_DIRECTION, "rule": _STR, "behaviour": _STR, "n": _INT, "items": _INT},
        {"share": _FLOAT},
    ),
    # Tokens by which a rule decided, over all directions of shot set 0, of items with a label (empty: any): how many
    # items and concepts, the layer where that is most often, and the mean probability there.
    "trace/deciding_tokens": _schema(
        {**_MODEL, "rule": _STR, "behaviour": _STR, "token": _STR, "n": _INT, "concepts": _INT, "layer": _INT},
        {"prob": _FLOAT},
    ),
    # Shares of trace/sensitivity, shot set 0, as means over the `directions` (neither_english, with_english).
    "trace/thresholds": _schema(
        {**_MODEL, "directions": _STR, "threshold": _FLOAT, "ratio": _FLOAT, "behaviour": _STR, "share": _FLOAT}
    ),
    "trace/sensitivity": _schema(
        {**_MODEL, "shot_set": _INT, **_DIRECTION, "threshold": _FLOAT, "ratio": _FLOAT, "behaviour": _STR},
        {"n": _INT, "share": _FLOAT},
    ),
    # -- ablate
    "ablate/items": _schema(
        {**_MODEL, **_DIRECTION, "concept_id": _STR, "behaviour": _STR, "half": _STR, "correct": _BOOL},
        {"pivot_id": _INT, "english_pivot": _BOOL, "condition": _STR, "repeat": _INT, "dose": _FLOAT},
        {"first_layer": _INT, "last_layer": _INT, "token_id": _INT, "token": _STR, "other_concept_id": _STR},
        {"clean_logprob": _FLOAT, "logprob": _FLOAT, "change": _FLOAT, "kl": _FLOAT},
        {"norm": _FLOAT, "relative_norm": _FLOAT, "cosine": _FLOAT, "pivot_prob_clean": _FLOAT, "pivot_prob": _FLOAT},
    ),
    "ablate/windows": _schema(
        {"first_layer": _INT, "last_layer": _INT, "n": _INT, "own": _FLOAT, "other": _FLOAT, "chosen": _BOOL}
    ),
    "ablate/effects": _schema(
        {"scope": _STR, **_DIRECTION, "items": _STR, "contrast": _STR, "n": _INT, "concepts": _INT},
        {"mean": _FLOAT, **_INTERVAL, "p": _FLOAT},
    ),
    # Change of log P (nats) of the tested items of a behaviour by dose of the removal (dose 1 = the mean of others):
    # mean over the directions of a scope, 95 % interval over concepts; n items, of so many concepts.
    "ablate/doses": _schema(
        {"scope": _STR, "behaviour": _STR, "dose": _FLOAT, "n": _INT, "concepts": _INT, "mean": _FLOAT, **_INTERVAL}
    ),
    # What taking the pivot out at a dose did to the `n` tested pivot items of all directions: medians of the pivot's
    # probability at the window's last layer before and after, of KL (nats) of the next token, and of the change of the
    # state relative to its norm.
    "ablate/removals": _schema(
        {"dose": _FLOAT, "n": _INT, "pivot_prob_clean": _FLOAT, "pivot_prob": _FLOAT, "kl": _FLOAT},
        {"relative_norm": _FLOAT},
    ),
    "ablate/conditions": _schema(
        {"scope": _STR, "items": _STR, "number": _INT, "condition": _STR, "holds": _BOOL, "rests_on": _STR}
    ),
    "ablate/side_effects": _schema(
        {"scope": _STR, "read": _STR, "n": _INT, "change": _FLOAT, "change_low": _FLOAT, "change_high": _FLOAT},
        {"kl": _FLOAT, "kl_low": _FLOAT, "kl_high": _FLOAT},
        {"relative_norm": _FLOAT, "relative_norm_low": _FLOAT, "relative_norm_high": _FLOAT},
    ),
    # -- count
    "count/languages": _schema(
        {"language": _STR, "documents": _INT, "units": _INT, "units_sampled": _INT, "tokens_sampled": _INT},
        {"characters": _INT, "bytes": _INT},
    ),
    "count/words": _schema(
        {"word_language": _STR, "word": _STR, "document_language": _STR, "df": _INT, "n_sampled": _INT}
    ),
    # Concepts of a language that were counted, and those whose word is in `units` units or more.
    "count/coverage": _schema({"language": _STR, "units": _INT, "concepts": _INT, "enough": _INT}),
    # Counted pairs of a direction: how many never share a unit, and the median and largest number of units they share.
    "count/pair_summary": _schema({**_DIRECTION, "pairs": _INT, "never": _INT, "median": _FLOAT, "most": _INT}),
    "count/tokens": _schema({"document_language": _STR, "token_id": _INT, "df": _INT, "n_sampled": _INT}),
    "count/pairs": _schema({"concept_id": _STR, **_DIRECTION, "df_source": _INT, "df_target": _INT, "df_both": _INT}),
    "count/word_tokens": _schema(
        {"word_language": _STR, "word": _STR, "document_language": _STR},
        {"token_id": _INT, "df": _INT, "n_sampled": _INT},
    ),
    "count/pair_tokens": _schema(
        {"word_language": _STR, "word": _STR, "other_language": _STR, "other": _STR, "document_language": _STR},
        {"token_id": _INT, "df": _INT},
    ),
    "count/token_texts": _schema({"token_id": _INT, "token": _STR}),
    "count/problems": _schema({"file": _STR, "row": _INT, "problem": _STR}),
    # -- attribute
    "attribute/auc": _schema(
        {**_DIRECTION, "rule": _STR, "items": _STR, "predictor": _STR, "auc": _FLOAT, **_INTERVAL},
        {"n_cooccurrence": _INT, "n_pivot": _INT, "note": _STR},
    ),
    "attribute/predictors": _schema(
        {"concept_id": _STR, **_DIRECTION, "df_source": _INT, "df_target": _INT, "df_both": _INT},
        {"log_joint": _FLOAT, "log_target": _FLOAT, "npmi": _FLOAT, "llr": _FLOAT, "score": _FLOAT},
        {"behaviour": _STR, "correct": _BOOL, "same_spelling": _BOOL, "n_target_tokens": _INT},
    ),
    "attribute/tests": _schema(
        {**_DIRECTION, "test": _STR, "rule": _STR, "items": _STR, "statistic": _FLOAT, **_INTERVAL},
        {"p_value": _FLOAT, "n": _INT, "note": _STR},
    ),
    # Items of all directions, those spelled alike left out, whose words share `low` to `high` units of the corpus.
    # n_direct, n_pivot: correctly answered ones that rule calibrated calls so; share_…: of all of that class, so that
    # they add up to 1. Of the n_scored with a score: mean log(1 + units) and mean score; empty where there are none.
    "attribute/bins": _schema(
        {"low": _INT, "high": _INT, "n_direct": _INT, "n_pivot": _INT, "share_direct": _FLOAT, "share_pivot": _FLOAT},
        {"n_scored": _INT, "log_joint": _FLOAT, "score": _FLOAT},
    ),
    # Items of a direction, or of a scope: neither_english, with_english, or with_auc (directions in which joint
    # frequency has an AUC under rule calibrated); those spelled alike left out. `behaviour`: the class under that rule,
    # empty for all items. Of `n` items, n_shared have both words in one unit or more, share_never have not; median and
    # most: units. n_as_english: those of n_shared with a word spelled like an English one of the benchmark, and share.
    "attribute/joint": _schema(
        {"scope": _STR, **_DIRECTION, "items": _STR, "behaviour": _STR, "n": _INT, "n_shared": _INT},
        {"share_never": _FLOAT, "median": _FLOAT, "most": _INT, "n_as_english": _INT, "share_as_english": _FLOAT},
    ),
    # Of a test: directions, those in which it could be made, those of these with p < 0.05, and the smallest p.
    "attribute/significance": _schema(
        {"test": _STR, "rule": _STR, "items": _STR, "directions": _INT, "tested": _INT, "significant": _INT},
        {"smallest_p": _FLOAT},
    ),
    # -- mine
    "mine/pair_pivots": _schema(
        {"concept_id": _STR, **_DIRECTION, "source_word": _STR, "target_word": _STR},
        {"token_id": _INT, "token": _STR, "df_source": _INT, "df_target": _INT, "df_both": _INT},
        {"npmi_source": _FLOAT, "npmi_target": _FLOAT, "llr_source": _FLOAT, "llr_target": _FLOAT},
        {"q_value": _FLOAT, "strength": _FLOAT, "rank": _INT, "relation": _STR},
    ),
    "mine/pivots": _schema(
        {"token_id": _INT, "token": _STR, "degree": _INT, "degree_shuffled": _FLOAT, "directions": _INT},
        {"stability": _FLOAT, "score": _FLOAT},
    ),
    # One row. Pairs with a pivot (both directions of a pair are one) and their pivots, those of them linked with the
    # concept in a dictionary or WordNet; pivots of the corpus; share of mined and of shuffled pairs that have a pivot.
    "mine/summary": _schema(
        {"pairs": _INT, "pair_pivots": _INT, "linked": _INT, "corpus_pivots": _INT, "share_with_pivots": _FLOAT},
        {"share_with_pivots_shuffled": _FLOAT},
    ),
    # Tokens of mine/pivots that are words of grammar: `listed` as such, or met `everywhere` (in as many units of a
    # language as what is met once in a thousand tokens) and known to no word list.
    "mine/grammar": _schema({"token_id": _INT, "token": _STR, "listed": _BOOL, "everywhere": _BOOL}),
    # -- select
    "select/scores": _schema(
        {"file": _STR, "row": _INT, "part": _INT, "language": _STR, "n_tokens": _INT, "n_pivots": _INT},
        {"share": _FLOAT, "share_low": _FLOAT, "selected": _WORDS},
    ),
    "select/summary": _schema(
        {"mode": _STR, "language": _STR, "units": _INT, "tokens": _INT, "budget": _INT, "available": _INT},
        {"share": _FLOAT},
    ),
    # An arm over all languages: units and tokens taken, and the share of its tokens that are pivots (0 of none).
    "select/arms": _schema({"mode": _STR, "units": _INT, "tokens": _INT, "share": _FLOAT}),
}
"""Schema of each table by ``stage/table``."""


def schema_of(stage: str, table: str) -> pa.Schema:
    """Return the schema of a stage's table."""
    return SCHEMAS[f"{stage}/{table}"]
