"""From counts and pivots to the units that hold them: against a plain loop over the corpus, and what is printed."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from corpus_fixture import SHOTS, WORDS, write_bench, write_corpus, write_tokenizer
from rich.cells import cell_len

from pivotlens.artifacts import Benchmark, Counts, Pivots
from pivotlens.cli import main
from pivotlens.corpus import Document, Shard, list_corpus, read_documents, split_units
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.asking import Asked, wanted_units
from pivotlens.count.lookup import Found, Unit, find_units, open_counted
from pivotlens.errors import ArtifactError, ConfigError, PivotLensError, PrerequisiteError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.text.folding import matching_form
from pivotlens.text.marking import Span, excerpts, word_spans
from pivotlens.text.matching import WordMatcher

ALL = 10**9


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A counted corpus with boilerplate; documents are cut into several units."""
    folder = tmp_path_factory.mktemp("units")
    write_corpus(folder / "corpus", files=2, documents=30)
    rows = [{"text": f"Footer of water page {n}\nune eau {chr(97 + n) * 3}", "language": "fr"} for n in range(15)]
    (folder / "corpus/footers.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    write_bench(folder / "run")
    config = CountConfig(
        corpus=str(folder / "corpus"), tokenizer=str(write_tokenizer(folder / "model")), unit_characters=80
    )
    count_corpus(config, folder / "run")
    return folder / "run"


def _find(run: Path, **asked: Any) -> list[Found]:
    return find_units(open_counted(run), wanted_units(run, Asked(**asked)), ALL)


def _units(found: Found) -> list[tuple[str, int, int]]:
    return [(unit.file, unit.row, unit.unit) for unit in found.units]


def _matcher() -> WordMatcher:
    """Return a matcher of all forms, and of the words of the shots as lexicon."""
    forms: dict[str, list[str]] = {}
    lexicon: dict[str, list[str]] = {}
    for accepted in WORDS.values():
        for language, words in accepted.items():
            forms.setdefault(language, []).extend(words)
    for accepted in (*WORDS.values(), *SHOTS.values()):
        lexicon.setdefault("zh", []).extend(accepted["zh"])
    return WordMatcher(forms, lexicon)


def _plain(run: Path, *wanted: tuple[str, str]) -> list[tuple[str, int, int]]:
    """Return the units that hold a form of each word, by a plain loop; footers are no part of a unit."""
    matcher, found = _matcher(), []
    corpus = Counts.load(run).manifest.config["corpus"]
    for file in list_corpus(corpus):
        for document in read_documents(Shard.whole(file)):
            assert isinstance(document, Document)
            lines = [line for line in document.text.split("\n") if not line.startswith("Footer")]
            for number, unit in enumerate(split_units("\n".join(lines), "characters", 80)):
                there = {matcher.entries[entry] for entry in matcher.match(unit).tolist()}
                if all(there & {(code, form) for form in WORDS[concept][code]} for code, concept in wanted):
                    found.append((document.file, document.row, number))
    return found


def test_units_of_every_word_are_those_of_a_plain_loop_and_as_many_as_were_counted(run: Path) -> None:
    for concept, words in WORDS.items():
        for language, forms in words.items():
            (found,) = _find(run, words=(f"{language}:{forms[0]}",))
            same = [name for name, others in WORDS.items() if others[language][0] == forms[0]]
            assert _units(found) == _plain(run, (language, concept)), (concept, language)
            assert same == [concept]
            assert found.complete
            assert len(found.units) == found.wanted.counted
            by_language = Counter(unit.language for unit in found.units)
            rows = Counts.load(run).table("words", word_language=language, word=forms[0]).to_pylist()
            assert by_language == Counter({row["document_language"]: row["df"] for row in rows if row["df"]})
            for code in by_language:
                (alone,) = _find(run, words=(f"{language}:{forms[0]}",), language=code)
                assert len(alone.units) == alone.wanted.counted == by_language[code]


def test_units_of_every_pair_are_those_of_a_plain_loop_and_as_many_as_were_counted(run: Path) -> None:
    pairs = Counts.load(run).rows("pairs")
    assert sum(row["df_both"] for row in pairs) > 20
    for row in pairs:
        source, target, concept = row["source_language"], row["target_language"], row["concept_id"]
        (found,) = _find(run, pair=f"{source}-{target}:{concept}")
        assert _units(found) == _plain(run, (source, concept), (target, concept))
        assert len(found.units) == row["df_both"]


def test_it_stops_with_the_last_unit_that_is_shown_or_that_there_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, (wanted,) = open_counted(run), wanted_units(run, Asked(words=("fr:eau",)))
    read: list[str] = []
    monkeypatch.setattr("pivotlens.count.lookup.Shard", _noting(read))
    (found,) = find_units(corpus, [wanted], 2)
    assert len(found.units) == 2
    assert not found.complete
    assert read == [corpus.files[0].name]
    (nothing,) = find_units(corpus, [type(wanted)("none", wanted.words, counted=0)], 5)
    assert nothing.complete
    assert not nothing.units
    assert len(read) <= 2


def _noting(read: list[str]) -> Any:
    class Noting:
        @staticmethod
        def whole(file: Any) -> Shard:
            read.append(file.name)
            return Shard.whole(file)

    return Noting


def test_what_is_found_is_marked(run: Path) -> None:
    (found,) = _find(run, pair="fr-zh:water")
    for unit in found.units:
        assert {mark.what for mark in unit.marks} == {"eau", "水"}
        for mark in unit.marks:
            word = matching_form(unit.text[mark.start : mark.end])
            assert word in {"eau": {"eau", "eaux"}, "水": {"水"}}[mark.what]
    assert not any("Footer" in unit.text for unit in _find(run, words=("fr:eau",))[0].units)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Water, watery WATER underwater", ("water",), ["Water", "WATER"]),
        ("cafe\u0301 CAFÉ".replace("e\u0301", "é"), ("café",), ["café", "CAFÉ"]),
        ("Stra\u00adße Strassen STRASSE", ("straße",), ["Stra\u00adße", "STRASSE"]),
        ("ice cream, ice  cream", ("ice cream", "ice"), ["ice cream", "ice"]),
        ("l’eau l'eau", ("l'eau",), ["l’eau", "l'eau"]),
        ("\U0001d400 🙂 x", ("x",), ["x"]),
    ],
)
def test_spans_are_where_the_matcher_finds_the_word(text: str, words: tuple[str, ...], expected: list[str]) -> None:
    matcher = WordMatcher({"en": words})
    spans = word_spans(text, words, lambda other: bool(matcher.match(other).size))
    assert [text[span.start : span.end] for span in spans] == expected


def test_a_word_within_a_longer_one_is_not_marked() -> None:
    matcher = WordMatcher({"zh": ["山"]}, {"zh": ["登山"]})
    assert word_spans("登山，山", ["山"], lambda text: bool(matcher.match(text).size)) == [Span(3, 4)]


def test_excerpts_are_cut_between_graphemes() -> None:
    text = "ক্ষি" * 9 + "水" + "👨‍👩‍👧" * 9
    ((start, end),) = excerpts(text, [Span(text.index("水"), text.index("水") + 1)], 2, 4)
    assert text[start:end] == "ক্ষি" * 2 + "水" + "👨‍👩‍👧" * 2


# -- tokens and pivots


def _with_tokens(run: Path, tokens: set[int]) -> dict[tuple[str, int, int], str]:
    """Return the units of the corpus that hold one of some tokens, by a plain loop, with their text."""
    config = Counts.load(run).manifest.config
    tokenizer, found = load_tokenizer(config["tokenizer"]), {}
    for file in list_corpus(config["corpus"]):
        for document in read_documents(Shard.whole(file)):
            assert isinstance(document, Document)
            for number, unit in enumerate(split_units(document.text, "characters", config["unit_characters"])):
                (ids,) = tokenizer.encode_batch([unit])
                texts = [tokenizer.text(one) for one in ids.tolist()]
                goes_on = [after[:1].isalpha() and before[-1:].isalpha() for before, after in pairwise(texts)]
                whole = np.array([*(not on for on in goes_on), True][: len(texts)], dtype=bool)
                if tokens & set(ids[whole].tolist()):
                    found[document.file, document.row, number] = unit
    return found


def test_units_of_pivots_hold_them(mined: Any) -> None:
    pivots = Pivots.load(mined.run)
    row = pivots.rows("pair_pivots")[0]
    concept, languages = row["concept_id"], (row["source_language"], row["target_language"])
    found = _find(mined.run, pair=f"{languages[0]}-{languages[1]}:{concept}", pivot=row["token"].strip())
    assert tuple(one.wanted.language for one in found) == languages
    holding = _with_tokens(mined.run, set(row["variant_ids"]))
    words = [f"{code}:{row[name]}" for code, name in zip(languages, ("source_word", "target_word"), strict=True)]
    for place, one in enumerate(found):
        assert one.complete
        (of_word,) = _find(mined.run, words=(words[place],), language=languages[place])
        (of_other,) = _find(mined.run, words=(words[1 - place],))
        without = set(_units(of_other))
        assert _units(one) == [unit for unit in _units(of_word) if unit in holding and unit not in without]
        for unit in one.units:
            assert any(mark.what.casefold() == row["token"].strip().casefold() for mark in unit.marks)
    assert len(found[0].units) >= row["df_source"] > 0
    assert len(found[1].units) >= row["df_target"] > 0
    best = pivots.best(1).to_pylist()[0]
    (of_corpus,) = _find(mined.run, pivot=best["token"])
    assert _units(of_corpus) == [*_with_tokens(mined.run, set(best["variant_ids"]))]


def test_a_token_is_asked_for_as_it_was_counted(mined: Any) -> None:
    tokens = Counts.load(mined.run).rows("token_texts")
    token = next(row for row in tokens if row["token"].strip().isalpha() and row["token"].startswith(" "))
    (found,) = _find(mined.run, token=token["token"])
    same = {row["token_id"] for row in tokens if row["token"] == token["token"]}
    assert _units(found) == [*_with_tokens(mined.run, same)]
    assert found.wanted.counted is None


# -- refusals


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing is asked for"),
        ({"words": ("eau",)}, "'eau' is no language and word"),
        ({"words": ("de:Wasser",)}, "no word in de was counted"),
        ({"words": ("fr:eux",)}, "'eux' was not counted in fr"),
        ({"words": ("xx-yy:z",)}, "unknown language 'xx-yy' in --word"),
        ({"pair": "fr-zh:watr"}, "names no direction and concept"),
        ({"pair": "fr-de:water"}, "'water' has no word in de"),
        ({"pair": "fr:water"}, "'fr' in --pair is not a translation direction"),
        ({"token": "nothing"}, "--token 'nothing' was not counted"),
        ({"token": "a", "pivot": "b"}, "both --token and --pivot"),
        ({"words": ("fr:eau",), "pivot": "b"}, "both --word and --pivot"),
        ({"pair": "fr-zh:water", "pivot": "b", "language": "fr"}, "--language is given with a pivot of a pair"),
    ],
)
def test_what_was_not_counted_is_refused(run: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        wanted_units(run, Asked(**asked))
    assert caught.value.hint


def test_pivots_must_be_mined_and_those_of_these_counts(run: Path, mined: Any, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="'mine'"):
        wanted_units(run, Asked(pivot="water"))
    with pytest.raises(ConfigError, match="'zzz' is no mined pivot of the corpus"):
        wanted_units(mined.run, Asked(pivot="zzz"))


def test_another_corpus_than_was_counted_is_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", files=1, documents=5)
    write_bench(tmp_path / "run")
    config = CountConfig(corpus=str(tmp_path / "corpus"), tokenizer=str(write_tokenizer(tmp_path / "model")))
    count_corpus(config, tmp_path / "run")
    (tmp_path / "corpus").rename(tmp_path / "moved")
    with pytest.raises(PivotLensError, match="there is no file or folder"):
        open_counted(tmp_path / "run")
    moved = open_counted(tmp_path / "run", str(tmp_path / "moved"))
    (wanted,) = wanted_units(tmp_path / "run", Asked(words=("fr:eau",)))
    short = type(wanted)(wanted.title, wanted.words, counted=10**6)
    with pytest.raises(ArtifactError, match="1,000,000 were counted"):
        find_units(moved, [short], ALL)
    (tmp_path / "moved/part-0.jsonl").write_bytes(b'{"text": "eau", "language": "fr"}\n')
    with pytest.raises(ArtifactError, match=r"corpus is not what .* was counted from") as caught:
        open_counted(tmp_path / "run", str(tmp_path / "moved"))
    assert "--corpus" in caught.value.hint
    assert Benchmark.load(tmp_path / "run")


# -- printed


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A counted corpus whose texts would act on a terminal, in scripts of every width and direction."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "corpus").mkdir()
    texts = {
        "fr": "avant \x1b[2J\u202e l'eau\t\n\n est [bold]là[/bold] \u0007 " + "très longue phrase " * 40,
        "zh": "这是水，" * 30,
        "en": "ป่าไม้ হিন্দি क्षत्रिय 👨‍👩‍👧 שָׁלוֹם می‌روم water " + "ก็ " * 90,
    }
    rows = [{"text": text, "language": code} for code, text in texts.items()]
    (folder / "corpus/a.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    write_bench(folder / "run")
    tokenizer = str(write_tokenizer(folder / "model"))
    config = CountConfig(corpus=str(folder / "corpus"), tokenizer=tokenizer, identify="label", boilerplate_share=0)
    count_corpus(config, folder / "run")
    return folder / "run"


def test_text_is_shown_harmless_and_within_the_width(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("fr:eau", "zh:水", "en:water"):
        assert main(["units", str(odd), "--word", word]) == 0
        said = capsys.readouterr().out
        assert f"[{word.partition(':')[2]}]" in said
        assert not set(said) & {"\x1b", "\x07", "\u202e", "\t"}
        assert all(cell_len(line) <= 120 for line in said.splitlines())
        assert "a.jsonl, row " in said
    main(["units", str(odd), "--word", "fr:eau"])
    said = capsys.readouterr().out
    assert "eau (fr): 1 units" not in said
    assert "eau (fr): 1 unit" in said
    assert "avant \\u001b[2J\\u202e l'[eau] est [bold]là[/bold] \\u0007 très" in said
    main(["units", str(odd), "--word", "en:water"])
    assert "می‌روم [water]" in " ".join(capsys.readouterr().out.split())


def test_json_holds_the_whole_text_and_the_marks(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units", str(odd), "--word", "zh:水", "--rows", "1", "--json"]) == 0
    ((found),) = json.loads(capsys.readouterr().out)
    assert found["complete"] is True
    assert found["wanted"]["counted"] == 1
    (unit,) = found["units"]
    assert unit["text"] == "这是水，" * 30
    assert [unit["text"][mark["start"] : mark["end"]] for mark in unit["marks"]] == ["水"] * 30
    assert {key: unit[key] for key in ("file", "row", "unit", "language", "label")} == {
        "file": "a.jsonl", "row": 2, "unit": 0, "language": "zh", "label": "zh",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--word", "fr:eux"], 2, "was not counted in fr"),
        (["--rows", "0", "--word", "fr:eau"], 2, "--rows 0 shows nothing"),
        ([], 2, "nothing is asked for"),
        (["--pivot", "water"], 3, "pivotlens mine"),
        (["--word", "fr:eau", "--corpus", "nowhere"], 4, "nowhere"),
    ],
)
def test_errors_end_with_their_code(
    odd: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["units", str(odd), *arguments]) == code
    assert said in capsys.readouterr().err


def test_units_are_plain_values() -> None:
    assert Unit.__dataclass_params__.frozen  # type: ignore[attr-defined]
