"""The data card that lies beside an arm's documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HOW = {
    "top": "The units with the highest share of pivot tokens, by the lower end of its 95 % Wilson interval.",
    "random": "Units drawn at random, at the same token budget: the control for the arm `top`.",
}


def data_card(mode: str, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], pivots: int) -> str:
    """Return the data card of an arm as Markdown.

    Args:
        mode: The arm.
        settings: The stage's settings.
        rows: The arm's rows of the table ``summary``.
        pivots: Number of pivots that counted.
    """
    limit = settings["limit_documents"]
    cut = (
        "whole documents"
        if settings["unit"] == "document"
        else f"pieces of documents of at most {settings['unit_characters']:,} characters, cut at line ends"
    )
    table = "\n".join(
        f"| {row['language']} | {row['units']:,} | {row['tokens']:,} | {row['budget']:,} | {row['available']:,} "
        f"| {'–' if row['tokens'] == 0 else format(row['pivot_share'], '.4f')} |"
        for row in rows
    )
    return f"""# Documents selected by pivotlens: {mode}

{_HOW[mode]}

- Corpus: `{settings["corpus"]}`{f", the first {limit:,} documents of each file" if limit else ""}.
- Units: {cut}; `id` is file, row and unit.
- Left out: units under {settings["min_tokens"]:,} tokens, and all but the first of units with the same text
  (compared case-folded).
- Pivots: the best {pivots:,} of the stage `mine`, in all their spellings (case, leading space); tokens are those of
  `{settings["tokenizer"]}`.
- Budget: at most {settings["budget_tokens"]:,} tokens a language; taking stops before it would be exceeded.
- Seed: {settings["seed"]}.

| language | units | tokens | budget | available tokens | share of pivot tokens |
|---|---:|---:|---:|---:|---:|
{table}

Columns: `id`, `text`, `language`, `group`, `file`, `row`, `unit`, `n_tokens`, `n_pivots`, `pivot_share`
(pivot tokens of all tokens), `pivot_share_low` (lower end of its interval). Documents stand in the order of the
corpus, one file after another.

The documents keep the licences of the corpus; the selection adds no rights and takes none away. Texts were not checked
for personal data, and a high share of pivot tokens says nothing about their quality or truth.
"""
