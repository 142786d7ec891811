"""Languages: BCP 47 codes, their names, and directions between them."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from pivotlens.errors import ConfigError

ENGLISH = "en"

_ENGLISH_NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "sw": "Swahili",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
    "zh-Hant": "Traditional Chinese",
}  # fmt: skip
"""English names of common languages; the shipped prompts must not change with a names package."""

# ISO 639-2 keeps them for languages of one's own, such as made-up ones.
_PRIVATE_USE = re.compile("q[a-t][a-z]")

# What a speaker calls the languages, for the prompt in the target language.
NATIVE_NAMES: dict[str, dict[str, str]] = {
    "en": {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese", "ja": "Japanese"},
    "fr": {"en": "anglais", "fr": "français", "de": "allemand", "es": "espagnol", "zh": "chinois", "ja": "japonais"},
    "de": {"en": "Englisch", "fr": "Französisch", "de": "Deutsch", "es": "Spanisch", "zh": "Chinesisch",
           "ja": "Japanisch"},
    "es": {"en": "inglés", "fr": "francés", "de": "alemán", "es": "español", "zh": "chino", "ja": "japonés"},
    "zh": {"en": "英语", "fr": "法语", "de": "德语", "es": "西班牙语", "zh": "中文", "ja": "日语"},
    "ja": {"en": "英語", "fr": "フランス語", "de": "ドイツ語", "es": "スペイン語", "zh": "中国語", "ja": "日本語"},
}  # fmt: skip
"""Names of the bundled languages in each of them."""


LID176_LABELS = {"als": "gsw", "bh": "bho", "eml": "egl", "sh": "sr", "yue": "zh", "wuu": "zh"}
"""What labels of fastText's lid.176 mean where they are not the BCP 47 code of their language."""


class Direction(NamedTuple):
    """A translation direction; prints as ``fr-zh``."""

    source: str
    target: str

    def __str__(self) -> str:
        mark = ":" if "-" in self.source + self.target else "-"
        return f"{self.source}{mark}{self.target}"


# What a locale says of the script after an @; other modifiers (euro, valencia) say nothing of it.
_MODIFIERS = {"latin": "Latn", "iqtelif": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva", "arabic": "Arab"}


def _without_trimmings(code: str) -> str:
    """Return the BCP 47 part of a fastText label (``__label__fr``) or a locale (``fr_FR.UTF-8``, ``sr_RS@latin``)."""
    locale, _, modifier = code.strip().removeprefix("__label__").partition("@")
    language, *further = locale.partition(".")[0].replace("_", "-").split("-")
    script = _MODIFIERS.get(modifier.lower())
    return "-".join([language, *([script] if script else []), *further])


@functools.cache
def language_code(code: str, where: str = "language") -> str:
    """Return the short BCP 47 code of a language code (``zho_Hans`` and ``zh-CN`` give ``zh``).

    Args:
        code: A BCP 47, ISO 639 or corpus code such as ``eng_Latn``, a locale or a fastText label.
        where: Where it came from, for the error.

    Raises:
        ConfigError: It is no language code.
    """
    import langcodes  # its tables take a tenth of the time that a command line has for its help

    try:
        tag = _without_trimmings(code)
        if not tag:
            raise ValueError
        language = langcodes.Language.get(langcodes.standardize_tag(tag, macro=True))
        if not language.is_valid():
            raise ValueError
    except ValueError as error:
        raise ConfigError(
            f"unknown language {code!r} in {where}", "Use BCP 47 codes such as en, fr, zh, ja or pt."
        ) from error
    # The territory tells the script where the code does not: zh-TW is written in Hant.
    script = language.script or language.maximize().script
    base = language.language or code
    default = langcodes.Language.get(base).maximize().script
    base = "no" if base == "nb" else base  # Bokmål, as corpora and language models of text name it
    return base if script in (None, "Hani", "Hang", default) else f"{base}-{script}"


def english_name(code: str) -> str:
    """Return the English name of a language, as the prompts write it; of a code of private use, the code itself.

    Raises:
        ConfigError: There is no name for it.
    """
    name = _ENGLISH_NAMES.get(code)
    if name is None and _PRIVATE_USE.fullmatch(code):
        return code.capitalize()
    if name is None:
        raise ConfigError(
            f"no English name is known for language {code!r}", f"Known: {', '.join(sorted(_ENGLISH_NAMES))}."
        )
    return name


def native_name(code: str, speaker: str) -> str:
    """Return the name of language ``code`` in language ``speaker``.

    Raises:
        ConfigError: The bundled names do not have it.
    """
    try:
        return NATIVE_NAMES[speaker][code]
    except KeyError as error:
        raise ConfigError(
            f"no name of language {code!r} in language {speaker!r} is known",
            f"Native prompts are available among {', '.join(NATIVE_NAMES)}; use prompt = 'english' otherwise.",
        ) from error


def parse_direction(text: str, where: str = "directions") -> Direction:
    """Parse ``fr-zh``, ``fr→zh``, ``fr->zh``, ``fr:zh`` or, with longer codes, ``fr:zh-Hant``.

    Raises:
        ConfigError: It is not two different languages.

    >>> parse_direction("fr→zh"), str(parse_direction("zho:en"))
    (Direction(source='fr', target='zh'), 'zh-en')
    """
    for mark in ("→", "->", "=>", ":", ">", "-"):
        parts = text.split(mark)
        if len(parts) == 2:
            source, target = (language_code(part.strip(), where) for part in parts)
            if source == target:
                raise ConfigError(
                    f"{text!r} in {where} goes from {source} to {target}", "Write two different languages, as in fr-zh."
                )
            return Direction(source, target)
        if len(parts) > 2:
            break
    raise ConfigError(f"{text!r} in {where} is not a translation direction", "Write two language codes as in fr-zh.")
