"""Mine a run: read the benchmark and the counts, write the pivots, and what they are in a few figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.artifacts import Benchmark, Concept, Counts, Pivots, StageRun, upstream_inputs
from pivotlens.artifacts.tables import schema_of
from pivotlens.mine.config import MineConfig
from pivotlens.text import Direction
from pivotlens.text.matching import missed_beside_particles

if TYPE_CHECKING:
    from pivotlens.mine.corpus_counts import CorpusCounts
    from pivotlens.mine.mining import Mined, MinedPair

VERSION = 4

_IDS = pa.list_(pa.int64())
_TABLES = ("languages", "words", "tokens", "word_tokens", "pair_tokens", "token_texts")


def stage_run(
    config: MineConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Return the stage as it would run; writes nothing.

    Args:
        config: Settings.
        run: The run folder.
        planned: Fingerprints that earlier stages will have, when a whole chain is planned.
        passed: Where each setting that is not a default came from.

    Raises:
        PrerequisiteError: `bench` or `count` has not run.
    """
    inputs = upstream_inputs(run, ("bench", "count"), planned=planned, reader="mine")
    return StageRun(run, config, version=VERSION, inputs=inputs, passed=passed)


def mine_pivots(
    config: MineConfig | None = None, run: Path | str = "run", *, passed: Mapping[str, str] | None = None
) -> Pivots:
    """Find the semantic pivots of word pairs, and of the corpus, in the counts alone (METHOD §5).

    A token is a pivot of a pair where it is associated with both words, each within its own language's units and
    apart from units that hold both words.

    Tables: ``pair_pivots`` has a row a pivot; its ``df_source`` and ``df_target`` are the sampled units, of
    ``n_source`` and ``n_target``, that hold the token and that word but not the other, ``df_both`` the units of the
    whole corpus with both words, ``strength`` the smaller lower end of the two 95 % bootstrap intervals of NPMI.
    ``pivots`` has a row a token; its ``stability`` is the share of bootstrap resamples of a pair in which both NPMIs
    are positive, averaged over the token's pairs. ``variant_ids`` are the tokens merged into one. ``summary``
    counts, and ``grammar`` tells which tokens of ``pivots`` are words of grammar.

    Args:
        config: Settings; the defaults when None.
        run: The run folder.
        passed: Where each setting that is not a default came from, for the manifest.

    Raises:
        PrerequisiteError: `bench` or `count` has not run.
        ConfigError: A direction is not in the benchmark.
    """
    config = config or MineConfig()
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is None:
        return Pivots.load(run)
    from pivotlens.mine.corpus_counts import CorpusCounts
    from pivotlens.mine.mining import mine_corpus

    with stage:
        benchmark, counts = Benchmark.load(run), Counts.load(run)
        directions = benchmark.directions(config.directions)
        if counts.manifest.inputs.get("bench", stage.inputs["bench"]) != stage.inputs["bench"]:
            stage.warn("The corpus was counted for another benchmark: words that it did not have are not mined.")
        joint = {
            (row["concept_id"], frozenset((row["source_language"], row["target_language"]))): row["df_both"]
            for row in counts.rows("pairs")
        }
        counted = {concept_id for concept_id, _ in joint}
        concepts = [concept for concept in benchmark.concepts.values() if concept.concept_id in counted]
        order = {code: place for place, code in enumerate(benchmark.languages)}
        pairs = list(dict.fromkeys(_sorted_pair(direction, order) for direction in directions))
        corpus = CorpusCounts.from_tables({name: counts.table(name) for name in _TABLES})
        mined = mine_corpus(corpus, concepts, pairs, config)
        _warn(stage, config, corpus, concepts, pairs, mined)
        texts = {row["token_id"]: row["token"] for row in counts.rows("token_texts")}
        pair_pivots = _pair_columns(mined, directions, order, corpus, texts, joint)
        pivots = _corpus_columns(mined, corpus, texts)
        details = _details(config, concepts, pairs, mined)
        stage.write_table("pair_pivots", pair_pivots)
        stage.write_table("pivots", pivots)
        _write_sums(stage, pair_pivots, pivots, details, counts)
        stage.finish(details)
    return Pivots.load(run)


def _write_sums(
    stage: StageRun, pair_pivots: dict[str, Any], pivots: dict[str, Any], details: dict[str, Any], counts: Counts
) -> None:
    from pivotlens.mine.sums import grammar_rows, summary_rows

    found = _as_rows(pair_pivots, ("source_language", "target_language", "concept_id", "relation"))
    shares = details["share_with_pivots"], details["shuffled_share_with_pivots"]
    summary = summary_rows(found, len(pivots["token_id"]), *shares)
    tokens = counts.table("tokens")
    tokens = tokens.filter(pc.is_in(tokens["token_id"], pa.array(pivots["token_id"], pa.int64())))
    named = _as_rows(pivots, ("token_id", "token"))
    grammar = grammar_rows(named, tokens.to_pylist(), counts.rows("languages"))
    for name, rows in (("summary", summary), ("grammar", grammar)):
        stage.write_table(name, pa.Table.from_pylist(rows, schema=schema_of("mine", name)))


def _as_rows(columns: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, values, strict=True)) for values in zip(*(columns[name] for name in names), strict=True)]


def _sorted_pair(direction: Direction, order: Mapping[str, int]) -> tuple[str, str]:
    first, second = sorted(direction, key=order.__getitem__)
    return first, second


def _warn(
    stage: StageRun,
    config: MineConfig,
    corpus: CorpusCounts,
    concepts: list[Concept],
    pairs: list[tuple[str, str]],
    mined: Mined,
) -> None:
    missed = missed_beside_particles(code for pair in pairs for code in pair)
    hint = f" {missed}" if missed else ""
    codes = sorted({pair.languages[0] for pair in mined.pairs} | {pair.languages[1] for pair in mined.pairs})
    if not mined.pairs:
        stage.warn(
            f"No pivot was mined: of the {mined.absent} word pairs of {len(concepts)} concepts, none has both words in "
            f"the corpus (languages there: {', '.join(sorted(corpus.backgrounds)) or 'none'})."
            f"{hint}"
        )
    elif not mined.tested:
        stage.warn(
            f"No pivot was mined: no token that is a word occurs in {config.min_df} units of each word of any of the "
            f"{len(mined.pairs)} pairs ({', '.join(codes)}), "
            f"apart from units that hold both words. Text in one language alone mines nothing: pivots live "
            f"in documents that mix languages, such as dictionaries, message catalogs and learning material.{hint}"
        )
    elif not mined.with_pivots:
        stage.warn(
            f"No pivot was mined: of {mined.tested} candidates in {len(mined.pairs)} pairs none is associated with "
            f"both words of its pair"
            + ("." if config.mode == "paper" else f" at a false discovery rate of {config.max_q}.")
            + hint
        )
    if mined.pairs and mined.max_null is None and config.mode != "paper" and mined.shuffled.pairs:
        stage.warn(
            f"Too few shuffled pairs for max_null = {config.max_null}: tokens that go with any word, such as articles, "
            f"are not kept out. More concepts or more shuffles make more pairs."
        )
    if mined.pairs and not mined.shuffled.pairs:
        stage.warn("No shuffled pair could be made: degrees are not compared with a null.")


def _details(config: MineConfig, concepts: list[Concept], pairs: list[tuple[str, str]], mined: Mined) -> dict[str, Any]:
    return {
        "mode": config.mode,
        "concepts": len(concepts),
        "language_pairs": len(pairs),
        "pairs_mined": len(mined.pairs),
        "pairs_with_an_absent_word": mined.absent,
        "pairs_with_pivots": mined.with_pivots,
        "share_with_pivots": mined.share_with_pivots,
        "candidates_tested": mined.tested,
        "max_null_applied": mined.max_null,
        "shuffles": config.shuffles,
        "shuffled_pairs": mined.shuffled.pairs,
        "shuffled_pairs_with_pivots": mined.shuffled.with_pivots,
        "shuffled_share_with_pivots": mined.shuffled.share_with_pivots,
        "corpus_pivots": int(mined.corpus.tokens.size),
        "corpus_pivots_above_shuffled": int((mined.corpus.degree > mined.corpus.degree_shuffled).sum()),
        "stability_of": "share of bootstrap resamples of a pair with both NPMIs positive (not corpus slices)",
        "strength_bound": "lower end of the 95 % parametric binomial bootstrap interval of NPMI, in the limit",
    }


def _pair_columns(
    mined: Mined,
    directions: list[Direction],
    order: Mapping[str, int],
    corpus: CorpusCounts,
    texts: Mapping[int, str],
    joint: Mapping[tuple[str, frozenset[str]], int],
) -> dict[str, Any]:
    from pivotlens.mine.relations import relations

    names = [*schema_of("mine", "pair_pivots").names, "n_source", "n_target", "null_share", "stability", "variant_ids"]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    by_pair: dict[tuple[str, str], list[MinedPair]] = {}
    for pair in mined.pairs:
        by_pair.setdefault(pair.languages, []).append(pair)
    for direction in directions:
        for pair in by_pair.get(_sorted_pair(direction, order), ()):
            first, second = pair.pivots.candidates.first, pair.pivots.candidates.second
            source, target = (first, second) if direction.source == pair.languages[0] else (second, first)
            words, n = first.tokens.tolist(), first.tokens.size
            ids = corpus.tokens.representative[first.tokens].tolist()
            links = relations(pair.concept, *direction)
            values: dict[str, list[Any]] = {
                "concept_id": [pair.concept.concept_id] * n,
                "source_language": [direction.source] * n,
                "target_language": [direction.target] * n,
                "source_word": [pair.concept.words[direction.source]] * n,
                "target_word": [pair.concept.words[direction.target]] * n,
                "token_id": ids,
                "token": [texts[token_id] for token_id in ids],
                "df_source": source.counts.tolist(),
                "df_target": target.counts.tolist(),
                "df_both": [joint.get((pair.concept.concept_id, frozenset(direction)))] * n,
                "npmi_source": source.npmi.tolist(),
                "npmi_target": target.npmi.tolist(),
                "llr_source": source.llr.tolist(),
                "llr_target": target.llr.tolist(),
                "q_value": pair.pivots.q_value.tolist(),
                "strength": pair.pivots.strength.tolist(),
                "rank": list(range(1, n + 1)),
                "relation": [links.get(corpus.tokens.texts[word], "") for word in words],
                "n_source": [source.sampled] * n,
                "n_target": [target.sampled] * n,
                "null_share": pair.pivots.null_share.tolist(),
                "stability": pair.pivots.stability.tolist(),
                "variant_ids": [list(corpus.tokens.variants[word]) for word in words],
            }
            for name, column in columns.items():
                column.extend(values[name])
    return {**columns, **_typed_extras(columns)}


def _typed_extras(columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Give the columns beyond the schema their types, which an empty list would not."""
    types = {
        "n_source": pa.int64(),
        "n_target": pa.int64(),
        "null_share": pa.float64(),
        "stability": pa.float64(),
        "variant_ids": _IDS,
    }
    return {name: pa.array(columns[name], types[name]) for name in columns if name in types}


def _corpus_columns(mined: Mined, corpus: CorpusCounts, texts: Mapping[int, str]) -> dict[str, Any]:
    found = mined.corpus
    ids = corpus.tokens.representative[found.tokens].tolist()
    return {
        "token_id": ids,
        "token": [texts[token_id] for token_id in ids],
        "degree": found.degree.tolist(),
        "degree_shuffled": found.degree_shuffled.tolist(),
        "directions": found.directions.tolist(),
        "stability": found.stability.tolist(),
        "score": found.score.tolist(),
        "variant_ids": pa.array([corpus.tokens.variants[word] for word in found.tokens.tolist()], _IDS),
    }
