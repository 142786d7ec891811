"""Message catalogs, written back as bilingual text: English beside its translation."""

import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from open_desktop_corpus.archives import package_members
from open_desktop_corpus.documents import MINIMUM_CHARACTERS, Document, clean_text
from open_desktop_corpus.sources import CatalogSet, language_of

ENTRIES_PER_DOCUMENT = 30

_CATALOG = re.compile(r".*/(?P<locale>[A-Za-z_-]+)/LC_MESSAGES/(?P<domain>[^/]+)\.mo$")
_LETTER = re.compile(r"[^\W\d_]")
_BRACKETED_KEY = re.compile(r"[(（][&_~]\w[)）]")
_KEY = re.compile(r"[&_~](?=[^\W\d_])")

Entry = tuple[str, ...]
"""A message: its singular and, where it has one, its plural forms."""


def parse_catalog(content: bytes) -> Iterator[tuple[Entry, Entry]]:
    """Yield the messages of a `.mo` file with their translations.

    Raises:
        ValueError: If this is not a message catalog, or its charset is not the one it names.
    """
    magic = content[:4]
    if magic not in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"):
        raise ValueError("not a message catalog")
    order = "<" if magic == b"\xde\x12\x04\x95" else ">"
    count, originals, translations = struct.unpack_from(f"{order}3I", content, 8)
    charset = "utf-8"
    for row in range(count):
        texts = []
        for table in (originals, translations):
            length, start = struct.unpack_from(f"{order}2I", content, table + 8 * row)
            texts.append(content[start : start + length].decode(charset))
        if not texts[0]:
            # The header, first by sort order, names the charset.
            named = re.search(r"charset=([\w.-]+)", texts[1])
            charset = named[1] if named else charset
        else:
            # The context before \x04 names a widget; it is not language.
            message = texts[0].rpartition("\x04")[2]
            yield tuple(message.split("\0")), tuple(texts[1].split("\0"))


def plain_label(text: str) -> str:
    """Remove keyboard shortcut marks, which cut words in two (`F_ile`, `文件(&F)`)."""
    text = _BRACKETED_KEY.sub("", text)
    marks = _KEY.findall(text)
    if len(marks) == 1 and len(text) <= 80 and "/" not in text:
        text = _KEY.sub("", text)
    return text


def catalog_documents(catalogs: CatalogSet, debs: Sequence[Path]) -> tuple[list[Document], Counter[str]]:
    """Return the documents of a catalog set, ordered by id, and why others were dropped.

    A catalog is cut along the sorted messages of all its languages, so that the same piece
    of two translations holds the same messages and carries the same group.
    """
    entries: dict[str, dict[str, dict[Entry, Entry]]] = defaultdict(lambda: defaultdict(dict))
    dropped: Counter[str] = Counter()
    for deb in debs:
        for path, content in package_members(deb, _is_wanted):
            match = _CATALOG.match(path)
            language = language_of(match["locale"]) if match else None
            if match is None or language is None:
                continue
            try:
                entries[match["domain"]][language].update(_translated(content))
            except (ValueError, LookupError, struct.error):
                dropped["damaged catalog"] += 1
    documents: list[Document] = []
    for domain, languages in sorted(entries.items()):
        messages = sorted({message for found in languages.values() for message in found})
        for piece, start in enumerate(range(0, len(messages), ENTRIES_PER_DOCUMENT)):
            chunk = messages[start : start + ENTRIES_PER_DOCUMENT]
            for language, found in sorted(languages.items()):
                pairs = [(message, found[message]) for message in chunk if message in found]
                text = clean_text("\n\n".join(_written(*pair) for pair in pairs))
                if not pairs:
                    continue
                if len(text) < MINIMUM_CHARACTERS:
                    dropped["too short"] += 1
                    continue
                documents.append(
                    Document(
                        id=f"{catalogs.name}/{domain}/{language}/{piece:05d}",
                        text=text,
                        source=catalogs.name,
                        group=f"{catalogs.name}/{domain}/{piece:05d}",
                        language=language,
                        license=catalogs.license,
                        kind="catalogs",
                    )
                )
    return sorted(documents, key=lambda document: document.id), dropped


def _is_wanted(path: str) -> bool:
    match = _CATALOG.match(path)
    return match is not None and language_of(match["locale"]) not in (None, "en")


def _translated(content: bytes) -> Iterator[tuple[Entry, Entry]]:
    for message, translation in parse_catalog(content):
        source = tuple(plain_label(clean_text(form)) for form in message)
        target = tuple(plain_label(clean_text(form)) for form in translation)
        if target[0] and target[0] != source[0] and _LETTER.search(source[0]):
            yield source, target


def _written(source: Entry, target: Entry) -> str:
    lines = [_field("msgid", source[0])]
    if len(source) > 1:
        lines.append(_field("msgid_plural", source[1]))
        lines += [_field(f"msgstr[{number}]", form) for number, form in enumerate(target)]
    else:
        lines.append(_field("msgstr", target[0]))
    return "\n".join(lines)


def _field(keyword: str, text: str) -> str:
    # Line ends are kept as lines, not as "\n", which would read as a word "n".
    quoted = [f'"{line}"' for line in text.replace('"', '\\"').split("\n") if line]
    return f"{keyword} " + "\n".join(quoted)
