"""The data card that lies beside an arm's documents; it draws what stands in the tables, and the corpus beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pivotlens.select.arms import HOW
from pivotlens.select.config import DEFAULT_SHARE
from pivotlens.select.facts import CORPUS, Facts
from pivotlens.text import escape_controls, inline_code

Rows = Sequence[Mapping[str, Any]]
_MOST_VALUES = 8
_FACETS = {
    "text_language": "Language of the text",
    "label": "Label",
    "document_type": "Document type",
    "length_decile": "Length, in tenths of the corpus's units from the shortest",
    "source": "Source",
}


@dataclass(frozen=True)
class CardTables:
    """The tables that a card draws from, as rows.

    Attributes:
        tables: Rows by the name of the table.
        facts: What the tables were made from.
        settings: The stage's settings.
        pivots: Number of corpus pivots that counted.
        warnings: What was warned of.
    """

    tables: Mapping[str, Rows]
    facts: Facts
    settings: Mapping[str, Any]
    pivots: int
    warnings: Sequence[str]


def data_card(arm: str, card: CardTables) -> str:
    """Return the data card of an arm as Markdown.

    Args:
        arm: The arm.
        card: What it draws from.
    """
    tables, settings = card.tables, card.settings
    of_arm = {name: [row for row in rows if row.get("arm") == arm] for name, rows in tables.items()}
    sections = [
        f"# Documents selected by pivotlens: {arm}",
        _unscored(card.facts, arm),
        f"{HOW[arm]}",  # type: ignore[index]
        _WORDS,
        _facts(settings, card.pivots),
        "## What it holds",
        _summary(of_arm["summary"], card.facts),
        *_composition(of_arm["composition"], card.facts),
        "## Beside other arms",
        _table(
            ("arm", "units in both", "of this arm's units"),
            [(row["other"], f"{row['units']:,}", _percent(row["share"])) for row in of_arm["overlap"]],
        )
        or "There are none.",
    ]
    if arm == "matched":
        sections += ["## What the units of `top` were matched on", _matching(tables["matching"], of_arm["summary"])]
    sections += ["## What was lost", _losses(tables["losses"], len(tables["boilerplate"]))]
    sections += ["## Examples", _examples(of_arm["examples"]) or "There are none."]
    if card.warnings:
        sections += ["## Warnings", "\n".join(f"- {_cell(warning)}" for warning in card.warnings)]
    sections += ["## Columns", _COLUMNS, _RIGHTS]
    return "\n\n".join(section for section in sections if section) + "\n"


_COLUMNS = """`id`, `text`, `language` (found in the text), `label` (as the corpus tells it), `document_type`, `group`,
`source`, `file`, `row`, `unit`, `n_tokens`, `n_pivots`, `n_words`, `n_bridges`, `share`, `excess`, `bridge`. Documents
stand in the order of the corpus, one file after another."""
_WORDS = """A *pivot* is a token that goes with a word in two languages (stage `mine`), a *mining word* a word of the
benchmark that is looked for in the text, and a *bridge* a mining word and one of its own pivots in one unit. A unit's
`bridge` is its rate of bridges and its `share` that of its tokens that are pivots, both as lower bounds; `excess` is
`share` beyond that of text of the same languages. *Pseudo pivots* are the pivots of another word of like frequency."""
_RIGHTS = """The documents keep the licences of the corpus; the selection adds no rights and takes none away. Texts were
not checked for personal data, and being rich in pivots says nothing about their quality or truth."""


def _unscored(facts: Facts, arm: str) -> str:
    languages = facts.unscored(arm)
    return (
        f"**No unit of this arm holds a {facts.scored_by} in {', '.join(languages)}: it is random there.**"
        if languages
        else ""
    )


def _facts(settings: Mapping[str, Any], pivots: int) -> str:
    limit = settings["limit_documents"]
    cut = (
        "whole documents"
        if settings["unit"] == "document"
        else f"pieces of documents of at most {settings['unit_characters']:,} characters, cut at line ends"
    )
    if settings["budget_units"] is not None:
        budget = f"at most {settings['budget_units']:,} units"
    elif settings["budget_tokens"] is not None:
        budget = f"at most {settings['budget_tokens']:,} tokens, with the one that ends each unit"
    else:
        budget = f"at most {settings['budget_share'] or DEFAULT_SHARE:.1%} of the tokens that could be taken"
    each = "over all languages, by their weights" if any("=" in one for one in settings["languages"]) else "a language"
    first = f", the first {limit:,} documents of each file" if limit else ""
    near = ""
    if settings["max_similarity"] < 1:
        near = f", or with more than {settings['max_similarity']:.0%} of their runs of five words in common (MinHash)"
    return f"""- Corpus: {inline_code(settings["corpus"])}{first}.
- Units: {cut}; `id` is file, row and unit.
- Budget: {budget}, {each}; by the language found in the text; taking stops before it would be exceeded.
- Score of `top`: `{settings["score"]}`. Corpus pivots: the best {pivots:,} of the stage `mine`, in all their spellings
  (case, leading space); tokens are those of {inline_code(settings["tokenizer"])}.
- Left out: units under {settings["min_tokens"]:,} tokens, those in which more than {settings["max_repetition"]:.0%} of
  the runs of ten tokens were there before, and all but the first of units with the same text (compared as words are
  matched){near}.
- Seed: {settings["seed"]}."""


def _summary(rows: Rows, facts: Facts) -> str:
    header = (
        *("language", "units", "tokens", "budget", "available tokens", "pivot tokens", "… of the corpus"),
        *("bridges per 1,000 tokens", "… of the corpus", "text in that language"),
    )
    shown = []
    for row in rows:
        pivots, bridges = facts.rates(CORPUS, facts.codes.numbers[row["language"]])
        shown.append(
            (
                row["language"],
                *(f"{row[name]:,}" for name in ("units", "tokens", "budget", "available")),
                *(_percent(share) for share in (row["pivot_share"], pivots)),
                *("–" if rate is None else f"{rate:.2f}" for rate in (row["bridges"], bridges)),
                _percent(row["language_share"]),
            )
        )
    return _table(header, shown)


def _composition(rows: Rows, facts: Facts) -> list[str]:
    sections = []
    for facet, title in _FACETS.items():
        shown: list[tuple[str, ...]] = []
        for language in dict.fromkeys(row["language"] for row in rows):
            found = [row for row in rows if row["language"] == language and row["facet"] == facet]
            if facet == "length_decile":
                bounds = facts.lengths.bounds(facts.codes.numbers[language])
                parts = [
                    "{}: {:,} to {:,} tokens".format(row["value"], *bounds[int(row["value"]) - 1]) for row in found
                ]
            else:
                found = sorted(found, key=lambda row: -row["share"])[:_MOST_VALUES]
                parts = [_cell(row["value"]) for row in found]
            for part, row in zip(parts, found, strict=True):
                shown.append((language, part, _percent(row["share"]), _percent(row["corpus_share"])))
        sections += [f"### {title}", _table(("language", "part", "of this arm", "of the corpus"), shown)]
    return sections if rows else []


def _tokens(least: int, most: int) -> str:
    return f"{least:,} tokens" if least == most else f"{least:,} to {most:,} tokens"


def _matching(rows: Rows, summary: Rows) -> str:
    table = _table(
        ("language", "matched on", "taken by top", "share"),
        [(row["language"], row["matched_on"], f"{row['taken']:,}", _percent(row["share"])) for row in rows],
    )
    exchanged = ", ".join(f"{row['language']} {row['exchanged']:,}" for row in summary if row["exchanged"])
    return f"{table}\n\nUnits exchanged so that the text is in the same languages: {exchanged or 'none'}."


def _losses(rows: Rows, n_boilerplate: int) -> str:
    table = _table(
        ("language", "reason", "units", "tokens"),
        [(row["language"], row["reason"], f"{row['units']:,}", f"{row['tokens']:,}") for row in rows],
    )
    lines = f"{n_boilerplate:,} lines that recur over a source's documents were left out of all text (`boilerplate`)."
    return f"{table}\n\n{lines}\n`mislabelled` units are not lost: they count for the language found in their text."


def _examples(rows: Rows) -> str:
    return "\n\n".join(
        f"{inline_code(row['file'])}, row {row['row']}, unit {row['unit']} ({row['language']}):\n\n"
        f"{_quoted(row['text'])}"
        for row in rows
    )


def _quoted(text: str) -> str:
    """Return a text as an indented block, in which Markdown means nothing and nothing is hidden."""
    return "\n".join(f"    {escape_controls(line)}" for line in text.splitlines())


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _cell(text: str) -> str:
    """Return text of a corpus for a cell: on one line, with nothing in it that Markdown or HTML would act on."""
    shown = escape_controls(" ".join(text.split()))
    for mark in "\\`*_[]|<>":
        shown = shown.replace(mark, f"&#{ord(mark)};")
    return shown or "–"
