"""Documentation pages: one package in, its documents out."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from open_desktop_corpus.archives import package_members
from open_desktop_corpus.documents import (
    MINIMUM_CHARACTERS,
    Document,
    clean_text,
    is_in_language,
)
from open_desktop_corpus.html_text import page_text
from open_desktop_corpus.roff_text import manual_text
from open_desktop_corpus.sources import PageSet, language_of


def page_documents(
    pages: PageSet,
    deb: Path,
    *,
    label_of: Callable[[str | None], str | None] = language_of,
    as_it_comes: bool = False,
) -> tuple[list[Document], Counter[str]]:
    """Return the documents of a package, ordered by id, and why others were dropped.

    Args:
        pages: What to take.
        deb: The package.
        label_of: Gives the language of a locale's folder, or None where its pages are not wanted.
        as_it_comes: Keep pages that nobody has translated, and the navigation and footers of HTML.
    """

    def wanted(path: str) -> bool:
        match = pages.pattern.match(path)
        return match is not None and label_of(match["locale"]) is not None

    documents: list[Document] = []
    dropped: Counter[str] = Counter()
    for path, content in package_members(deb, wanted):
        match = pages.pattern.match(path)
        language = label_of(match["locale"]) if match else None
        if match is None or language is None:
            continue
        try:
            text = _text(pages.markup, content.decode("utf-8"), whole=as_it_comes)
        except UnicodeDecodeError:
            dropped["not UTF-8"] += 1
            continue
        if len(text) < MINIMUM_CHARACTERS:
            dropped["too short"] += 1
        elif not as_it_comes and not is_in_language(text, language):
            dropped["not translated"] += 1
        else:
            page = match["page"]
            folder = (match["locale"] or language) if as_it_comes else language
            documents.append(
                Document(
                    id=f"{pages.name}/{folder}/{page}",
                    text=text,
                    source=pages.name,
                    group=f"{pages.name}/{page}",
                    language=language,
                    license=pages.license,
                    kind="manuals" if as_it_comes else "documentation",
                )
            )
    return sorted(documents, key=lambda document: document.id), dropped


def _text(markup: str, source: str, *, whole: bool) -> str:
    if markup == "roff":
        return clean_text(manual_text(source))
    return clean_text(page_text(source, mallard=markup == "mallard", whole=whole))
