"""chrF of a sentence, for tasks of which the harness keeps only the texts."""

from __future__ import annotations

from collections import Counter

_ORDER, _BETA = 6, 2


def sentence_chrf(reference: str, answer: str) -> float:
    """Return the chrF of one sentence, 0–100 (Popović 2015): F₂ of the mean precision and recall of character n-grams.

    n runs from 1 to 6, white space is left out, and an n of which a side has no n-gram counts for neither mean, as in
    sacrebleu's `CHRF().sentence_score`.

    >>> sentence_chrf("the cat", "the cat"), sentence_chrf("the cat", "xyz")
    (100.0, 0.0)
    """
    texts = ["".join(text.split()) for text in (answer, reference)]
    precision = recall = 0.0
    effective = 0
    for length in range(1, _ORDER + 1):
        given, wanted = (Counter(text[at : at + length] for at in range(len(text) - length + 1)) for text in texts)
        if given and wanted:
            shared = (given & wanted).total()
            precision += shared / given.total()
            recall += shared / wanted.total()
            effective += 1
    if not precision or not recall:
        return 0.0
    precision, recall = precision / effective, recall / effective
    return 100 * (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)
