"""Where words stand in a text in which they were found: for showing them, not for finding them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import regex

from pivotlens.text.folding import matching_form

_GRAPHEME = regex.compile(r"\X")
_MOST = 64


class Span(NamedTuple):
    """A stretch of a text, from a character up to another."""

    start: int
    end: int


def word_spans(text: str, forms: Iterable[str], is_there: Callable[[str], bool]) -> list[Span]:
    """Return where a word stands in a text.

    Every place where one of its forms is written is tried: it is one where the word is found in the text with all other
    places blotted out. So it is the search itself that decides, by whatever rules.

    Args:
        text: Any text, in normal form C.
        forms: Forms of the word.
        is_there: Tells whether the word is found in a text.

    Returns:
        The first places, in order, none within another.
    """
    folded, origins = _folded(text)
    patterns = sorted({pattern for form in forms if (pattern := " ".join(matching_form(form).split()))})
    places = sorted({place for pattern in patterns for place in _places(folded, pattern)})
    found = []
    for place in places[:_MOST]:
        blotted = [*folded]
        for other in places:
            if other.end <= place.start or other.start >= place.end:
                blotted[other.start : other.end] = " " * (other.end - other.start)
        if is_there("".join(blotted)):
            found.append(Span(origins[place.start].start, origins[place.end - 1].end))
    return merged(found)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one.

    >>> merged([Span(4, 6), Span(0, 2), Span(1, 3)])
    [Span(start=0, end=3), Span(start=4, end=6)]
    """
    whole: list[Span] = []
    for span in sorted(spans):
        if whole and span.start < whole[-1].end:
            whole[-1] = Span(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    return whole


def _folded(text: str) -> tuple[str, list[Span]]:
    """Return the matching form of a text, by graphemes, and the one that each of its characters is from."""
    forms = [(_form(match[0]), Span(*match.span())) for match in _GRAPHEME.finditer(text)]
    return "".join(form for form, _ in forms), [span for form, span in forms for _ in form]


@functools.lru_cache(maxsize=1 << 14)
def _form(grapheme: str) -> str:
    return matching_form(grapheme)


def _places(text: str, pattern: str) -> Iterator[Span]:
    place = text.find(pattern)
    while place >= 0:
        yield Span(place, place + len(pattern))
        place = text.find(pattern, place + 1)


def excerpts(text: str, spans: Sequence[Span], around: int, most: int) -> list[Span]:
    """Return the stretches of a text around the first of some spans, cut between graphemes, none within another.

    Args:
        text: The text.
        spans: What is to be seen, in order.
        around: Graphemes shown on either side of each.
        most: Spans shown at most.
    """
    starts = [0, *accumulate(len(match[0]) for match in _GRAPHEME.finditer(text))]
    stretches = []
    for span in spans[:most]:
        first = max(place for place, start in enumerate(starts) if start <= span.start)
        last = min(place for place, start in enumerate(starts) if start >= span.end)
        begin, end = starts[max(first - around, 0)], starts[min(last + around, len(starts) - 1)]
        stretches.append(Span(begin, end))
    return merged(stretches)
