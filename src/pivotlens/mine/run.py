"""Mine a run: read the benchmark and the counts, write the pivots, and what they are in a few figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.artifacts import Benchmark, Concept, Counts, ResultWriter
from pivotlens.artifacts.tables import schema_of
from pivotlens.mine.config import TESTED, MineConfig
from pivotlens.mine.corpus_counts import CorpusCounts
from pivotlens.mine.mining import Mined, MinedPair, mine_corpus
from pivotlens.mine.relations import relations
from pivotlens.mine.sums import grammar_rows, summary_rows
from pivotlens.stage import Work
from pivotlens.text import Direction
from pivotlens.text.clitics import missed_beside_particles


def run(work: Work[MineConfig]) -> dict[str, Any]:
    """Mine the pivots of every pair, and of the corpus."""
    config, writer = work.config, work.writer
    benchmark, counts = Benchmark.load(work.run), Counts.load(work.run)
    directions = benchmark.directions(config.directions)
    bench = work.plan.inputs["bench"]
    if counts.manifest.inputs.get("bench", bench) != bench:
        writer.warn("The corpus was counted for another benchmark: words that it did not have are not mined.")
    joint = {
        (row["concept_id"], frozenset((row["source_language"], row["target_language"]))): row["df_both"]
        for row in counts.rows("pairs")
    }
    counted = {concept_id for concept_id, _ in joint}
    concepts = [concept for concept in benchmark.concepts.values() if concept.concept_id in counted]
    order = {code: place for place, code in enumerate(benchmark.languages)}
    pairs = list(dict.fromkeys(_sorted_pair(direction, order) for direction in directions))
    corpus = CorpusCounts.read(counts)
    other_parts = benchmark.words_of_other_parts if config.other_parts == "leave_out" else frozenset()
    mined = mine_corpus(corpus, concepts, pairs, config, other_parts)
    _warn(writer, config, corpus, concepts, pairs, mined)
    texts = {row["token_id"]: row["token"] for row in counts.rows("token_texts")}
    pair_pivots = _pair_columns(mined, directions, order, corpus, texts, joint)
    pivots = _corpus_columns(mined, corpus, texts)
    details = _details(config, concepts, pairs, mined)
    writer.write_table("pair_pivots", pair_pivots)
    writer.write_table("pivots", pivots)
    _write_sums(writer, pair_pivots, pivots, details, counts)
    return details


def _write_sums(
    writer: ResultWriter, pair_pivots: dict[str, Any], pivots: dict[str, Any], details: dict[str, Any], counts: Counts
) -> None:
    found = _as_rows(pair_pivots, ("source_language", "target_language", "concept_id", "relation"))
    summary = summary_rows(found, len(pivots["token_id"]), details)
    tokens = counts.table("tokens")
    tokens = tokens.filter(pc.is_in(tokens["token_id"], pa.array(pivots["token_id"], pa.int64())))
    grammar = grammar_rows(_as_rows(pivots, ("token_id", "token")), tokens.to_pylist(), counts.rows("strata"))
    for name, rows in (("summary", summary), ("grammar", grammar)):
        writer.write_rows(name, rows)


def _as_rows(columns: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, values, strict=True)) for values in zip(*(columns[name] for name in names), strict=True)]


def _sorted_pair(direction: Direction, order: Mapping[str, int]) -> tuple[str, str]:
    first, second = sorted(direction, key=order.__getitem__)
    return first, second


def _warn(
    writer: ResultWriter,
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
        writer.warn(
            f"No pivot was mined: of the {mined.absent} word pairs of {len(concepts)} concepts, none has both words in "
            f"the corpus (languages there: {', '.join(sorted(corpus.backgrounds)) or 'none'})."
            f"{hint}"
        )
    elif not mined.tested:
        writer.warn(
            f"No pivot was mined: no token that is a word occurs in {config.min_df} units of each word of any of the "
            f"{len(mined.pairs)} pairs ({', '.join(codes)}), "
            f"apart from units that hold both words. Text in one language alone mines nothing: pivots live "
            f"in documents that mix languages, such as dictionaries, message catalogs and learning material.{hint}"
        )
    elif not mined.with_pivots:
        writer.warn(
            f"No pivot was mined: of {mined.tested} candidates in {len(mined.pairs)} pairs none is associated with "
            f"both words of its pair"
            + ("." if config.mode not in TESTED else f" at a false discovery rate of {config.max_q}.")
            + hint
        )
    if mined.unlimited:
        writer.warn(
            f"Too few shuffled pairs of {', '.join('-'.join(pair) for pair in mined.unlimited)} for max_null = "
            f"{config.max_null}: tokens that go with any word, such as articles, are not kept out there. More concepts "
            f"or more shuffles make more pairs."
        )
    if mined.pairs and not mined.shuffled.pairs:
        writer.warn("No shuffled pair could be made: degrees are not compared with a null.")


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
        "without_max_null": ["-".join(pair) for pair in mined.unlimited],
        "shuffles": config.shuffles,
        "shuffled_pairs": mined.shuffled.pairs,
        "shuffled_pairs_with_pivots": mined.shuffled.with_pivots,
        "shuffled_share_with_pivots": mined.shuffled.share_with_pivots,
        "pair_pivots_left_out": mined.left_out[0],
        "corpus_pivots": int(mined.corpus.tokens.size),
        "corpus_pivots_left_out": mined.left_out[1],
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
    columns: dict[str, list[Any]] = {name: [] for name in schema_of("mine", "pair_pivots").names}
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
    return columns


def _corpus_columns(mined: Mined, corpus: CorpusCounts, texts: Mapping[int, str]) -> dict[str, Any]:
    found = mined.corpus
    ids = corpus.tokens.representative[found.tokens].tolist()
    return {
        "token_id": ids,
        "token": [texts[token_id] for token_id in ids],
        "degree": found.degree.tolist(),
        "degree_shuffled": found.degree_shuffled.tolist(),
        "language_pairs": found.language_pairs.tolist(),
        "stability": found.stability.tolist(),
        "score": found.score.tolist(),
        "variant_ids": [corpus.tokens.variants[word] for word in found.tokens.tolist()],
    }
