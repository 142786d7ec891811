"""The benchmark: word lists good and bad, splits, distractors, the bundled list."""

import csv
import hashlib
from importlib import resources

import pytest

from pivotlens.bench.config import BenchConfig
from pivotlens.bench.design import assign_splits, draw_distractors, seeded_order
from pivotlens.bench.inputs import BUNDLED
from pivotlens.bench.stage import STAGE, build_benchmark
from pivotlens.bench.wordlist import parse_word_list
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import Direction, fold


def word_list(n: int = 12, header: str = "concept\ten\tfr", cells: str = "w{0}\tm{0}") -> bytes:
    return "\n".join([header, *(f"c{i:02d}\t{cells.format(i)}" for i in range(n))]).encode() + b"\n"


# -- reading


def test_a_list_with_everything():
    content = (
        "\ufeffconcept_id\tsplit\tcalibration\tpos\tsynset\tnote\teng_Latn\tzho_Hans\r\n"
        "dog\ttest\t1\tnoun\t02084071-n\tx\tdog|hound| dog \t狗\r\n"
        "\r\n"
        "cafe\tshot\t0\tnoun\t\t\tcafe\u0301\t咖啡馆\r\n"
    ).encode()
    dog, cafe = parse_word_list(content, "list.tsv")
    assert (dog.concept_id, dog.split, dog.calibration, dog.pos, dog.synset) == (
        "dog", "test", True, "noun", "02084071-n",
    )  # fmt: skip
    assert dog.words == {"en": ("dog", "hound"), "zh": ("狗",)}
    assert cafe.calibration is False
    assert cafe.words["en"] == ("café",)
    assert dog.forms() == {("en", "dog"), ("en", "hound"), ("zh", "狗")}


def test_bands_and_flags():
    content = b"concept\tband\tflags\ten\tfr\tde\na\thigh\tfra:loanword; de:rare;fr:x:y\tb\tc\td\ne\t\t\tf\tg\th\n"
    first, second = parse_word_list(content, "l", ("en", "fr"))
    assert (first.band, first.flags) == ("high", {"fr": ("loanword", "x:y")})
    assert (second.band, second.flags) == ("", {})


@pytest.mark.parametrize("flags", ["loanword", "it:loanword", "fr:", "fr loanword", "fr:ok;de:"])
def test_bad_flags_name_the_line(flags):
    with pytest.raises(DataError, match="l, line 2: flags hold"):
        parse_word_list(f"concept\tflags\ten\tfr\na\t{flags}\tb\tc\n".encode(), "l")


def test_languages_are_kept_as_asked():
    concepts = parse_word_list(b"concept\ten\tfr\tde\na\tx\ty\tz\n", "l", ("deu", "en"))
    assert concepts[0].words == {"en": ("x",), "de": ("z",)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no concepts"),
        (b"concept\ten\tfr\n", "holds no concepts"),
        (b"word\ten\tfr\na\tb\tc\n", "line 1: the first column is 'word'"),
        (b"\nconcept\ten\tfr\na\tb\tc\n", "line 1"),
        (b"concept\ten\tklingonese\na\tb\tc\n", "line 1: column 'klingonese' is no language code"),
        (b"concept\ten\na\tb\n", "fewer than two languages"),
        (b"concept\ten\teng\na\tb\tc\n", "line 1.*'eng'.*'en'"),
        (b"concept\ten\tfr\na\tb\n", "line 2: 2 cells"),
        (b"concept\ten\tfr\n\na\tb\t\n", "line 3: no word in language 'fr'"),
        (b"concept\ten\tfr\na\tb\t | \n", "line 2: no word in language 'fr'"),
        (b"concept\ten\tfr\n\tb\tc\n", "line 2: the concept has no id"),
        (b"concept\ten\tfr\na\tb\tc\na\td\te\n", "concept 'a' stands there twice"),
        (b"concept\tsplit\ten\tfr\na\ttrain\tb\tc\n", "line 2: split is 'train'"),
        (b"concept\tcalibration\ten\tfr\na\tyes\tb\tc\n", "line 2: calibration is 'yes'"),
        (b"concept\ten\tfr\na\tb\tc\nd\t\xff\te\n", "line 3: not valid UTF-8"),
        (b"concept\ten\tfr\ra\tb\tc\rd\te\tf\r", "line ends"),
        (b"concept\ten\tfr\na\tb\t" + b"c" * 200_000 + b"\n", "field larger"),
    ],
)
def test_bad_lists_name_the_place(content, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_word_list(content, "list.tsv")
    assert caught.value.hint
    assert "list.tsv" in caught.value.message


def test_a_wanted_language_that_is_not_there():
    with pytest.raises(ConfigError, match="language 'zh'"):
        parse_word_list(word_list(), "list.tsv", ("en", "zh"))


def test_quotes_are_characters():
    (concept,) = parse_word_list(b"concept\ten\tfr\na\t\"b\tl'eau\n", "l")
    assert concept.words == {"en": ('"b',), "fr": ("l'eau",)}


# -- splits


def test_splits_follow_from_seed_and_names_alone():
    concepts = parse_word_list(word_list(30), "l")
    split = assign_splits(concepts, 5, 10, seed=1)
    again = assign_splits(list(reversed(concepts)), 5, 10, seed=1)
    shots = {c.concept_id for c in split if c.split == "shot"}
    assert len(shots) == 5
    assert shots == {c.concept_id for c in again if c.split == "shot"}
    assert [c.concept_id for c in split] == [c.concept_id for c in concepts]
    marked = {c.concept_id for c in split if c.calibration}
    assert len(marked) == 10
    assert not marked & shots
    assert shots != {c.concept_id for c in assign_splits(concepts, 5, 10, seed=2) if c.split == "shot"}


def test_one_more_concept_moves_few_others():
    concepts = parse_word_list(word_list(30), "l")
    fewer = seeded_order([c.concept_id for c in concepts[:-1]], 0, "shots")
    more = seeded_order([c.concept_id for c in concepts], 0, "shots")
    assert [name for name in more if name != concepts[-1].concept_id] == fewer


def test_shots_share_no_word_with_a_test_concept():
    content = word_list(12) + b"twin\tW3\tother\n"
    for seed in range(6):
        split = assign_splits(parse_word_list(content, "l"), 8, 5, seed)
        assert {c.concept_id for c in split if c.split == "shot"}.isdisjoint({"c03", "twin"})


def test_a_listed_shot_that_gives_an_answer_away_is_refused():
    content = b"concept\tsplit\ten\tfr\na\tshot\tbank\tbanque\nb\ttest\tshore|BANK\trive\nc\ttest\tx\ty\n"
    with pytest.raises(DataError, match="'a' shares the en word 'bank'"):
        assign_splits(parse_word_list(content, "l"), 5, 5, 0)


def test_a_listed_split_is_kept():
    content = b"concept\tsplit\tcalibration\ten\tfr\na\tshot\t\tb\tc\nd\ttest\t1\te\tf\ng\t\t\th\ti\n"
    split = assign_splits(parse_word_list(content, "l"), 5, 5, 0)
    assert [(c.split, c.calibration) for c in split] == [("shot", False), ("test", True), ("test", False)]


@pytest.mark.parametrize("n", [1, 5, 6])
def test_too_few_concepts(n):
    with pytest.raises(DataError, match=f"{n} concepts, too few for a shot pool of 5"):
        assign_splits(parse_word_list(word_list(n), "l"), 5, 5, 0)


def test_a_list_of_shots_alone_is_refused(tmp_path):
    path = tmp_path / "l.tsv"
    path.write_bytes(b"concept\tsplit\ten\tfr\na\tshot\tb\tc\nd\tshot\te\tf\n")
    with pytest.raises(DataError, match="test concepts"):
        build_benchmark(BenchConfig(words=str(path)), tmp_path / "run")


# -- distractors


def test_distractors_are_of_the_same_kind_and_share_no_word():
    rows = [f"n{i}\ttest\tnoun\ta{i}\tb{i}" for i in range(8)] + [f"v{i}\ttest\tverb\tc{i}\td{i}" for i in range(5)]
    rows += ["near\ttest\tnoun\tA1\tz", "s\tshot\tnoun\tq\tr"]
    concepts = parse_word_list(("concept\tsplit\tpos\ten\tfr\n" + "\n".join(rows)).encode(), "l")
    concepts = assign_splits(concepts, 5, 5, 0)
    drawn = draw_distractors(concepts, 4, 3)
    by_id = {concept.concept_id: concept for concept in concepts}
    assert set(drawn) == set(by_id) - {"s"}
    for name, others in drawn.items():
        assert len(set(others)) == 4
        for other in others:
            assert other not in (name, "s")
            assert by_id[other].pos == by_id[name].pos
            assert not by_id[other].forms() & by_id[name].forms()
    assert drawn == draw_distractors(list(reversed(concepts)), 4, 3)
    assert drawn != draw_distractors(concepts, 4, 4)
    with pytest.raises(DataError, match="has 4 possible distractors of the 5 wanted"):
        draw_distractors([c for c in concepts if c.pos == "verb"], 5, 0)


# -- the stage


def test_a_list_of_ones_own(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_bytes(word_list(20) + b"same\tPiano\tpiano\n")
    config = BenchConfig(words=str(path), distractors=4, shot_pool=6, calibration=7)
    benchmark = build_benchmark(config, tmp_path / "run")
    assert benchmark.languages == ("en", "fr")
    assert len(benchmark.shot_concepts()) == 6
    assert len(benchmark.test_concepts()) == 15
    assert len(benchmark.test_concepts(3)) == 3
    assert sum(concept.calibration for concept in benchmark.concepts.values()) == 7
    assert any("calibration set holds 7" in warning for warning in benchmark.manifest.warnings)
    tests = {concept.concept_id for concept in benchmark.test_concepts()}
    for concept in benchmark.test_concepts():
        assert len(concept.distractors) == 4
        assert set(concept.distractors) <= tests - {concept.concept_id}
    rows = benchmark.rows("items")
    assert {tuple(row["flags"]) for row in rows if row["concept_id"] == "same"} == {
        ("same_spelling:fr",), ("same_spelling:en",),
    }  # fmt: skip
    assert all(row["flags"] == [] for row in rows if row["concept_id"] != "same")
    assert benchmark.concepts["same"].same_spelling(Direction("en", "fr"))
    assert "no dictionary" in benchmark.manifest.details["distractor_rule"]
    assert STAGE.plan(config, tmp_path / "run").reason is None
    path.write_bytes(word_list(21))
    assert "input words changed" in str(STAGE.plan(config, tmp_path / "run").reason)


def test_bands_and_flags_reach_the_benchmark(tmp_path):
    path = tmp_path / "words.tsv"
    rows = [
        f"c{n}\t{'low' if n % 2 else ''}\t{'fr:rare' if n % 3 else ''}\tw{n}\t{'w' if n == 4 else 'm'}{n}\n"
        for n in range(20)
    ]
    path.write_text("concept\tband\tflags\ten\tfr\n" + "".join(rows))
    benchmark = build_benchmark(BenchConfig(words=str(path), shot_pool=5), tmp_path / "run")
    assert benchmark.concepts["c1"].band == "low"
    assert benchmark.concepts["c1"].flags == {"fr": ("rare",)}
    assert (benchmark.concepts["c0"].band, benchmark.concepts["c0"].flags) == ("", {})
    assert benchmark.concepts["c4"].flags == {"en": ("same_spelling:fr",), "fr": ("same_spelling:en", "rare")}
    assert {row["band"] for row in benchmark.rows("items")} == {"low", None}
    assert all(concept.tiers == {} for concept in benchmark.test_concepts())


def test_directions_of_a_benchmark(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_bytes(word_list(20, "concept\ten\tfr\tzh", "w{0}\tm{0}\t字{0}"))
    benchmark = build_benchmark(BenchConfig(words=str(path), shot_pool=5), tmp_path / "run")
    assert [str(d) for d in benchmark.directions(())] == ["en-fr", "en-zh", "fr-en", "fr-zh", "zh-en", "zh-fr"]
    assert benchmark.directions(("fr-zh", "fra→cmn", "zh:en")) == [Direction("fr", "zh"), Direction("zh", "en")]
    with pytest.raises(ConfigError, match="language 'de' of fr-de"):
        benchmark.directions(("fr-de",))


@pytest.mark.parametrize("words", ["no/such/list.tsv", "everyday-noun", "."])
def test_a_list_that_cannot_be_read(words, tmp_path):
    with pytest.raises(DataError, match="cannot read the word list"):
        build_benchmark(BenchConfig(words=words), tmp_path)


@pytest.fixture(scope="module", params=sorted(BUNDLED))
def bundled(request, tmp_path_factory):
    return build_benchmark(BenchConfig(words=request.param), tmp_path_factory.mktemp("bundled"))


def test_the_bundled_list_keeps_the_rules_of_the_method(bundled):
    tests, shots = bundled.test_concepts(), bundled.shot_concepts()
    assert len(bundled.languages) >= 5
    assert sum(concept.calibration for concept in tests) >= 100
    assert not any(concept.calibration for concept in shots)
    ids = {concept.concept_id for concept in tests}
    forms = {
        key: {(language, fold(word)) for language, words in c.accepted.items() for word in words}
        for key, c in bundled.concepts.items()
    }
    for concept in tests:
        assert len(set(concept.distractors)) == 9
        assert set(concept.tiers) == set(concept.distractors)
        assert set(concept.tiers.values()) <= {0, 1, 2, 3}
        assert set(concept.distractors) <= ids - {concept.concept_id}
        for other in concept.distractors:
            assert bundled.concepts[other].pos == concept.pos
            assert not forms[other] & forms[concept.concept_id], (concept.concept_id, other)
            # no translation link and no hypernym or hyponym, as far as the list knows
            forbidden = ("synonym", "hypernym", "hyponym")
            linked = {(language, fold(word)) for language, word, relation in concept.links if relation in forbidden}
            shown = {(language, fold(word)) for language, word in bundled.concepts[other].words.items()}
            assert not linked & shown, (concept.concept_id, other, linked & shown)
        for shot in shots:
            assert not forms[shot.concept_id] & forms[concept.concept_id]
    for concept in bundled.concepts.values():
        assert set(concept.words) == set(bundled.languages)
        assert all(concept.words[language] == concept.accepted[language][0] for language in bundled.languages)


def test_the_bundled_files_hang_together(bundled):
    def rows(name):
        content = resources.files("pivotlens.bench").joinpath("data", name).read_text(encoding="utf-8")
        return list(csv.DictReader(content.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))

    stem = BUNDLED[bundled.manifest.config["words"]]
    assert {row["concept_id"] for row in rows(f"{stem}_links.tsv")} <= set(bundled.concepts)
    assert {row["concept_id"] for row in rows(f"{stem}_distractors.tsv")} == {
        concept.concept_id for concept in bundled.test_concepts()
    }
    assert bundled.table("distractors").num_rows == 9 * len(bundled.test_concepts())


def test_a_limit_is_told_and_so_is_its_looser_rule(tmp_path):
    benchmark = build_benchmark(BenchConfig(words="everyday-nouns", limit_concepts=15), tmp_path)
    assert len(benchmark.test_concepts()) == 15
    kept = {concept.concept_id for concept in benchmark.test_concepts()}
    assert all(set(concept.distractors) <= kept for concept in benchmark.test_concepts())
    assert any(warning.startswith("limit_concepts = 15") for warning in benchmark.manifest.warnings)
    assert "no dictionary" in benchmark.manifest.details["distractor_rule"]


def test_a_limit_leaves_out_the_rare_parts_of_speech_that_have_too_few_distractors_then(tmp_path):
    benchmark = build_benchmark(BenchConfig(limit_concepts=40), tmp_path)
    tests = benchmark.test_concepts()
    assert 9 < len(tests) < 40
    assert any("left out" in warning for warning in benchmark.manifest.warnings)
    for concept in tests:
        assert {benchmark.concepts[other].pos for other in concept.distractors} == {concept.pos}


def test_a_limit_below_the_distractors_says_so(tmp_path):
    with pytest.raises(ConfigError, match="limit_concepts = 9 leaves too few concepts for distractors = 9"):
        build_benchmark(BenchConfig(limit_concepts=9), tmp_path)


def test_languages_of_the_bundled_list_can_be_chosen(tmp_path):
    benchmark = build_benchmark(BenchConfig(languages=("zh", "fr")), tmp_path)
    assert set(benchmark.languages) == {"fr", "zh"}
    with pytest.raises(ConfigError, match="'sw'"):
        build_benchmark(BenchConfig(languages=("fr", "sw")), tmp_path / "other")


def test_two_runs_give_the_same_bytes(bundled, tmp_path):
    again = build_benchmark(BenchConfig(words=bundled.manifest.config["words"]), tmp_path)
    for name in ("items.parquet", "distractors.parquet", "links.parquet", "manifest.json"):
        one, other = (hashlib.sha256((result.folder / name).read_bytes()).hexdigest() for result in (bundled, again))
        assert one == other, name


def test_the_version_of_a_bundled_list_is_told_and_an_older_one_can_be_had(tmp_path):
    now, first = (build_benchmark(BenchConfig(words=f"word-translation{at}"), tmp_path / at) for at in ("", "@1.0"))
    versions = [(one.manifest.details["word_list"], one.manifest.details["word_list_version"]) for one in (now, first)]
    assert versions == [("word-translation", "1.1"), ("word-translation", "1.0")]
    assert now.table("distractors").equals(first.table("distractors"))
    farmer = [benchmark.concepts["farmer.n"].accepted["fr"] for benchmark in (now, first)]
    assert farmer[1] == ("agriculteur", "fermier")
    assert {*farmer[1], "fermière"} <= set(farmer[0])
    with pytest.raises(DataError, match=r"'word-translation' has no version '0\.9'"):
        build_benchmark(BenchConfig(words="word-translation@0.9"), tmp_path / "none")


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_every_bundled_list_makes_a_benchmark(name, tmp_path):
    benchmark = build_benchmark(BenchConfig(words=name), tmp_path)
    assert benchmark.languages == ("en", "fr", "de", "es", "zh", "ja")
    tests = {concept.concept_id: concept for concept in benchmark.test_concepts()}
    for concept in tests.values():
        assert len(concept.distractors) == len(concept.tiers) == 9
        assert {tests[other].pos for other in concept.distractors} == {concept.pos}
        assert set(concept.flags) <= set(benchmark.languages)
    assert len(benchmark.shot_concepts()) >= 20
