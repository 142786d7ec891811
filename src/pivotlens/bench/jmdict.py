"""Reading JMdict: Japanese words with glosses in several languages.

The file is untrusted XML. No entity is expanded: the parser hands each on by its name, which is also the short tag
that is wanted (``n``, ``uk``). Entities that could only serve an attack are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.parsers import expat

from pivotlens.bench.lexicon import Entry, Lexicon, Sense, is_single_word, part_of_speech, phrases_of
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import language_code, normalise

JAPANESE = "ja"
_CHUNK = 1 << 20
_ENTITY_LENGTH = 500
_UNUSUAL = frozenset({"ik", "iK", "io", "oK", "ok", "rK", "rk", "sK", "sk", "uK"})
_KANA_ALONE = frozenset({"uk", "word usually written using kana alone"})
_COMMON = {"ichi1": 24, "news1": 24, "spec1": 24, "gai1": 24, "ichi2": 49, "news2": 49, "spec2": 49, "gai2": 49}
_UNRANKED = 99
_TAG_HEAD = re.compile(r"[^a-z0-9]")
_VERB = re.compile(r"v\d?[a-z]?")
_VERBS = frozenset({"verb", "godan", "ichidan", "suru"})
_SEARCH_ONLY = frozenset({"sK", "sk"})
_TEXTS = frozenset(
    {"keb", "reb", "ke_inf", "re_inf", "ke_pri", "re_pri", "re_restr", "pos", "misc", "gloss", "stagk", "stagr"}
)


def parse_jmdict(content: bytes, name: str, languages: Collection[str] = ()) -> Lexicon:
    """Parse JMdict.

    A sense that is usually written in kana alone has the reading as its headword, another one the first usual
    spelling, or the reading where no spelling is usual; a sense of one spelling or reading alone has that. Forms for
    searching only, irregular, rare or outdated ones are no headwords and no variants where there are others. Senses in
    other languages than English carry no such marks and go by the first English one. The rank is that of the priority
    tags: ``nf01`` to ``nf48``, then the other lists.

    Args:
        content: XML, unpacked.
        name: Of the file, for errors.
        languages: Languages whose glosses are wanted; all when empty.

    Raises:
        DataError: It is no well-formed XML, holds no entry, or declares entities that refer to others or to files.
    """
    reader = _Reader(name, frozenset(languages))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = reader.declared
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.DefaultHandler = reader.other  # its being there keeps expat from expanding entities
    try:
        for begin in range(0, len(content), _CHUNK):
            parser.Parse(content[begin : begin + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(
            f"{name}, line {error.lineno}: {expat.ErrorString(error.code)}",
            "Fetch the file again: it is cut short or no XML.",
        ) from error
    if not reader.read:
        raise DataError(f"{name} is XML without a JMdict entry", "Give JMdict, JMdict_e or a file in their format.")
    return Lexicon("JMdict", tuple(reader.entries), reader.read, dict(reader.skipped), {}, ranked=True)


class _Reader:
    """Collects entries from the parser's events."""

    def __init__(self, name: str, wanted: frozenset[str]) -> None:
        self.name, self.wanted = name, wanted
        self.entries: list[Entry] = []
        self.read = 0
        self.skipped: Counter[str] = Counter()
        self._codes: dict[str, str] = {}
        self._into: list[str] | None = None
        self._gloss_language = "en"
        self._spellings: list[_Form] = []
        self._readings: list[_Form] = []
        self._senses: list[_JapaneseSense] = []

    def declared(self, entity: str, is_parameter: bool, value: str | None, *external: str | None) -> None:
        _, system, _, _ = external  # expat gives base, system identifier, public identifier and notation
        if is_parameter or system is not None or value is None or "&" in value or len(value) > _ENTITY_LENGTH:
            raise DataError(
                f"{self.name}: entity {entity!r} refers to other entities or to a file, or is too long",
                "JMdict's entities are short names; take the file from its publisher.",
            )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "entry":
            self._spellings, self._readings, self._senses = [], [], []
        elif tag == "k_ele":
            self._spellings.append(_Form())
        elif tag == "r_ele":
            self._readings.append(_Form())
        elif tag == "sense":
            self._senses.append(_JapaneseSense())
        elif tag == "gloss":
            self._gloss_language = self._code(attributes.get("xml:lang", "eng"))
        self._into = [] if tag in _TEXTS else None

    def text(self, text: str) -> None:
        if self._into is not None:
            self._into.append(text)

    def other(self, text: str) -> None:
        if self._into is not None and text.startswith("&"):
            self._into.append(text[1:-1])

    def end(self, tag: str) -> None:
        if tag in _TEXTS and self._into is not None:
            self._keep(tag, normalise("".join(self._into)).strip())
        elif tag == "entry":
            self.read += 1
            self._finish()
        self._into = None

    def _keep(self, tag: str, text: str) -> None:
        if tag in ("pos", "misc", "gloss", "stagk", "stagr"):
            if not self._senses:
                return
            sense = self._senses[-1]
            if tag == "pos":
                sense.pos.append(text)
            elif tag in ("stagk", "stagr"):
                (sense.spellings if tag == "stagk" else sense.readings).append(text)
            elif tag == "misc":
                sense.kana = sense.kana or text in _KANA_ALONE
            else:
                sense.glosses.setdefault(self._gloss_language, []).append(text)
            return
        forms = self._spellings if tag[0] == "k" else self._readings
        if not forms:
            return
        form = forms[-1]
        if tag in ("keb", "reb"):
            form.text = text
        elif tag == "re_restr":
            form.only_of.append(text)
        elif tag.endswith("_inf"):
            form.usual = form.usual and text not in _UNUSUAL
            form.is_seen = form.is_seen and text not in _SEARCH_ONLY
        else:
            form.rank = min(form.rank, _priority(text))

    def _code(self, code: str) -> str:
        if code not in self._codes:
            try:
                self._codes[code] = language_code(code)
            except ConfigError:
                self._codes[code] = ""  # no living language: its glosses are no translations
        return self._codes[code]

    def _finish(self) -> None:
        readings = [form for form in self._readings if form.text]
        if not readings:
            self.skipped["without reading"] += 1
            return
        usual = [form for form in readings if form.usual] or [form for form in readings if form.is_seen] or readings
        spelling = next((form for form in self._spellings if form.text and form.usual), usual[0])
        usual = [form for form in usual if not form.only_of or spelling.text in form.only_of] or usual
        reading = usual[0]
        spellings = [form for form in self._spellings if form.text] or readings
        rank = min(form.rank for form in (*spellings, *readings))
        in_kana = next((sense.kana for sense in self._senses if "en" in sense.glosses), False)
        pos: list[str] = []
        numbers: Counter[str] = Counter()
        senses: dict[str, list[Sense]] = {}
        kinds: dict[str, str] = {}
        for sense in self._senses:
            english = "en" in sense.glosses
            pos = sense.pos or pos  # a sense without it has that of the sense before
            word = _shown(sense, reading, spelling, sense.kana if english else in_kana)
            for language, glosses in sense.glosses.items():
                if not language or (self.wanted and language not in self.wanted):
                    continue
                found = tuple(dict.fromkeys(phrase for gloss in glosses for phrase in phrases_of(gloss, language)))
                if not found:
                    continue
                senses.setdefault(word, []).append((numbers[language], language, found))
                numbers[language] += 1
                kinds.setdefault(word, _part_of_speech(pos))
        before = len(self.entries)
        several = False
        forms = tuple(form.text for form in (*spellings, *usual) if form.usual and is_single_word(form.text))
        for word, listed in senses.items():
            several = several or not is_single_word(word)
            if is_single_word(word):
                variants = tuple(dict.fromkeys(form for form in forms if form != word))
                self.entries.append(Entry(JAPANESE, word, tuple(listed), kinds[word], rank, variants))
        if len(self.entries) == before:
            self.skipped["of several words" if several else "without translation"] += 1


@dataclass(slots=True)
class _Form:
    """A spelling or reading, as far as it was read; a reading may be one of some spellings only."""

    text: str = ""
    usual: bool = True
    is_seen: bool = True
    only_of: list[str] = field(default_factory=list)
    rank: int = _UNRANKED


@dataclass(slots=True)
class _JapaneseSense:
    """A sense with its tags, the forms that it is limited to, and its glosses by language."""

    pos: list[str] = field(default_factory=list)
    spellings: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    kana: bool = False
    glosses: dict[str, list[str]] = field(default_factory=dict)


def _shown(sense: _JapaneseSense, reading: _Form, spelling: _Form, in_kana: bool) -> str:
    """Return the word that a sense is an explanation of, as it is written."""
    kind, form = (sense.readings, reading) if in_kana else (sense.spellings, spelling)
    return form.text if not kind or form.text in kind else kind[0]


def _priority(tag: str) -> int:
    if tag.startswith("nf") and tag[2:].isascii() and tag[2:].isdigit():
        return min(int(tag[2:]), 48)
    return _COMMON.get(tag, _UNRANKED)


def _part_of_speech(tags: list[str]) -> str:
    """Return the part of speech of a sense's first tag, an entity's name (``adj-i``) or its text (``adjective …``)."""
    if not tags:
        return ""
    head = _TAG_HEAD.split(tags[0].casefold().strip(" ("), maxsplit=1)[0]
    if head.startswith(("adj", "adv")):
        return "adjective" if head.startswith("adj") else "adverb"
    if head in _VERBS or _VERB.fullmatch(head):
        return "verb"
    return part_of_speech(head)
