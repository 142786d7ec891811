"""What a user asks to see of the units behind a count or a pivot, looked up in the tables of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Benchmark, Counts, Pivots
from pivotlens.count.lookup import Wanted
from pivotlens.errors import ArtifactError, ConfigError, closest, did_you_mean
from pivotlens.text import Direction, language_code, parse_direction


@dataclass(frozen=True)
class Asked:
    """What units are to hold, as a user writes it.

    Attributes:
        words: Words, each as ``LANGUAGE:WORD``.
        pair: The two words of a concept, as ``SOURCE-TARGET:CONCEPT``.
        token: What a counted token writes.
        pivot: What the token of a mined pivot writes: one of the pair, or of the corpus where no pair is asked for.
        language: Language that the units are found to be in.
    """

    words: tuple[str, ...] = ()
    pair: str = ""
    token: str = ""
    pivot: str = ""
    language: str = ""


def wanted_units(run: Path, asked: Asked) -> list[Wanted]:
    """Return what is asked for, with how many such units were counted where the tables tell it.

    Of a pivot of a pair these are two: units of either language with its word, without the other, and with the pivot,
    as it was mined.

    Raises:
        ConfigError: Nothing is asked for, things that do not go together, or something that was not counted.
        PrerequisiteError: The run lacks a stage.
        ArtifactError: The pivots were mined from other counts.
    """
    if not (asked.words or asked.pair or asked.token or asked.pivot):
        raise ConfigError(
            "nothing is asked for", "Give --word fr:eau, --pair fr-zh:CONCEPT, --token or --pivot, or several of them."
        )
    if asked.token and asked.pivot:
        raise ConfigError("both --token and --pivot are given", "Give one of them.")
    if asked.pivot and asked.words:
        raise ConfigError("both --word and --pivot are given", "Give a pivot alone, or with --pair that of its words.")
    language = language_code(asked.language, "--language") if asked.language else ""
    counts = Counts.load(run)
    if asked.pivot and asked.pair:
        if language:
            raise ConfigError("--language is given with a pivot of a pair", "It is that of each word: leave it out.")
        return _of_pair_pivot(run, asked)
    words = [_word(counts, text) for text in asked.words]
    if asked.pair:
        words += _pair(run, asked.pair)[2]
    words = list(dict.fromkeys(words))
    tokens: tuple[int, ...] = ()
    if asked.token:
        tokens = _tokens(asked.token, counts.rows("token_texts"))
    elif asked.pivot:
        tokens = tuple(_pivot(asked.pivot, _mined(run, counts).rows("pivots"), "the corpus")["variant_ids"])
    title = " and ".join(
        [*(f"{word} ({code})" for code, word in words), *([repr(asked.token or asked.pivot)] if tokens else [])]
    )
    title += f" in units in {language}" if language else ""
    counted = None if tokens else _counted(counts, words, asked.pair, run, language)
    return [Wanted(title, tuple(words), tokens=tokens, language=language, counted=counted)]


def _counted(counts: Counts, words: Sequence[tuple[str, str]], pair: str, run: Path, language: str) -> int | None:
    """Return how many units hold all words, where one table tells it."""
    if len(words) == 1:
        (code, word), where = words[0], {"document_language": language} if language else {}
        return int(sum(counts.table("words", word_language=code, word=word, **where)["df"].to_pylist()))
    if not pair or len(words) > 2 or language:
        return None
    direction, concept, _ = _pair(run, pair)
    sides = {"source_language": direction.source, "target_language": direction.target}
    both = counts.table("pairs", concept_id=concept, **sides)["df_both"].to_pylist()
    return int(both[0]) if both else None


def _word(counts: Counts, text: str) -> tuple[str, str]:
    code, mark, word = text.partition(":")
    if not mark or not word:
        raise ConfigError(f"--word {text!r} is no language and word", "Write such as --word fr:eau.")
    code = language_code(code, "--word")
    rows = counts.table("words", word_language=code)
    known = sorted(set(rows["word"].to_pylist()))
    if not known:
        languages = sorted(set(counts.table("words")["word_language"].to_pylist()))
        raise ConfigError(f"--word {text!r}: no word in {code} was counted", f"Counted: {', '.join(languages)}.")
    if word not in known:
        raise ConfigError(f"--word {text!r}: {word!r} was not counted in {code}", _close(word, known))
    return code, word


def _pair(run: Path, text: str) -> tuple[Direction, str, list[tuple[str, str]]]:
    """Return the direction, the concept and its two words."""
    concepts = {concept.concept_id: concept for concept in Benchmark.load(run).test_concepts()}
    hint = "Write such as --pair fr-zh:CONCEPT; `pivotlens show RUN count/pairs` lists them."
    place = text.find(":")
    while place >= 0:
        direction, concept = text[:place], concepts.get(text[place + 1 :])
        if concept is not None:
            found = parse_direction(direction, "--pair")
            if missing := [code for code in found if code not in concept.words]:
                raise ConfigError(f"--pair {text!r}: {concept.concept_id!r} has no word in {missing[0]}", hint)
            return found, concept.concept_id, [(code, concept.words[code]) for code in found]
        place = text.find(":", place + 1)
    name = text.rpartition(":")[2]
    raise ConfigError(
        f"--pair {text!r} names no direction and concept of the benchmark", f"{_close(name, concepts)} {hint}"
    )


def _mined(run: Path, counts: Counts) -> Pivots:
    mined = Pivots.load(run)
    if mined.manifest.inputs.get("count") != counts.manifest.fingerprint:
        raise ArtifactError(
            f"{mined.folder} was mined from other counts than {counts.folder}",
            f"Run `pivotlens mine --run {run}` again.",
        )
    return mined


def _of_pair_pivot(run: Path, asked: Asked) -> list[Wanted]:
    counts = Counts.load(run)
    (source, target), concept, words = _pair(run, asked.pair)
    row = _pivot(asked.pivot, _mined(run, counts).of_pair(concept, source, target).to_pylist(), asked.pair)
    found = []
    for side, word, other in (("source", words[0], words[1]), ("target", words[1], words[0])):
        title = (
            f"{word[1]} ({word[0]}) and {asked.pivot!r}, without {other[1]} ({other[0]}), in "
            f"{row[f'df_{side}']:,} of the {row[f'n_{side}']:,} units that were drawn"
        )
        found.append(Wanted(title, (word,), (other,), tuple(row["variant_ids"]), word[0]))
    return found


def _pivot(text: str, rows: Sequence[Mapping[str, Any]], whose: str) -> Mapping[str, Any]:
    exactly = [row for row in rows if row["token"] == text]
    for row in exactly or [row for row in rows if row["token"].strip() == text.strip()]:
        return row
    known = [row["token"].strip() for row in rows]
    raise ConfigError(
        f"--pivot {text!r} is no mined pivot of {whose}", _close(text, known) if known else "It has none."
    )


def _tokens(text: str, rows: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    by_text: dict[str, list[int]] = {}
    for row in rows:
        by_text.setdefault(row["token"], []).append(row["token_id"])
    if text in by_text:
        return tuple(by_text[text])
    raise ConfigError(f"--token {text!r} was not counted", _close(text, by_text))


def _close(text: str, known: Iterable[str]) -> str:
    names = list(known)
    return did_you_mean(text, names) if len(names) <= 12 or closest(text, names) else "Nothing is alike."
