"""The API of infini-gram: a server on this machine answers as its documentation says, and fails as servers do."""

import json
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import orjson
import pytest
from query_fixture import bench, slow_index, tokenizer, write_model

from index_server import INDEX, Failure, index_server
from pivotlens.artifacts import IndexCounts
from pivotlens.cli.main import main
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.query import QueryConfig, query_index
from pivotlens.query.api import PublicIndex
from pivotlens.query.asked import Answer, Query

NOW = {"Retry-After": "0"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))
    with index_server(slow_index(30), tokenizer()) as server:
        yield server


def config(server, model, **settings):
    defaults = {"index": (INDEX,), "tokenizer": str(model), "endpoint": server.address, "queries_per_second": 2000}
    return QueryConfig(**defaults | settings)


def ids(text):
    return tuple(tokenizer().encode(text).ids)


def test_counts_are_those_of_the_server(server, model):
    index, slow = PublicIndex(INDEX, config(server, model)), server.index
    answer = index.ask(Query.of_form(ids(" water")))
    assert answer == Answer(len(slow.places(ids(" water"))), approx=False, tokens=("Ġwater",))
    assert index.ask(Query.of_form(())).count == len(slow.flat)
    pair = Query(((ids(" water"), ids("Water")), (ids(" eau"),)), 7, 1000)
    server.approx = True
    assert index.ask(pair) == Answer(slow.near(pair.clauses, 7), approx=True)
    assert server.asked[-1] == {
        "index": INDEX, "query_type": "count", "query_ids": pair.nested, "max_clause_freq": 1000, "max_diff_tokens": 7,
    }  # fmt: skip
    assert server.asked[0] == {"index": INDEX, "query_type": "count", "query_ids": list(ids(" water"))}


@pytest.mark.parametrize(
    "failure",
    [
        Failure(429, headers=NOW), Failure(429, headers={"Retry-After": formatdate(0, usegmt=True)}),
        Failure(500, b'{"error": "[Flask] Web request timed out."}', NOW), Failure(502, b"<html>", NOW),
        Failure(503, b"", NOW), Failure(504, b"", NOW),
    ],
)  # fmt: skip
def test_a_failure_in_passing_is_asked_again(server, model, failure):
    index = PublicIndex(INDEX, config(server, model))
    server.failures = [failure, failure]
    assert index.ask(Query.of_form(ids(" water"))).count == len(server.index.places(ids(" water")))
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure(0), "RemoteDisconnected"),
        (Failure(200, b"<html>a proxy</html>"), "no JSON object"),
        (Failure(200, b"[1, 2"), "no JSON object"),
        (Failure(200, b"{}", seconds=0.5), "timed out"),
        (Failure(503, b'{"error": "busy\\u001b[31m"}', NOW), "status 503: busy"),
    ],
)
def test_retries_end_and_say_what_failed(server, model, failure, said, monkeypatch):
    monkeypatch.setattr("pivotlens.query.api._LONGEST_WAIT", 0.01)
    index = PublicIndex(INDEX, config(server, model, retries=2, timeout=0.2))
    server.failures = [failure] * 3
    with pytest.raises(PrerequisiteError, match="did not answer in 3 attempts") as found:
        index.ask(Query.of_form(ids(" water")))
    assert said in str(found.value)
    assert "every answer so far is kept" in found.value.hint
    assert len(server.asked) == 3


def test_nobody_there_ends_with_code_3(server, model, tmp_path, capsys):
    run = bench(tmp_path / "run")
    arguments = ["query", "--run", str(run), "--index", INDEX, "--tokenizer", str(model), "--retries", "0"]
    assert main([*arguments, "--endpoint", "http://127.0.0.1:9/"]) == 3
    said = capsys.readouterr().err
    assert "ConnectionRefusedError" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b'{"error": "Some item(s) in your query_ids are out-of-range!"}', ConfigError, "out-of-range"),
        (b'{"approx": false}', DataError, "count = None"),
        (b'{"count": -1, "approx": false}', DataError, "count = -1"),
        (b'{"count": true}', DataError, "count = True"),
        (b'{"count": "12", "approx": false}', DataError, "count = '12'"),
        (b'{"count": 1.5}', DataError, "count = 1.5"),
        (b'{"count": 1, "approx": "no"}', DataError, "approx = 'no'"),
    ],
)
def test_an_answer_that_says_no_or_is_none_ends_at_once(server, model, content, error, said):
    server.failures = [Failure(200, content)]
    with pytest.raises(error, match=said):
        PublicIndex(INDEX, config(server, model)).ask(Query.of_form(ids(" water")))
    assert len(server.asked) == 1


def test_a_refused_index_ends_with_code_2(server, model, tmp_path, capsys):
    run = bench(tmp_path / "run")
    arguments = ["query", "--run", str(run), "--tokenizer", str(model), "--endpoint", server.address]
    assert main([*arguments, "--index", "v4_typo"]) == 2
    assert "Invalid index: v4_typo" in capsys.readouterr().err
    assert len(server.asked) <= QueryConfig().at_once


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"index": ()}, "no index"), ({"tokenizer": ""}, "no tokenizer"), ({"index": ("a", "b")}, "one index"),
        ({"max_diff_tokens": 1001}, "more than the API takes"),
        ({"max_clause_freq": 500_001}, "more than the API takes"),
    ],
)  # fmt: skip
def test_settings_that_the_api_would_not_take_are_refused_without_asking(server, model, tmp_path, settings, said):
    with pytest.raises(ConfigError, match=said):
        query_index(config(server, model, **settings), bench(tmp_path / "run"))
    assert not server.asked


def test_another_address_than_of_a_web_server_is_refused(server, model):
    with pytest.raises(ConfigError, match="no address of a web server"):
        QueryConfig.build({"command line": {"endpoint": "file:///etc/passwd"}})


def test_the_pace_is_kept_by_all_threads(server, model, tmp_path):
    began = time.monotonic()
    query_index(config(server, model, queries_per_second=200, at_once=8), bench(tmp_path / "run"))
    assert time.monotonic() - began >= (len(server.asked) - 1) / 200


def test_a_wrong_tokenizer_is_told_from_the_answers(server, tmp_path):
    from tokenizer_kinds import MAKERS

    other = write_model(tmp_path / "other", MAKERS["byte-level"]())
    with pytest.raises(ConfigError, match=r"token \d+ of index 'v4_tiny_llama' is .* and of tokenizer .*other"):
        query_index(config(server, other), bench(tmp_path / "run"))


def test_the_whole_stage_equals_plain_loops(server, model, tmp_path):
    """Every table of counts, against the slow index and the definition of the forms."""
    result = query_index(config(server, model, forms=("space", "space_capital", "line")), bench(tmp_path / "run"))
    slow = server.index
    forms = result.rows("forms")
    assert all(row["occurrences"] == len(slow.places(row["token_ids"])) for row in forms)
    assert all(ids(f"a{row['text']}")[1:] == tuple(row["token_ids"]) for row in forms if row["form"][:5] == "space")
    named = {(row["word_language"], row["word"]): row for row in result.rows("words")}
    for (language, word), row in named.items():
        own = [one for one in forms if (one["word_language"], one["word"]) == (language, word)]
        assert row["occurrences"] == sum(one["occurrences"] for one in own)
        assert row["n_forms"] == len(own)
    assert named["zh", "水"]["occurrences"] > 0
    from corpus_fixture import WORDS

    for row in result.rows("pairs"):
        sides = []
        for side in ("source", "target"):
            language = row[f"{side}_language"]
            word = WORDS[row["concept_id"]][language][0]
            assert row[f"occurrences_{side}"] == named[language, word]["occurrences"]
            own = [one for one in forms if (one["word_language"], one["word"]) == (language, word)]
            assert {one["in_pairs"] for one in own if not one["occurrences"]} <= {False}
            kept = sorted((-one["occurrences"], one["token_ids"]) for one in own if one["occurrences"])[:4]
            assert {tuple(one["token_ids"]) for one in own if one["in_pairs"]} == {tuple(each) for _, each in kept}
            sides.append([each for _, each in kept])
        alike = sides[0] == sides[1]
        expected = slow.near(sides, 100) if all(sides) and not alike else row["occurrences_source"] * alike
        assert row["co_occurrences"] == expected, row
        assert (row["approx"], row["subsampled"]) == (False, False)
    spelled = [row for row in result.rows("pairs") if row["concept_id"] == "impossible" and "zh" not in row.values()]
    assert spelled
    assert all(row["co_occurrences"] == row["occurrences_source"] > 0 for row in spelled)
    assert result.tokens == len(slow.flat)
    details = result.manifest.details
    assert details["queries"] == len(server.asked) == len({orjson.dumps(one) for one in server.asked})


def test_what_was_answered_is_never_asked_again(server, model, tmp_path):
    run, other = bench(tmp_path / "run"), bench(tmp_path / "other")
    server.failures = [*[None] * 20, Failure(400, b'{"error": "no"}')]
    with pytest.raises(ConfigError):
        query_index(config(server, model, at_once=1), run)
    before = len(server.asked)
    result = query_index(config(server, model), run)
    whole = [orjson.dumps(one) for one in server.asked]
    assert before in (21, 22)  # the next one may be under way
    assert len(whole) == len(set(whole)) + 1  # the one that failed
    # Neither another run nor one without a network asks anything.
    again = query_index(config(server, model, offline=True), other)
    assert len(server.asked) == len(whole)
    for name in ("words", "forms", "pairs"):
        assert (other / f"query/{name}.parquet").read_bytes() == (run / f"query/{name}.parquet").read_bytes()
    assert again.manifest.fingerprint == result.manifest.fingerprint


def test_offline_without_answers_says_how_many_are_missing(server, model, tmp_path):
    with pytest.raises(PrerequisiteError, match=r"\d+ of \d+ answers of v4_tiny_llama are not in .*jsonl"):
        query_index(config(server, model, offline=True), bench(tmp_path / "run"))
    assert not server.asked


def test_a_torn_line_of_the_kept_answers_is_asked_again(server, model, tmp_path):
    query_index(config(server, model), bench(tmp_path / "run"))
    asked = len(server.asked)
    [kept] = (tmp_path / "cache" / "infini-gram").iterdir()
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:-2]) + b'["not", "an", "answer"]\n' + lines[-1][:-9])
    query_index(config(server, model), bench(tmp_path / "other"))
    assert len(server.asked) == asked + 2
    assert (tmp_path / "other/query/pairs.parquet").read_bytes() == (tmp_path / "run/query/pairs.parquet").read_bytes()


def test_a_kill_loses_no_answer(server, model, tmp_path):
    run, server.seconds = bench(tmp_path / "run"), 0.05
    command = [sys.executable, "-m", "pivotlens", "query", "--run", str(run), "--index", INDEX, "--tokenizer",
               str(model), "--endpoint", server.address, "--queries-per-second", "1000", "--at-once", "2"]  # fmt: skip
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    folder = tmp_path / "cache" / "infini-gram"
    deadline = time.monotonic() + 60
    while sum(path.read_bytes().count(b"\n") for path in folder.glob("*")) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.seconds = 0.0
    time.sleep(0.2)
    kept = {orjson.dumps(json.loads(line)[0]["query_ids"]) for path in folder.glob("*")
            for line in path.read_text().splitlines() if line.endswith("]")}  # fmt: skip
    assert len(kept) >= 6
    before = len(server.asked)
    result = query_index(config(server, model), run)
    assert not kept & {orjson.dumps(one["query_ids"]) for one in server.asked[before:]}
    assert isinstance(result, IndexCounts)
    whole = bench(tmp_path / "whole")
    query_index(config(server, model), whole)
    assert (whole / "query/pairs.parquet").read_bytes() == (run / "query/pairs.parquet").read_bytes()


def test_the_number_of_queries_is_told_before_the_first(server, model, tmp_path, monkeypatch):
    from pivotlens.progress import install_announcer

    told = []
    install_announcer(lambda message: told.append((message, len(server.asked))))
    result = query_index(config(server, model, queries_per_second=1000), bench(tmp_path / "run"))
    [(message, asked)] = told
    assert asked == 0
    forms = len({tuple(row["token_ids"]) for row in result.rows("forms")}) + 1
    assert f"{forms} queries for forms of words, of which {forms} are still to be asked, and at most 12 for" in message


def test_approximate_counts_stay_marked(server, model, tmp_path):
    server.approx = True
    result = query_index(config(server, model, max_clause_freq=3), bench(tmp_path / "run"))
    rows = result.rows("pairs")
    assert any(row["approx"] for row in rows)
    for row in rows:
        most = max(row["occurrences_source"], row["occurrences_target"])
        alike = row["concept_id"] == "impossible" and "zh" not in row.values()
        if min(row["occurrences_source"], row["occurrences_target"]) and not alike:
            assert row["approx"]
            assert row["subsampled"] == (most > 3)
    said = " ".join(result.manifest.warnings)
    assert "counts of pairs approximate" in said
    assert "up to half too low" in said
    assert Path(result.folder).name == "query"
