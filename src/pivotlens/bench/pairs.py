"""Reading dictionaries that are plain tables: TSV with a column a language, and word pairs as MUSE has them."""

from __future__ import annotations

import codecs
from collections import Counter

from pivotlens.bench.lexicon import BadLines, Entry, Lexicon, is_single_word, part_of_speech
from pivotlens.bench.wordlist import language_columns, listed_forms, read_rows
from pivotlens.errors import DataError
from pivotlens.text import normalise


def parse_table(content: bytes, name: str) -> Lexicon:
    """Parse a TSV dictionary: the first line names the languages, then a line a sense.

    A cell holds the words of a language, best first, separated by ``|``; it may be empty. A column `pos` is the part
    of speech; the other columns of a word list are allowed and not read. Lines are taken to be in the order of
    frequency.

    Args:
        content: Of the file.
        name: Of the file, for errors.

    Raises:
        DataError: The file is no such table, or half of its rows or more are bad; names the line.
    """
    rows = read_rows(content, name)
    header = [cell.strip() for cell in rows[0]] if rows else [""]
    columns = language_columns(header, name)
    if len(columns) < 2:
        raise DataError(f"{name} has fewer than two languages", "Translation needs two language columns.")
    entries: list[Entry] = []
    skipped: Counter[str] = Counter()
    phrases: dict[str, list[str]] = {code: [] for code in columns.values()}
    bad = BadLines(name)
    read = 0
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            bad.add(number, f"{len(row)} cells where the first line has {len(header)}", "Check the tabs.")
            continue
        read += 1
        pos = part_of_speech(row[header.index("pos")]) if "pos" in header else ""
        forms = {code: listed_forms(row[index]) for index, code in columns.items()}
        for code, words in forms.items():
            phrases[code] += [word for word in words if not is_single_word(word)]
        single = [(code, word) for code, words in forms.items() for word in words if is_single_word(word)]
        if sum(bool(words) for words in forms.values()) < 2:
            skipped["without translation"] += 1
        elif len({code for code, _ in single}) < 2:
            skipped["of several words"] += 1
        else:
            for code, word in single:
                senses = tuple((0, other, words) for other, words in forms.items() if other != code and words)
                entries.append(Entry(code, word, senses, pos, number))
    bad.settle(len(rows) - 1, skipped)
    return Lexicon(
        "TSV", tuple(entries), read, dict(skipped), {code: tuple(found) for code, found in phrases.items()}, ranked=True
    )


def parse_pairs(content: bytes, name: str, source: str, target: str) -> Lexicon:
    """Parse word pairs: a line ``word translation``, the words between a tab or spaces, the frequent ones first.

    Args:
        content: Of the file.
        name: Of the file, for errors.
        source: Language of the first column.
        target: Language of the second column.

    Raises:
        DataError: Half of the lines or more have not two columns or are no UTF-8; names the first.
    """
    found: dict[str, list[str]] = {}
    ranks: dict[str, int] = {}
    skipped: Counter[str] = Counter()
    phrases: dict[str, list[str]] = {source: [], target: []}
    bad = BadLines(name)
    read = lines = 0
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        if not line.strip():
            continue
        lines += 1
        try:
            cells = pair_cells(normalise(line.decode("utf-8")))
        except UnicodeDecodeError:
            bad.add(number, "not valid UTF-8", "Save the list as UTF-8.")
            continue
        if len(cells) != 2 or not all(cells):
            bad.add(number, f"{len(cells)} columns where word pairs have 2", "Write a word, a tab and its translation.")
            continue
        read += 1
        if all(is_single_word(cell) for cell in cells):
            ranks.setdefault(cells[0], number)
            found.setdefault(cells[0], []).append(cells[1])
        else:
            skipped["of several words or with other signs than letters"] += 1
            phrases[source].append(cells[0])
            phrases[target].append(cells[1])
    bad.settle(lines, skipped)
    entries = tuple(
        Entry(source, word, ((0, target, tuple(dict.fromkeys(translations))),), rank=ranks[word])
        for word, translations in found.items()
    )
    return Lexicon(
        "MUSE", entries, read, dict(skipped), {code: tuple(words) for code, words in phrases.items()}, ranked=True
    )


def pair_cells(line: str) -> list[str]:
    """Return the columns of a line of word pairs, between tabs where it has one, else between spaces."""
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
