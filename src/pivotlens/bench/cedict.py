"""Reading CC-CEDICT and the dictionaries in its format: Chinese words with glosses in one language."""

from __future__ import annotations

import re
from collections import Counter

from pivotlens.bench.lexicon import BadLines, Entry, Lexicon, Sense, is_single_word, phrases_of
from pivotlens.text import normalise

CHINESE = "zh"
ENTRY = re.compile(r"(\S+) (\S+) \[([^\]]*)\] /(.*)/\s*")
# Glosses that say something about the word instead of translating it.
_NO_TRANSLATION = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:CL:|(?:\w+ )?variant of\b|(?:classifier|measure word) for\b|see (?:also )?[^\x00-\x7f]"
    r"|also (?:written|pr)\b|used in\b|abbr\. (?:for|of|to)\b|surname\b|(?:kangxi )?radical in\b|kangxi radical"
    r"|(?:modal )?(?:particle|interjection|prefix|suffix) (?:of|for|in|to|used|indicating|expressing|equivalent)\b)",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_SYLLABLE = re.compile(r"[a-zü:]+[0-5]", re.IGNORECASE)


def parse_cedict(lines: list[str], name: str, gloss_language: str = "en") -> Lexicon:
    """Parse CC-CEDICT: ``Traditional Simplified [pin1 yin1] /sense/sense/``.

    The headword is the simplified one. Names (written with a capital in pinyin) are no headwords. The part of speech
    is that which the glosses show: a noun has a measure word (``CL:``), a verb begins with "to" in English. Of words
    that mean the same, those with a measure word are taken for the common ones: they stand alone in a sentence.

    Args:
        lines: Of the file; ``#`` begins a comment.
        name: Of the file, for errors.
        gloss_language: Language of the glosses: English in CC-CEDICT itself.

    Raises:
        DataError: Half of the lines or more are none of the format; names the first.
    """
    entries: list[Entry] = []
    skipped: Counter[str] = Counter()
    bad = BadLines(name)
    read = listed = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        listed += 1
        match = ENTRY.fullmatch(line)
        if match is None:
            hint = "An entry is: Traditional Simplified [pin1 yin1] /sense/sense/."
            bad.add(number, f"{line.strip()[:60]!r} is no CC-CEDICT entry", hint)
            continue
        read += 1
        word, pinyin, glosses = normalise(match[2]), match[3], match[4].split("/")
        if _is_name(pinyin):
            skipped["names"] += 1
            continue
        if not is_single_word(word) or not _HAN.search(word):
            skipped["of several words or Latin letters"] += 1
            continue
        senses: list[Sense] = []
        for gloss in glosses:
            if _NO_TRANSLATION.match(gloss):
                continue
            # A sense that quotes Chinese explains the word; what it says beside that is no translation of it.
            found = tuple(phrase for phrase in phrases_of(gloss, gloss_language) if not _HAN.search(phrase))
            if found:
                senses.append((len(senses), gloss_language, found))
        if senses:
            pos = _part_of_speech(glosses, gloss_language)
            entries.append(Entry(CHINESE, word, tuple(senses), pos, rank=int(pos != "noun")))
        else:
            skipped["without translation"] += 1
    bad.settle(listed, skipped)
    return Lexicon("CC-CEDICT", tuple(entries), read, dict(skipped), {})


def _is_name(pinyin: str) -> bool:
    syllables = _SYLLABLE.findall(pinyin)
    return bool(syllables) and syllables[0][0].isupper()


def _part_of_speech(glosses: list[str], language: str) -> str:
    if any(gloss.startswith("CL:") for gloss in glosses):
        return "noun"
    if language == "en" and glosses and re.match(r"(?:\([^)]*\)\s*)?to\s+\w", glosses[0]):
        return "verb"
    return ""
