"""Query an index for the words and pairs of the benchmark: reads ``bench`` and the index, writes ``query``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from pivotlens.artifacts import Benchmark, Counts, ResultWriter
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.models.resolve import cache_folder
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.progress import announce
from pivotlens.query.agreement import agreement_rows, compared_words, difference_rows, units_of_words
from pivotlens.query.api import PublicIndex
from pivotlens.query.asked import Answer, Clause, Query
from pivotlens.query.asking import ask_all, unanswered
from pivotlens.query.checks import check_documents, check_tokens
from pivotlens.query.config import QueryConfig
from pivotlens.query.forms import Form, forms_of
from pivotlens.query.kept import KeptAnswers
from pivotlens.query.local import LocalIndex
from pivotlens.stage import Work

Row = dict[str, Any]
ALL_TOKENS = Query.of_form(())


def run(work: Work[QueryConfig]) -> dict[str, Any]:
    """Ask for every form of every word, then for every pair whose words occur."""
    config, writer = work.config, work.writer
    words = CountedWords.of(Benchmark.load(work.run).test_concepts())
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    for warning in tokenizer.warnings:
        writer.warn(warning)
    index: LocalIndex | PublicIndex
    if isinstance(work.plan.sources["index"], LocalIndex):
        index = work.plan.source("index", LocalIndex)
        check_documents(index, tokenizer, config.tokenizer)
    else:
        index = work.plan.source("index", PublicIndex)
    forms = forms_of(words, tokenizer, config.forms)
    place = cache_folder() / "infini-gram" / f"{hashlib.sha256(index.fingerprint.encode()).hexdigest()[:32]}.jsonl"
    with KeptAnswers(place) as kept:
        single = [ALL_TOKENS, *(Query.of_form(form.ids) for form in forms)]
        _tell(index, config, kept, single, words)
        answers = ask_all(index, kept, single, "Asking for words", offline=config.offline)
        check_tokens(answers, tokenizer, config.tokenizer, index.name)
        asked = Asked.of(words, forms, {query: answer.count for query, answer in answers.items()}, index.most_terms)
        queries = {pair: asked.query(pair, config) for pair in asked.pairs()}
        wanted = [query for query in queries.values() if query is not None]
        found = ask_all(index, kept, wanted, "Asking for pairs", offline=config.offline)
    near = {pair: None if query is None else found[query] for pair, query in queries.items()}
    pairs = _pair_rows(asked, near, config)
    _write(writer, asked, pairs, [[tokenizer.text(number) for number in form.ids] for form in forms])
    _compare(writer, work, asked, pairs)
    _warn(writer, asked, pairs)
    return {
        "index": index.name,
        "tokens": answers[ALL_TOKENS].count,
        "documents": index.documents if isinstance(index, LocalIndex) else None,
        "words": len(words.words),
        "concepts": len(words.concepts),
        "queries": len(answers) + len(found),
        "tokenizer": tokenizer.fingerprint,
    }


@dataclass(frozen=True)
class Asked:
    """Words with the occurrences of their forms.

    Attributes:
        words: The words.
        forms: All forms that were asked for.
        occurrences: Those of each form.
        clauses: By word, its forms that pairs are asked for with.
    """

    words: CountedWords
    forms: tuple[Form, ...]
    occurrences: tuple[int, ...]
    clauses: tuple[Clause, ...]

    @classmethod
    def of(cls, words: CountedWords, forms: Sequence[Form], counts: Mapping[Query, int], most_terms: int) -> Asked:
        """Choose of each word the forms that occur, the most frequent first, and no more than an index takes."""
        occurrences = tuple(counts[Query.of_form(form.ids)] for form in forms)
        ranked: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in words.words]
        for form, count in zip(forms, occurrences, strict=True):
            if count:
                ranked[form.word].append((-count, form.ids))
        clauses = tuple(tuple(ids for _, ids in sorted(each)[:most_terms]) for each in ranked)
        return cls(words, tuple(forms), occurrences, clauses)

    @cached_property
    def of_words(self) -> list[int]:
        """Occurrences of each word."""
        totals = [0] * len(self.words.words)
        for form, count in zip(self.forms, self.occurrences, strict=True):
            totals[form.word] += count
        return totals

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of words that share a concept, without order, each once."""
        return [(a, b) for a, b in self.words.translations.tolist() if a < b]

    def query(self, pair: tuple[int, int], config: QueryConfig) -> Query | None:
        """Return the query for a pair; None where nothing needs to be asked: a word occurs nowhere, or both are one."""
        first, second = (self.clauses[word] for word in pair)
        if not first or not second or first == second:
            return None
        return Query((first, second), config.max_diff_tokens, config.max_clause_freq)


def _tell(
    index: LocalIndex | PublicIndex,
    config: QueryConfig,
    kept: KeptAnswers,
    single: Sequence[Query],
    words: CountedWords,
) -> None:
    """Say how many queries there will be before the first is sent."""
    pairs = len(words.translations) // 2
    missing = len(unanswered(kept, single))
    at_most = f"{index.name}: {len(set(single)):,} queries for forms of words, of which {missing:,} are still to be " \
              f"asked, and at most {pairs:,} for pairs"  # fmt: skip
    if isinstance(index, PublicIndex) and not config.offline:
        minutes = (missing + pairs) / config.queries_per_second / 60
        announce(f"{at_most}; at {config.queries_per_second:g} a second at most {minutes:,.0f} minutes")
    else:
        announce(at_most)


def _pair_rows(asked: Asked, near: Mapping[tuple[int, int], Answer | None], config: QueryConfig) -> list[Row]:
    words, totals = asked.words, asked.of_words
    nothing = Answer(0, approx=False)
    rows = []
    for concept, members in zip(words.concepts, words.members, strict=True):
        for source in members:
            for target in members:
                if source == target:
                    continue
                pair = min(source, target), max(source, target)
                answer = near[pair]
                if answer is None:
                    alike = asked.clauses[source] == asked.clauses[target] and asked.clauses[source]
                    answer = Answer(totals[source], approx=False) if alike else nothing
                    many = False
                else:
                    many = max(totals[source], totals[target]) > config.max_clause_freq
                rows.append(
                    {
                        "concept_id": concept,
                        "source_language": words.words[source][0],
                        "target_language": words.words[target][0],
                        "occurrences_source": totals[source],
                        "occurrences_target": totals[target],
                        "co_occurrences": answer.count,
                        "approx": answer.approx,
                        "subsampled": many,
                    }
                )
    return rows


def _write(writer: ResultWriter, asked: Asked, pairs: Sequence[Row], tokens: Sequence[list[str]]) -> None:
    words, totals = asked.words, asked.of_words
    n_forms = [0] * len(words.words)
    for form in asked.forms:
        n_forms[form.word] += 1
    named = [dict(zip(("word_language", "word"), word, strict=True)) for word in words.words]
    writer.write_rows(
        "words",
        (one | {"occurrences": n, "n_forms": k} for one, n, k in zip(named, totals, n_forms, strict=True)),
    )
    writer.write_rows(
        "forms",
        (
            named[form.word]
            | {
                "form": form.kind,
                "text": form.text,
                "token_ids": list(form.ids),
                "tokens": written,
                "occurrences": count,
                "in_pairs": form.ids in asked.clauses[form.word],
            }
            for form, count, written in zip(asked.forms, asked.occurrences, tokens, strict=True)
        ),
    )
    writer.write_rows("pairs", pairs)
    writer.write_rows("languages", language_rows(asked, totals, n_forms))
    writer.write_rows("directions", direction_rows(pairs))


def language_rows(asked: Asked, totals: Sequence[int], n_forms: Sequence[int]) -> list[Row]:
    """Return the ``query/languages`` rows."""
    rows = []
    for language in asked.words.languages:
        numbers = [number for number, (code, _) in enumerate(asked.words.words) if code == language]
        rows.append(
            {
                "language": language,
                "words": len(numbers),
                "asked": sum(n_forms[number] > 0 for number in numbers),
                "found": sum(totals[number] > 0 for number in numbers),
                "median": float(median(totals[number] for number in numbers)),
            }
        )
    return rows


def direction_rows(pairs: Iterable[Row]) -> list[Row]:
    """Return the ``query/directions`` rows; of the two directions of a pair of languages the first one."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in pairs:
        direction = row["source_language"], row["target_language"]
        if direction[::-1] not in groups:
            groups.setdefault(direction, []).append(row)
    return [
        {
            "source_language": source,
            "target_language": target,
            "pairs": len(rows),
            "never": sum(row["co_occurrences"] == 0 for row in rows),
            "median": float(median(row["co_occurrences"] for row in rows)),
            "most": max(row["co_occurrences"] for row in rows),
            "approx": sum(row["approx"] for row in rows),
            "subsampled": sum(row["subsampled"] for row in rows),
        }
        for (source, target), rows in groups.items()
    ]


def _compare(writer: ResultWriter, work: Work[QueryConfig], asked: Asked, pairs: Sequence[Row]) -> None:
    counts = Counts.load_if_there(work.run) if "count" in work.plan.inputs else None
    words: list[Row] = []
    agreement: list[Row] = []
    if counts is not None:
        own = ({"word_language": language, "word": word, "occurrences": count}
               for (language, word), count in zip(asked.words.words, asked.of_words, strict=True))  # fmt: skip
        words = compared_words(own, units_of_words(counts.rows("words")))
        both = {(row["concept_id"], row["source_language"], row["target_language"]): row["df_both"]
                for row in counts.rows("pairs")}  # fmt: skip
        agreement = agreement_rows(words, pairs, both)
    writer.write_rows("agreement", agreement)
    writer.write_rows("differences", difference_rows(words))


def _warn(writer: ResultWriter, asked: Asked, pairs: Sequence[Row]) -> None:
    writer.warn(
        "These are occurrences of tokens, not units that hold a word: a word is also found at the beginning of a "
        "longer one, and in text of any language; a pair counts each occurrence of the rarer word near the other."
    )
    without = len(asked.words.words) - len({form.word for form in asked.forms})
    if without:
        writer.warn(f"{without:,} words have no form that the tokenizer can tell: they count as occurring nowhere")
    if approx := sum(row["approx"] for row in pairs):
        writer.warn(f"the engine calls {approx // 2:,} of {len(pairs) // 2:,} counts of pairs approximate")
    if many := sum(row["subsampled"] for row in pairs):
        writer.warn(
            f"{many // 2:,} of {len(pairs) // 2:,} pairs have a word with more than max_clause_freq occurrences, of "
            "which the engine looked at some alone: their counts can be up to half too low where it calls them exact"
        )
    left_out = sum(
        count > 0 and form.ids not in asked.clauses[form.word]
        for form, count in zip(asked.forms, asked.occurrences, strict=True)
    )
    if left_out:
        writer.warn(f"{left_out:,} forms were left out of the queries for pairs, which hold four of a word at most")
