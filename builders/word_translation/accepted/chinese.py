"""Chinese forms of a reviewed word: with and without 的, 地 and 色, and in traditional characters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

COLOURS = frozenset({"black", "blue", "brown", "gray", "green", "grey", "orange", "pink", "purple", "red", "white"}) | {
    "yellow"
}
_COLOURS = frozenset("红黄蓝绿白黑灰紫棕褐粉橙青")
# Adverbs that are written with 地 and without; others, such as 已经, never take it.
_WITH_DI = frozenset(
    {"绝对", "交替", "轮流", "完全", "不断", "直接", "特别", "逐渐", "渐渐", "迅速", "快速", "相对"}
) | frozenset({"偷偷", "慢慢", "缓缓", "突然", "忽然", "足够", "隐约", "极度", "清楚", "缓慢", "严格", "勇敢"})


def with_de(word: str) -> list[str]:
    """Return an adjective with 的, or without it."""
    return [word.removesuffix("的")] if len(word) > 1 and word.endswith("的") else [word + "的"]


def with_di(word: str) -> list[str]:
    """Return an adverb with 地, or without it."""
    if word.removesuffix("地") not in _WITH_DI:
        return []
    return [word.removesuffix("地") if word.endswith("地") else word + "地"]


def colours(word: str) -> list[str]:
    """Return the word of a colour with 色 or without it."""
    colour = word.removesuffix("色")
    return [form for form in (colour + "色", colour) if form != word] if colour in _COLOURS else []


def traditional(word: str, attested: Collection[str], convert: Mapping[str, Callable[[str], str]]) -> list[str]:
    """Return a word in traditional characters, as they are standard in general, in Taiwan and in Hong Kong.

    Args:
        word: In simplified characters.
        attested: Traditional forms that a dictionary gives for the word in its sense. 面 stays 面 for a face and is 麵
            for noodles, which characters alone do not tell; without one, the usual conversion is taken.
        convert: OpenCC's conversions by name.
    """
    forms = sorted(attested) or [convert["s2t"](word), convert["s2tw"](word), convert["s2hk"](word)]
    standards = [convert[name](form) for form in forms for name in ("t2tw", "t2hk")]
    return [form for form in dict.fromkeys((*forms, *standards)) if form != word]
