"""A local index: its own engine against plain loops, and what is refused before the engine is asked."""

import random
import shutil

import pytest
from query_fixture import bench, slow_index, texts, write_model

from index_server import SlowIndex, write_index
from pivotlens.artifacts import schema_of
from pivotlens.cli.main import main
from pivotlens.count import CountConfig, count_corpus
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.query import QueryConfig, query_index
from pivotlens.query.agreement import agreement_rows, difference_rows
from pivotlens.query.asked import Query
from pivotlens.query.local import LocalIndex
from tokenizer_kinds import MAKERS

ENGINE = "infini-gram is not installed, so no local index is asked"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    pytest.importorskip("infini_gram", reason=ENGINE)
    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))


def config(folder, model, **settings):
    return QueryConfig(**{"index": (str(folder),), "tokenizer": str(model), "max_clause_freq": 10**6} | settings)


@pytest.mark.parametrize("width", [2, 4])
def test_the_engine_counts_as_plain_loops_do(tmp_path, width):
    """Random sequences and pairs, within reach and across documents; the width of a token is found by itself."""
    slow = slow_index(40)
    index = LocalIndex.open([write_index(tmp_path / "index", slow.documents, width)])
    assert (index.width, index.documents) == (width, 40)
    rng, flat = random.Random(0), [token for document in slow.documents for token in document]

    def sequence():
        place = rng.randrange(len(flat) - 3)
        return tuple(flat[place : place + rng.randint(1, 3)])

    assert index.ask(Query.of_form(())).count == len(slow.flat)
    for _ in range(40):
        ids = sequence()
        assert index.ask(Query.of_form(ids)).count == len(slow.places(ids))
    seen = set()
    for _ in range(80):
        clauses = tuple(tuple({sequence() for _ in range(rng.randint(1, 3))}) for _ in range(2))
        most = rng.choice([1, 3, 10, 100])
        answer = index.ask(Query(clauses, most, 10**6))
        assert (answer.count, answer.approx) == (slow.near(clauses, most), False), (clauses, most)
        seen.add(answer.count)
    assert len(seen) > 10


def test_the_engine_may_call_a_count_exact_that_is_not(tmp_path):
    """Why `subsampled` stands beside `approx`: below twice max_clause_freq the scale is cut off to 1."""
    slow = SlowIndex([[1, 3, *range(10, 20)]] * 150)
    index = LocalIndex.open([write_index(tmp_path / "index", slow.documents)])
    clauses = ((1,),), ((3,),)
    whole = index.ask(Query(clauses, 1, 150))
    assert (whole.count, whole.approx) == (150, False)
    less = index.ask(Query(clauses, 1, 100))
    assert less.count < 150
    assert not less.approx
    # And it drops an occurrence whose nearest neighbour on one side is in reach, but in another document.
    assert index.ask(Query(clauses, 50, 150)).count == slow.near(clauses, 50) == 1


def test_several_folders_are_read_as_one(tmp_path):
    slow = slow_index(20)
    folders = [write_index(tmp_path / name, slow.documents[half]) for name, half in
               (("a", slice(0, 10)), ("b", slice(10, 20)))]  # fmt: skip
    index = LocalIndex.open(folders)
    ids = slow.documents[-1][:1] or slow.documents[0][:1]
    assert index.ask(Query.of_form(tuple(ids))).count == len(slow.places(ids))
    assert index.documents == 20


def test_units_and_occurrences_are_held_against_each_other(tmp_path, model):
    """Of documents that are units, every word that is a token of its own is found in both."""
    import orjson

    (tmp_path / "corpus").mkdir()
    lines = b"\n".join(orjson.dumps({"text": text, "language": "en"}) for text in texts(60))
    (tmp_path / "corpus" / "a.jsonl").write_bytes(lines)
    run = bench(tmp_path / "run")
    counted = CountConfig(corpus=str(tmp_path / "corpus"), tokenizer=str(model), identify="label", boilerplate_share=0)
    count_corpus(counted, run)
    from tools.infini_gram_index import build

    build(str(tmp_path / "corpus"), str(model), tmp_path / "index")
    result = query_index(config(tmp_path / "index", model), run)
    slow = slow_index(60)
    assert result.manifest.inputs.keys() == {"bench", "count", "index", "tokenizer"}
    assert all(row["occurrences"] == len(slow.places(row["token_ids"])) for row in result.rows("forms"))
    rows = {(row["of"], row["language"], row["other_language"]): row for row in result.rows("agreement")}
    assert {key for key in rows if key[0] == "words"} == {("words", code, "") for code in ("en", "fr", "zh")}
    assert len(rows) == 6
    assert all(row["n"] == 4 and row["in_both"] + row["only_units"] + row["only_occurrences"] <= 4
               for row in rows.values())  # fmt: skip
    assert {row["difference"] for row in result.rows("differences")} >= {"fewer", "more"}
    assert result.manifest.details["documents"] == 60
    # The report shows them, labelled.
    assert main(["report", "--run", str(run)]) == 0
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "Beside the units of" in page
    assert "no document and no unit is counted" in page


def test_both_ways_to_sort_an_index_give_the_same_counts(tmp_path, model):
    from tools.infini_gram_index import sort_prefixes, sort_suffixes, write_tokens

    slow = slow_index(40)
    for name, sort in (("package", sort_suffixes), ("own", sort_prefixes)):
        assert write_tokens(iter(texts(40)), str(model), tmp_path / name) == 2
        sort(tmp_path / name, 2)
    both = [LocalIndex.open([tmp_path / name]) for name in ("package", "own")]
    for ids in {tuple(document[:n]) for document in slow.documents for n in (1, 2, 5)}:
        assert {index.ask(Query.of_form(ids)).count for index in both} == {len(slow.places(ids))}


def test_a_tokenizer_of_another_index_is_refused(tmp_path, model):
    folder = write_index(tmp_path / "index", slow_index(20).documents)
    other = write_model(tmp_path / "other", MAKERS["metaspace always"]())
    with pytest.raises(ConfigError, match=r"documents of .* give the tokens that are in it"):
        query_index(config(folder, other), bench(tmp_path / "run"))
    backwards = [document[::-1] for document in slow_index(20).documents]
    with pytest.raises(ConfigError, match="stand backwards: it is of version 5"):
        query_index(config(write_index(tmp_path / "v5", backwards), model), bench(tmp_path / "run2"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "table.0").unlink(), "1 tokenized.*, 0 table.*, 1 offset.*"),
        (lambda folder: (folder / "table.0").write_bytes(b"abc"), "does not fit"),
        (lambda folder: (folder / "offset.0").write_bytes(b"abc"), "does not fit"),
        (lambda folder: (folder / "tokenized.0").write_bytes(b""), "does not fit"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "no whole index"),
        (lambda folder: shutil.rmtree(folder), "there is no folder"),
    ],
)
def test_a_damaged_index_is_told_before_the_engine_reads_it(tmp_path, model, harm, said, capsys):
    folder = write_index(tmp_path / "index", slow_index(5).documents)
    harm(folder)
    arguments = ["query", "--run", str(bench(tmp_path / "run")), "--index", f"{folder}/", "--tokenizer", str(model)]
    assert main(arguments) == 4
    printed = capsys.readouterr().err
    assert said in " ".join(printed.split())
    assert "Traceback" not in printed


def test_without_the_engine_it_says_what_to_install(tmp_path, model, monkeypatch):
    folder = write_index(tmp_path / "index", slow_index(5).documents)
    monkeypatch.setattr("pivotlens.extras.is_installed", lambda package: package != "infini_gram")
    with pytest.raises(PrerequisiteError, match="a local index needs infini_gram"):
        query_index(config(folder, model), bench(tmp_path / "run"))


def test_a_changed_index_is_another_input(tmp_path):
    import os

    folder = write_index(tmp_path / "index", slow_index(5).documents)
    before = LocalIndex.open([folder]).fingerprint
    assert LocalIndex.open([folder]).fingerprint == before
    os.utime(folder / "table.0", ns=(1, 1))
    assert LocalIndex.open([folder]).fingerprint != before


def test_agreement_by_hand():
    words = [
        {"word_language": "en", "word": "a", "units": 2, "occurrences": 6},
        {"word_language": "en", "word": "b", "units": 4, "occurrences": 4},
        {"word_language": "en", "word": "c", "units": 5, "occurrences": 0},
        {"word_language": "en", "word": "d", "units": 0, "occurrences": 7},
        {"word_language": "en", "word": "e", "units": 0, "occurrences": 0},
    ]
    pair = {"concept_id": "x", "source_language": "en", "target_language": "fr", "co_occurrences": 3}
    mirrored = pair | {"source_language": "fr", "target_language": "en"}
    found = agreement_rows(words, [pair, mirrored], {("x", "en", "fr"): 2, ("x", "fr", "en"): 2})
    assert [row["of"] for row in found] == ["words", "pairs"]
    first, second = found
    assert (first["n"], first["in_both"], first["only_units"], first["only_occurrences"]) == (5, 2, 1, 1)
    assert (first["ratio_low"], first["ratio_median"], first["ratio_high"]) == pytest.approx((1.2, 2.0, 2.8))
    assert (second["n"], second["ratio_median"], second["rank_correlation"]) == (1, 1.5, None)
    assert set(first) == set(schema_of("query", "agreement").names)
    named = {(row["difference"], row["word"]) for row in difference_rows(words)}
    assert named == {("only_units", "c"), ("only_occurrences", "d"), ("fewer", "a"), ("fewer", "b"),
                     ("more", "a"), ("more", "b")}  # fmt: skip
    assert [row["word"] for row in difference_rows(words) if row["difference"] == "fewer"] == ["b", "a"]
