"""Which documents go into the sample: half at random, half to bring words up to strength."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from open_desktop_corpus.concepts import Concept
from open_desktop_corpus.documents import Document

CORE = ("en", "fr", "zh")
OTHERS = ("de", "es", "ja")

Found = Mapping[str, set[str]]
"""Concept ids by document id."""


def hashed_order(documents: Iterable[Document]) -> list[Document]:
    """Return documents in an order that depends on their ids only, and looks random."""
    return sorted(documents, key=lambda document: hashlib.sha256(document.id.encode()).digest())


def count_concepts(documents: Iterable[Document], found: Found) -> Counter[tuple[str, str]]:
    """Return the number of documents by language and concept."""
    return Counter((document.language, concept) for document in documents for concept in found[document.id])


def select_documents(
    documents: Sequence[Document],
    found: Found,
    concepts: Sequence[Concept],
    *,
    random_documents: int,
    wanted: int,
    minimum: int,
) -> tuple[list[Document], int]:
    """Pick the documents of a sample.

    The first part is as many documents of every language, whatever they hold. The second, never
    larger than the first, raises each concept to the wanted number of documents: test concepts
    before others, English, French and Chinese before German, Spanish and Japanese, rare words
    first. Documents for a concept are taken in hashed order too.

    Args:
        documents: All documents, in hashed order.
        found: Concepts by document.
        concepts: The word list.
        random_documents: Size of the first part.
        wanted: Documents per concept and language aimed at.
        minimum: A concept with fewer documents than this in the corpus is not worth raising.

    Returns:
        The documents, and how many of them belong to the first part.
    """
    by_language: dict[str, list[Document]] = defaultdict(list)
    holding: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for document in documents:
        by_language[document.language].append(document)
        for concept in found[document.id]:
            holding[document.language, concept].append(document)
    share = random_documents // len(by_language)
    picked = {document.id: document for members in by_language.values() for document in members[:share]}
    background = len(picked)
    held = count_concepts(picked.values(), found)
    for test in (True, False):
        for languages in (CORE, OTHERS):
            needs = [
                (len(holding[language, concept.id]), language, concept.id)
                for concept in concepts
                if (concept.split == "test") == test
                for language in languages
                if len(holding[language, concept.id]) >= minimum
            ]
            for _, language, concept_id in sorted(needs):
                for document in holding[language, concept_id]:
                    if held[language, concept_id] >= wanted or len(picked) >= 2 * background:
                        break
                    if document.id not in picked:
                        picked[document.id] = document
                        held.update((language, other) for other in found[document.id])
    # Whole groups side by side: they repeat sentences, and compress better so.
    return sorted(picked.values(), key=lambda document: (document.group, document.id)), background
