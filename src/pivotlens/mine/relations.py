"""How the benchmark links a token to a concept."""

from __future__ import annotations

from pivotlens.artifacts import Concept
from pivotlens.text.folding import matching_form


def relations(concept: Concept, first: str, second: str) -> dict[str, str]:
    """Return the relation of each folded word that the benchmark links to a concept.

    Accepted words of a third language are ``translation:LANGUAGE``, the first language of the list where several
    write it alike; other links carry their own name (``hypernym``).

    Args:
        concept: The concept.
        first: A language of the pair, whose accepted words are no translations but the pair itself.
        second: The other language of the pair.
    """
    found: dict[str, str] = {}
    for language, words in concept.accepted.items():
        if language not in (first, second):
            for word in words:
                found.setdefault(matching_form(word), f"translation:{language}")
    for _, word, relation in concept.links:
        found.setdefault(matching_form(word), relation)
    return found
