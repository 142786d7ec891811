"""What an infini-gram index holds of the words and pairs, and how that agrees with the units of `count`."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import language_name

DIFFERENCE_NAMES = {
    "only_units": "in units, and nowhere in the index",
    "only_occurrences": "in the index, and in no unit",
    "fewer": "fewest occurrences a unit",
    "more": "most occurrences a unit",
}


def index(run: RunTables) -> b.Section | None:
    """Build the section from ``query/languages``, ``directions``, ``agreement`` and ``differences``."""
    if run.query is None:
        return None
    details, config = run.query.manifest.details, run.query.manifest.config
    said = p.lede(
        "Occurrences in {index}, an index of {tokens} tokens: places where the tokens of a word stand, in text of any "
        "language and at the beginning of longer words too. A pair counts each occurrence of its rarer word that has "
        "the other within {most} tokens: {co}",
        index=b.Code(str(details["index"])), tokens=b.Value(details["tokens"], "count"),
        most=b.Value(config["max_diff_tokens"], "count"), co="no document and no unit is counted.",
    )  # fmt: skip
    blocks: list[b.Block] = [
        said, b.Grid((_languages(rows(run.query, "languages")), _directions(rows(run.query, "directions"))))
    ]  # fmt: skip
    agreement = p.by(rows(run.query, "agreement"), lambda row: row["of"])
    if agreement:
        blocks += [
            p.heading("Beside the units of `count`"),
            p.lede(
                "A unit counts once however often it holds a word, an index every occurrence, so more than one a unit "
                "is to be expected; fewer is not. The rank correlation is over all words or pairs, those that are "
                "nowhere among them."
            ),
            *(_agreement(of, found) for of, found in agreement.items()),
            *p.folded("The words that differ most", *_differences(rows(run.query, "differences"))),
        ]
    return b.Section("index", "Index", tuple(blocks))


def _languages(found: Sequence[Row]) -> b.Table:
    fields = (
        p.text("language", lambda row: language_name(row["language"])), p.value("words", "words", "count"),
        p.value("with a form", "asked", "count"), p.value("that occur", "found", "count"),
        p.number("median", lambda row: f"{row['median']:g}"),
    )  # fmt: skip
    return p.table("index-words", "Occurrences of words", found, fields)


def _directions(found: Sequence[Row]) -> b.Table:
    fields = (
        p.DIRECTION, p.value("pairs", "pairs", "count"), p.value("never", "never", "count"),
        p.number("median", lambda row: f"{row['median']:g}"), p.value("most", "most", "count"),
        p.value("called approximate", "approx", "count"), p.value("subsampled", "subsampled", "count"),
    )  # fmt: skip
    return p.table("index-pairs", "Occurrences of both words near each other", found, fields)


def _agreement(of: str, found: Sequence[Row]) -> b.Table:
    def named(row: Row) -> b.Cell:
        codes = filter(None, (row["language"], row["other_language"]))
        return " and ".join(language_name(code) for code in codes)

    fields = (
        p.text("language" if of == "words" else "languages", named), p.value(of, "n", "count"),
        p.value("in both", "in_both", "count"), p.value("only in units", "only_units", "count"),
        p.value("only in the index", "only_occurrences", "count"),
        p.value("occurrences a unit: 10th percentile", "ratio_low"), p.value("median", "ratio_median"),
        p.value("90th", "ratio_high"), p.value("rank correlation", "rank_correlation"),
    )  # fmt: skip
    return p.table(f"index-agreement-{of}", f"{of.capitalize()}: occurrences beside units", found, fields)


def _differences(found: Sequence[Row]) -> list[b.Table]:
    fields = (
        p.text("language", lambda row: language_name(row["word_language"])), p.text("word", "word"),
        p.value("units", "units", "count"), p.value("occurrences", "occurrences", "count"),
    )  # fmt: skip
    groups = p.by(found, lambda row: row["difference"])
    return [
        p.table(f"index-{kind.replace('_', '-')}", DIFFERENCE_NAMES[kind].capitalize(), groups[kind], fields)
        for kind in DIFFERENCE_NAMES
        if kind in groups
    ]
