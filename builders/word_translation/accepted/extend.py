"""From the table of 1.0 to that of 1.1: reviewed changes first, then rules, and a list of what changed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pivotlens.bench.versions import KANA, REVIEW
from pivotlens.text import fold

from everyday_nouns.dictionaries import Entry
from everyday_nouns.table import LANGUAGES
from longer_words_sources import Sources
from word_translation.accepted import chinese, japanese
from word_translation.accepted.gender import feminine
from word_translation.accepted.reviews import Change
from word_translation.accepted.spelling import english_spellings, french_spellings, spanish_spellings
from word_translation.evidence import plurals
from word_translation.flags import is_kana
from word_translation.frequency import zipf
from word_translation.lexicons import Lexicons, all_forms
from word_translation.table import Row, accepted_problem, stems

CHANGES_HEADER = ("concept_id", "language", "change", "place", "word", "rule")
PERSON = "00007846-n"
_MALE_OR_FEMALE = frozenset({"09624168-n", "09619168-n"})
_USUAL = 2.5  # the least Zipf frequency of a Japanese spelling that is usual
_OF_ONE_SEX = re.compile(r"\b(?:male|female|father|mother|man(?! or woman)|(?<!man or )woman)\b")
_CONVERSIONS = ("s2t", "s2tw", "s2hk", "s2twp", "t2tw", "t2hk", "t2s")


@dataclass(frozen=True)
class Asked:
    """What the rules ask.

    Attributes:
        lexicons: The dictionaries.
        frequency: Zipf frequency of a word of a language.
        conversions: OpenCC's, by name.
        own_words: Concepts of persons that accept a word, by language and folded word.
    """

    lexicons: Lexicons
    frequency: Callable[[str, str], float]
    conversions: Mapping[str, Callable[[str], str]]
    own_words: Mapping[tuple[str, str], frozenset[str]]

    def is_written(self, language: str, word: str) -> bool:
        """Whether somebody wrote a word, or a dictionary has it."""
        return self.frequency(language, word) > 0 or bool(self.lexicons.jmdict.entries(language, frozenset({word})))


Rule = Callable[[Row, str, Asked], Iterable[str]]


@dataclass(frozen=True)
class Left:
    """A word that was not added, and why."""

    concept_id: str
    language: str
    word: str
    rule: str
    why: str


@dataclass(frozen=True)
class Extended:
    """The table of 1.1.

    Attributes:
        rows: The concepts.
        changes: Lines of the shipped list of changes.
        left: Words that a rule or a review gave and that were not added.
        unlinked: Lines of the links of 1.0 that name a word which is accepted now.
        problems: Reviewed changes that cannot be made.
    """

    rows: list[Row]
    changes: list[tuple[str, ...]]
    left: list[Left]
    unlinked: list[str]
    problems: list[str]


def asked_of(lexicons: Lexicons, cache: Path, rows: Sequence[Row]) -> Asked:
    """Return what the rules ask; OpenCC is kept in the folder of downloads."""
    opencc = Sources(cache)
    owners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if is_person(row, lexicons):
            for language in LANGUAGES:
                for form in row.forms(language):
                    owners[language, form].add(row.concept_id)
    return Asked(
        lexicons,
        zipf,
        {name: opencc.conversion(name) for name in _CONVERSIONS},
        {key: frozenset(ids) for key, ids in owners.items()},
    )


def is_person(row: Row, lexicons: Lexicons) -> bool:
    """Whether WordNet has a concept among the persons."""
    return row.pos == "n" and PERSON in lexicons.wordnet.closure(row.synset)


def _gender(row: Row, word: str, sources: Asked, language: str) -> Iterator[str]:
    if row.pos == "a" and language != "de":
        yield from filter(None, [feminine(language, word, lambda form: sources.frequency(language, form))])
    elif is_person(row, sources.lexicons) and not _of_one_sex(row, sources):
        form = feminine(language, word, lambda form: sources.frequency(language, form))
        if form and (language == "de" or not _is_another_word(row, form, sources, language)):
            yield form


def _of_one_sex(row: Row, sources: Asked) -> bool:
    """Whether a person is male or female by meaning: a king, a nun, an actor beside whom an actress stands."""
    wordnet = sources.lexicons.wordnet
    gloss = wordnet.synsets[row.synset].gloss
    if _MALE_OR_FEMALE & wordnet.closure(row.synset) or _OF_ONE_SEX.search(gloss):
        return True
    return any(
        sources.own_words.get((language, form.casefold()), frozenset()) - {row.concept_id}
        for language in ("fr", "de", "es")
        for word in row.words[language]
        if (form := feminine(language, word, lambda form, code=language: sources.frequency(code, form)))  # type: ignore[misc]
    )


def _is_another_word(row: Row, form: str, sources: Asked, language: str) -> bool:
    """Whether FreeDict knows a feminine form, and only as something else: French *médecine* is medicine."""
    english = {
        head.removeprefix("to ") for head in sources.lexicons.freedict.translations(language, "en", form.casefold())
    }
    known = plurals(all_forms(row, "en"))
    known |= {word + "ess" for word in known} | {word[:-2] + "ress" for word in known if word.endswith(("er", "or"))}
    return bool(english) and not any(word in known for gloss in english for word in (gloss, *gloss.split()))


def _english_spelling(row: Row, word: str, sources: Asked) -> Iterator[str]:
    lemmas = {lemma.casefold() for lemma in sources.lexicons.wordnet.synsets[row.synset].lemmas}
    yield from english_spellings(word, lemmas)


def _french_spelling(row: Row, word: str, sources: Asked) -> Iterator[str]:
    del row
    yield from (form for form in french_spellings(word) if sources.is_written("fr", form) or "oe" in form)


def _spanish_spelling(row: Row, word: str, sources: Asked) -> Iterator[str]:
    del row
    yield from (form for form in spanish_spellings(word) if sources.is_written("es", form))


def _chinese_colour(row: Row, word: str, sources: Asked) -> Iterable[str]:
    del sources
    return chinese.colours(word) if _is_colour(row) else ()


def _is_colour(row: Row) -> bool:
    return row.pos == "a" and row.words["en"][0] in chinese.COLOURS


def _de(row: Row, word: str, sources: Asked) -> Iterable[str]:
    del sources
    return chinese.with_de(word) if row.pos == "a" else ()


def _di(row: Row, word: str, sources: Asked) -> Iterable[str]:
    del sources
    return chinese.with_di(word) if row.pos == "r" else ()


def _traditional(row: Row, word: str, sources: Asked) -> Iterable[str]:
    english = all_forms(row, "en")
    ending = next((sign for sign in "的地色" if len(word) > 1 and word.endswith(sign)), "")
    for stem in (word, word.removesuffix(ending)):
        entries = sources.lexicons.cedict.entries("zh", frozenset({stem}))
        meant = {entry.traditional for entry in entries if entry.words["en"] & english and not _variant(entry)}
        if meant:
            attested = {form + word.removeprefix(stem) for form in meant}
            return chinese.traditional(word, attested, sources.conversions)
    return chinese.traditional(word, (), sources.conversions)


def _taiwanese(row: Row, word: str, sources: Asked) -> Iterator[str]:
    """Yield Taiwan's word for the same, 軟體 for 软件, where CC-CEDICT gives it in this sense."""
    form = sources.conversions["s2twp"](word)
    if row.pos == "n" and form != sources.conversions["s2tw"](word):
        entries = sources.lexicons.cedict.entries("zh", frozenset({sources.conversions["t2s"](form)}))
        if any(entry.words["en"] & all_forms(row, "en") for entry in entries):
            yield form


def _variant(entry: Entry) -> bool:
    return any(gloss.startswith(("variant of", "old variant of")) for gloss in entry.words["en"])


def _in_sense(row: Row, word: str, sources: Asked) -> tuple[str, list[Entry]]:
    """Return the stem of a Japanese word under which JMdict has it in its sense, and the entries."""
    english = all_forms(row, "en")
    for stem in sorted(stems("ja", row.pos, word), key=len, reverse=True):
        entries = sources.lexicons.jmdict.entries("ja", frozenset({stem}))
        meant = [entry for entry in entries if entry.words.get("en", frozenset()) & english]
        if meant:
            return stem, meant
    return word, []


def _tags(word: str, sources: Asked) -> frozenset[str]:
    entries = sources.lexicons.jmdict.entries("ja", frozenset({word}))
    return frozenset(tag for entry in entries for tag in entry.tags)


def _japanese_spelling(row: Row, word: str, sources: Asked) -> Iterable[str]:
    stem, entries = _in_sense(row, word, sources)
    displayed, english = stems("ja", row.pos, row.words["ja"][0]), all_forms(row, "en")
    in_kana = any(
        entry.in_kana & english or ("ja:kana" in row.flags and entry.words["ja"] & displayed) for entry in entries
    )

    def is_usual(form: str) -> bool:
        ambiguous = len(sources.lexicons.jmdict.entries("ja", frozenset({form}))) > 1
        return sources.frequency("ja", form) >= _USUAL and not ambiguous

    forms = japanese.spellings(stem, entries, in_kana, is_usual)
    return japanese.with_ending(word, stem, (form for form in forms if not _is_particle(form, sources)))


def _is_particle(form: str, sources: Asked) -> bool:
    """Whether a form in kana is rather a particle: か for a mosquito, しか for a deer, のみ for a flea."""
    return is_kana(form) and (len(form) == 1 or any(tag.startswith("particle") for tag in _tags(form, sources)))


def _japanese_colour(row: Row, word: str, sources: Asked) -> Iterable[str]:
    del sources
    return japanese.colours(word) if _is_colour(row) else ()


def _japanese_ending(row: Row, word: str, sources: Asked) -> Iterable[str]:
    _, entries = _in_sense(row, word, sources)
    tags = frozenset(tag for entry in entries for tag in entry.tags)
    if row.pos == "a":
        forms = japanese.adjectives(word, tags or _tags(word, sources))
        return [form for form in forms if form.endswith("の")] if _is_colour(row) else forms
    return japanese.adverbs(word, tags) if row.pos == "r" else ()


def _in(language: str) -> Rule:
    return lambda row, word, sources: _gender(row, word, sources, language)


RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "en": (("spelling", _english_spelling),),
    "fr": (("feminine", _in("fr")), ("spelling", _french_spelling)),
    "de": (("feminine", _in("de")),),
    "es": (("feminine", _in("es")), ("spelling", _spanish_spelling)),
    "zh": (
        ("colour", _chinese_colour),
        ("的", _de),
        ("地", _di),
        ("Taiwan", _taiwanese),
        ("traditional", _traditional),
    ),
    "ja": (("spelling", _japanese_spelling), ("colour", _japanese_colour), ("ending", _japanese_ending)),
}


def extend(
    rows: Sequence[Row], distractors: Iterable[tuple[str, str]], links: str, reviewed: Iterable[Change], sources: Asked
) -> Extended:
    """Return the table with the words that reviews and rules add, behind those that it has.

    A word is left out where a shot concept and another one would share it, or a concept and one of its distractors.

    Args:
        rows: The table of 1.0.
        distractors: Pairs of a concept and one of its distractors.
        links: The file of linked words.
        reviewed: What the reviews add and take out.
        sources: What the rules ask.
    """
    table = _Table(rows, distractors)
    reviewed = list(reviewed)
    for change in reviewed:
        if change.change == "remove":
            table.review(change)
    _apply_rules(table, rows, sources, "")
    for change in reviewed:
        if change.change == "add":
            table.review(change)
    _apply_rules(table, rows, sources, f"{REVIEW}: ")
    extended = [table.row(row.concept_id) for row in rows]
    own = {row.concept_id: {form for code in LANGUAGES for form in row.forms(code)} for row in extended}
    unlinked = [line for line in links.splitlines()[1:] if _names_own(line, own)]
    changes = table.changes + [
        (concept, language, "unlinked", "", word, relation)
        for concept, language, word, relation in (line.split("\t") for line in unlinked)
    ]
    problems = table.problems + [
        f"accepted/review.tsv: {' '.join(key)} is to be removed, and nothing accepts it"
        for key, met in table.barred.items()
        if not met
    ]
    return Extended(extended, sorted(changes), table.left, unlinked, problems)


def _apply_rules(table: _Table, rows: Sequence[Row], sources: Asked, prefix: str) -> None:
    """Add what the rules make of the words that are there; in kana alone a word is often spelled as another."""
    for row in rows:
        for language, rules in RULES.items():
            for name, rule in rules:
                for word in table.words[row.concept_id][language][:]:
                    for form in rule(table.row(row.concept_id), word, sources):
                        kana = language == "ja" and is_kana(form)
                        table.add(row.concept_id, language, form, prefix + (KANA if kana else name))


def _names_own(line: str, own: Mapping[str, set[str]]) -> bool:
    concept, _, word, _ = line.split("\t")
    return word in own[concept]


class _Table:
    """The cells while they grow."""

    def __init__(self, rows: Sequence[Row], distractors: Iterable[tuple[str, str]]) -> None:
        self.rows = {row.concept_id: row for row in rows}
        self.words = {row.concept_id: {code: list(row.words[code]) for code in LANGUAGES} for row in rows}
        self.changes: list[tuple[str, ...]] = []
        self.left: list[Left] = []
        self.problems: list[str] = []
        self.barred: dict[tuple[str, str, str], bool] = {}
        self._near: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in distractors:
            self._near[one].add(other)
            self._near[other].add(one)
        self._holders: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for row in rows:
            for code in LANGUAGES:
                for word in row.words[code]:
                    self._holders[code, fold(word)].add(row.concept_id)

    def row(self, concept_id: str) -> Row:
        """Return a concept as it is now."""
        words = {code: tuple(found) for code, found in self.words[concept_id].items()}
        return replace(self.rows[concept_id], words=words)

    def review(self, change: Change) -> None:
        """Make a reviewed change."""
        if change.concept_id not in self.rows:
            self.problems.append(f"accepted/review.tsv: {change.concept_id} is no concept")
        elif change.change == "add":
            self.add(change.concept_id, change.language, change.word, "review")
        else:
            self._remove(change)

    def add(self, concept_id: str, language: str, word: str, rule: str) -> None:
        """Add a word to a cell, unless it stands there or would stand in a cell that must not share it."""
        holders = self._holders[language, fold(word)]
        if concept_id in holders:
            return
        if (concept_id, language, fold(word)) in self.barred:
            self.barred[concept_id, language, fold(word)] = True
            return
        why = accepted_problem(language, self.rows[concept_id].pos, word)
        for other in sorted(holders):
            if "shot" in (self.rows[concept_id].split, self.rows[other].split):
                why = f"a shot concept would share it with another: {other}"
            elif other in self._near[concept_id]:
                why = f"a distractor's word: {other}"
        if why:
            self.left.append(Left(concept_id, language, word, rule, why))
            return
        holders.add(concept_id)
        self.words[concept_id][language].append(word)
        self.changes.append((concept_id, language, "added", "", word, rule))

    def _remove(self, change: Change) -> None:
        """Take a word out; one that only a rule would add is kept out."""
        row, cell = self.rows[change.concept_id], self.words[change.concept_id][change.language]
        if change.word == cell[0] or row.reason(change.language, change.word):
            self.problems.append(
                f"accepted/review.tsv: {change.concept_id}: {change.language} {change.word} is displayed or has a "
                "stated reason, and cannot be removed"
            )
            return
        in_cell = change.word in cell
        self.barred[change.concept_id, change.language, fold(change.word)] = in_cell
        if in_cell:
            place = row.words[change.language].index(change.word)
            cell.remove(change.word)
            self._holders[change.language, fold(change.word)].discard(change.concept_id)
            self.changes.append((change.concept_id, change.language, "removed", str(place), change.word, "review"))
