"""The counts of random corpora against a plain loop over units with `collections.Counter`."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import orjson
import pytest
import regex

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from corpus_fixture import SHOTS, WORDS, write_bench, write_corpus, write_tokenizer

from pivotlens.corpus import split_units
from pivotlens.corpus.composing import by_lines
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.strata import OTHERS
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from pivotlens.text import fold

LONGER = ("山水", "水书")
_BENCHMARK_ZH = [form for c in (WORDS, SHOTS) for by in c.values() for form in by["zh"]]
_ZH = sorted([*LONGER, *_BENCHMARK_ZH], key=len, reverse=True)


def _found(language: str, forms: tuple[str, ...], text: str) -> bool:
    text = fold(text).replace("\n", " ")
    if language == "zh":
        return any(match in forms for match in regex.findall("|".join(map(regex.escape, _ZH)), text))
    edge = r"[[\p{L}\p{M}\p{N}_]--[\p{Han}]]"
    return any(regex.search(rf"(?V1)(?<!{edge}){regex.escape(form)}(?!{edge})", text) for form in forms)


def _with_footers(corpus: Path) -> Path:
    """End every other document with a numbered line that holds words, and return the corpus."""
    for path in corpus.glob("*.jsonl"):
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for number, row in enumerate(rows[::2]):
            row["text"] += f"\nle livre, eau {number}\nthe water"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return corpus


def _units(corpus: Path, length: int) -> tuple[list[tuple[str, int, str]], Counter, Counter]:
    """Return language, stratum and text of each unit, units by label, language and type, and lines left out by label.

    Boilerplate is told by a plain count, the language of each unit by itself. All are shorter than the second step.
    """
    rows = [orjson.loads(line) for path in sorted(corpus.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    documents = Counter(row["language"] for row in rows)
    lines = Counter((row["language"], key) for row in rows for key in {_key(line) for line in row["text"].split("\n")})
    units, kinds, dropped = [], Counter(), Counter()
    for row in rows:
        label = row["language"][:2]
        kept = [line for line in row["text"].split("\n") if not _recurs(row["language"], line, lines, documents)]
        dropped[label] += row["text"].count("\n") + 1 - len(kept)
        for unit in split_units("\n".join(kept), "characters", length):
            found = by_lines([unit], [label])
            own = found.composition.of_unit(0).get(found.languages[0], 0.0)
            others = round(int(found.composition.identified[0]) * (1 - own))
            units.append((found.languages[0], sum(others >= least for least in OTHERS) - 1, unit))
            kinds[label, found.languages[0], found.document_types[0]] += 1
    return units, kinds, dropped


def _standing(tokenizer: TextTokenizer, unit: str) -> set[int]:
    """Return the tokens that no letter goes on with."""
    ids = tokenizer.encode_batch([unit])[0].tolist()
    texts = [tokenizer.text(token) for token in ids]
    letter = regex.compile(r"(?V1)[[\p{L}\p{M}\p{N}_]--[\p{Han}]]")
    glued = [bool(letter.match(a[-1:]) and letter.match(b[:1])) for a, b in pairwise(texts)]
    return {token for token, cut in zip(ids, [*glued, False], strict=True) if not cut} if ids else set()


def _key(line: str) -> str:
    return regex.sub(r"[0-9 \t\r]", "", line)


def _recurs(language: str, line: str, lines: Counter, documents: Counter) -> bool:
    count = lines[language, _key(line)]
    return count >= 10 and count > 0.1 * documents[language] and bool(regex.search(r"\p{L}", _key(line)))


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_a_plain_counter(tmp_path: Path, seed: int) -> None:
    corpus = _with_footers(write_corpus(tmp_path / "corpus", seed=seed))
    spec = str(write_tokenizer(tmp_path / "model"))
    write_bench(tmp_path / "run")
    longer = tmp_path / "longer.tsv"
    longer.write_text("".join(f"{line}\n" for line in ("language\tword", *(f"zh\t{word}" for word in LONGER))))
    config = CountConfig(
        corpus=str(corpus), tokenizer=spec, longer_words=str(longer), unit_characters=100, sample=0, background=0
    )
    counts = count_corpus(config, tmp_path / "run")
    tokenizer = load_tokenizer(spec)

    word_df, pair_df, tokens, word_tokens, pair_tokens = Counter(), Counter(), Counter(), Counter(), Counter()
    units_of, word_strata, pair_strata = Counter(), Counter(), Counter()
    units, kinds, dropped = _units(corpus, 100)
    for language, stratum, unit in units:
        ids = _standing(tokenizer, unit)
        units_of[language, stratum] += 1
        tokens.update((language, stratum, token) for token in ids)
        there = {(c, code): by[code][0] for c, by in WORDS.items() for code in by if _found(code, by[code], unit)}
        for (_, code), word in there.items():
            word_df[code, word, language] += 1
            if code == language:
                word_strata[code, word, stratum] += 1
                word_tokens.update((code, word, token) for token in ids)
        for (concept, a), (other, b) in permutations(there, 2):
            if concept == other:
                pair_df[concept, a, b] += 1
                if a == language:
                    pair = (a, WORDS[concept][a][0], b, WORDS[concept][b][0])
                    pair_strata[(*pair, stratum)] += 1
                    pair_tokens.update((*pair, token) for token in ids)

    def table(name: str, *keys: str, value: str = "df") -> dict[tuple, int]:
        rows = counts.rows(name)
        found = {tuple(row[key] for key in keys): row[value] for row in rows if row[value]}
        assert len(found) == sum(row[value] > 0 for row in rows)
        return found

    assert table("words", "word_language", "word", "document_language") == dict(word_df)
    assert table("tokens", "document_language", "stratum", "token_id") == dict(tokens)
    assert table("strata", "language", "stratum", value="units") == dict(units_of)
    assert table("strata", "language", "stratum", value="units_sampled") == dict(units_of)
    assert table("word_tokens", "word_language", "word", "token_id") == dict(word_tokens)
    keys = ("word_language", "word", "other_language", "other", "token_id")
    assert table("pair_tokens", *keys) == dict(pair_tokens)
    assert table("word_strata", "word_language", "word", "stratum", value="n_sampled") == dict(word_strata)
    assert table("pair_strata", *keys[:4], "stratum", value="n_sampled") == dict(pair_strata)
    for row in counts.rows("pairs"):
        source, target = row["source_language"], row["target_language"]
        assert row["df_both"] == pair_df[row["concept_id"], source, target]
        by = WORDS[row["concept_id"]]
        assert row["df_source"] == sum(n for key, n in word_df.items() if key[:2] == (source, by[source][0]))
        assert row["df_target"] == sum(n for key, n in word_df.items() if key[:2] == (target, by[target][0]))
    assert len(counts.rows("pairs")) == len(WORDS) * 6
    by_language: Counter = Counter()
    for (code, _), n in units_of.items():
        by_language[code] += n
    assert {row["language"]: row["units"] for row in counts.rows("languages")} == by_language
    assert {(row["label"], row["language"], row["type"]): row["units"] for row in counts.rows("units")} == dict(kinds)
    lines = counts.rows("boilerplate")
    for rows in (lines, counts.rows("boilerplate_sources")):
        by_label: Counter = Counter()
        for row in rows:
            by_label[row["language"]] += row["dropped"]
        assert by_label == +dropped
    assert counts.manifest.details["boilerplate_dropped"] == dropped.total() > 0
    assert counts.manifest.details["boilerplate_lines"] == len(lines)
    for row in counts.rows("words"):
        own = row["document_language"] == row["word_language"]
        assert row["n_sampled"] == (row["df"] if own else 0)
    assert all(row["n_sampled"] == units_of[row["document_language"], row["stratum"]] for row in counts.rows("tokens"))
    assert {row["token_id"] for row in counts.rows("token_texts")} == {token for *_, token in tokens}
    assert sum(pair_df.values()) > 20
    assert sum(pair_tokens.values()) > 100
