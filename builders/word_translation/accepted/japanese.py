"""Japanese forms of a reviewed word: endings of adjectives and adverbs, colours, kana, okurigana."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from everyday_nouns.dictionaries import KANA_NAME, Entry
from word_translation.flags import is_kana

_NA = "adjectival nouns or quasi-adjectives"
_NO = "nouns which may take the genitive case particle"
_TO = "adverb taking the"
_I_COLOURS = frozenset("赤青白黒")
_IRO_I_COLOURS = frozenset("黄茶")
_IRO_COLOURS = frozenset("緑紫橙紺藍")
_ONLY_WITH_IRO = frozenset("灰桃")  # alone they are ash and a peach
_HIRAGANA = re.compile(r"[\u3041-\u309f]+")
_MIXED = re.compile(r"[\u3041-\u309f][\u30a1-\u30fa]|[\u30a1-\u30fa][\u3041-\u309f]")
_SAME_SOUND = (
    *(("ヴァ", "バ"), ("ヴィ", "ビ"), ("ヴェ", "ベ"), ("ヴォ", "ボ"), ("ヴ", "ブ"), ("ィ", "イ"), ("ェ", "エ")),
    ("ダイヤ", "ダイア"),
)


def adjectives(word: str, tags: Collection[str]) -> list[str]:
    """Return an adjective with な or の, as JMdict lists it; every one in 的 takes な."""
    if word.endswith(("い", "な", "の")) and not _tagged(tags, _NA):
        return []
    found = [word + "な"] if _tagged(tags, _NA) or (word.endswith("的") and len(word) > 1) else []
    return found + ([word + "の"] if _tagged(tags, _NO) else [])


def adverbs(word: str, tags: Collection[str]) -> list[str]:
    """Return an adverb with と, as JMdict lists it."""
    return [word + "と"] if _tagged(tags, _TO) and not word.endswith("と") else []


def colours(word: str) -> list[str]:
    """Return the word of a colour as an adjective in い, with 色, with 色の, and alone: 赤い, 赤色, 赤色の, 赤."""
    colour = re.sub("(?:色?い|色?の|色)$", "", word)
    if colour in _I_COLOURS:
        forms = [colour + "い", colour, colour + "の", colour + "色", colour + "色の"]
    elif colour in _IRO_I_COLOURS:
        forms = [colour + "色い", colour + "色", colour + "色の"]
    elif colour in _IRO_COLOURS:
        forms = [colour, colour + "の", colour + "色", colour + "色の"]
    elif colour in _ONLY_WITH_IRO:
        forms = [colour + "色", colour + "色の"]
    else:
        return []
    return [form for form in forms if form != word]


def spellings(word: str, entries: Collection[Entry], in_kana: bool, is_usual: Callable[[str], bool]) -> list[str]:
    """Return the other spellings of a word that its entry in JMdict gives and that are usual.

    Katakana that differ only in a long vowel at the end, in ヴ and バ, or in small vowels; the same kanji with other
    okurigana; kana for kanji and kanji for kana where JMdict or the benchmark calls the word usual in kana, or
    where an animal or a plant has a name in kana.

    Args:
        word: The word.
        entries: Those of the word in its sense; where there are several, its reading is not told.
        in_kana: Whether it is usual in kana.
        is_usual: Whether a spelling is written often, as far as frequencies tell.
    """
    found: dict[str, None] = {}
    for entry in entries:
        readings = {entry.reading, _as_katakana(entry.reading) if KANA_NAME in entry.tags else entry.reading}
        free = len(entries) == 1 and (in_kana or KANA_NAME in entry.tags)
        for form in sorted(entry.words["ja"] - entry.unusual - {word, ""}):
            usual = form in entry.common or is_usual(form)
            if is_kana(form) and is_kana(word):
                good = (usual and _alike(form, word)) or (
                    free and form in readings and _as_katakana(form) == _as_katakana(word)
                )
            elif is_kana(form):
                good = free and form in readings
            else:  # a single character has many readings
                good = usual and (free and len(form) > 1 if is_kana(word) else _kanji(form) == _kanji(word))
            if good and not _MIXED.search(form):
                found[form] = None
    return list(found)


def with_ending(word: str, stem: str, forms: Iterable[str]) -> list[str]:
    """Return forms of a stem with the ending that the word has: 掃除 and そうじ give そうじする beside 掃除する."""
    return [form + word.removeprefix(stem) for form in forms]


def _kanji(word: str) -> str:
    return _HIRAGANA.sub("", word)


def _alike(form: str, word: str) -> bool:
    return _sound(form) == _sound(word) and min(len(form), len(word)) > 2


def _sound(word: str) -> str:
    for old, new in _SAME_SOUND:
        word = word.replace(old, new)
    return word.removesuffix("ー")


def _as_katakana(word: str) -> str:
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in word)


def _tagged(tags: Collection[str], beginning: str) -> bool:
    return any(tag.startswith(beginning) for tag in tags)
