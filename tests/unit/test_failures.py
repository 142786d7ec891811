"""Kinds of wrong answers: the rule on answers made by hand, the tables against plain loops, the labelled sample."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from report_words import HOSTILE
from tools.failure_labels.__main__ import SAMPLES, confusion, read_labelled

from pivotlens.artifacts import Concept, Scores, Trace
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.harness.documents import open_benchmark
from pivotlens.report import blocks as b
from pivotlens.report.run_tables import RunTables
from pivotlens.report.sections.failures import FAILURE_NAMES, failures
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model
from pivotlens.statistics.kappa import cohen_kappa
from pivotlens.text import Direction, parse_direction
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.failures import failure_rows
from pivotlens.trace.stage import trace_model
from pivotlens.trace.summary import TracedItems
from pivotlens.translation.failures import FAILURES, FailureKinds


def concept(name: str, links: tuple[str, ...] = (), tiers: dict[str, int] | None = None, **accepted: str) -> Concept:
    """A concept with its words by language, separated by bars; links are English hypernyms."""
    words = {code: tuple(given.split("|")) for code, given in accepted.items()}
    return Concept(
        concept_id=name, split="test", calibration=False, pos="n", words={code: of[0] for code, of in words.items()},
        accepted=words, distractors=tuple(tiers or ()), links=tuple(("en", word, "hypernym") for word in links),
        tiers=tiers or {},
    )  # fmt: skip


KINDS = FailureKinds.of(
    [
        concept("guitar", ("instrument",), en="guitar", fr="guitare", de="Gitarre", es="guitarra", zh="吉他",
                ja="ギター"),
        concept("violin", ("instrument",), en="violin", fr="violon", de="Geige|Violine", es="violín", zh="小提琴",
                ja="バイオリン"),
        concept("instrument", en="instrument", fr="instrument", de="Instrument", es="instrumento", zh="乐器|樂器",
                ja="楽器"),
        concept("dog", (), {"wolf": 0}, en="dog", fr="chien|toutou", de="Hund", es="perro", zh="狗", ja="犬"),
        concept("wolf", en="wolf", fr="loup", de="Wolf", es="lobo", zh="狼", ja="狼"),
        concept("possible", en="possible", fr="possible", de="möglich", es="posible", zh="可能", ja="可能な|可能"),
        concept("cover", en="cover", fr="couvrir", de="bedecken", es="cubrir", zh="覆盖", ja="覆う"),
        concept("library", en="library", fr="bibliothèque", de="Bibliothek", es="biblioteca", zh="图书馆|圖書館",
                ja="図書館"),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "name", "answer", "kind"),
    [
        ("fr-de", "guitar", "", "empty"),
        ("fr-de", "guitar", " … ", "empty"),
        ("fr-de", "guitar", "Guitare", "copied_source"),
        ("fr-de", "dog", "toutou", "copied_source"),
        ("en-fr", "guitar", "guitar", "copied_source"),
        ("fr-zh", "library", "la bibliothèque", "copied_source"),
        ("fr-de", "guitar", "guitar", "english_word"),
        ("fr-de", "dog", "dogs", "english_word"),
        ("en-de", "dog", "perro", "third_language"),
        ("fr-de", "dog", "perros", "third_language"),
        ("fr-de", "guitar", "Geige", "related_word"),
        ("fr-de", "guitar", "instrument", "related_word"),
        ("fr-de", "guitar", "Instrument", "related_word"),
        ("fr-de", "dog", "Wolf", "related_word"),
        ("fr-de", "wolf", "Hund", "related_word"),
        ("en-zh", "possible", "可能性", "related_word"),
        ("en-zh", "library", "图书", "related_word"),
        ("fr-de", "possible", "Möglichkeit", "related_word"),
        ("fr-de", "dog", "Hunde", "other_form"),
        ("fr-de", "dog", "der Hunde", "other_form"),
        ("de-fr", "library", "bibliotheque", "other_form"),
        ("de-fr", "library", "biblioth", "other_form"),
        ("en-fr", "library", "bibliothéque", "other_form"),
        ("de-fr", "cover", "couvre", "other_form"),
        ("fr-ja", "cover", "覆い", "other_form"),
        ("zh-ja", "possible", "可能だ", "other_form"),
        ("fr-de", "dog", "Bibliothek", "target_language"),
        ("fr-de", "dog", "Wasser", "target_language"),
        ("fr-de", "dog", "kaltes Wasser", "target_language"),
        ("fr-ja", "dog", "水", "target_language"),
        ("fr-de", "dog", "Zukheroff", "other"),
        ("fr-de", "dog", "雐香", "other"),
        ("en-de", "dog", "biblioteca", "other"),
    ],
)
def test_kinds_of_answers(direction, name, answer, kind):
    assert KINDS.kind(answer, KINDS.concepts[name], parse_direction(direction)) == kind


@pytest.mark.parametrize("answer", [*HOSTILE, "\x00", "a" * 100_000, "犬" * 10_000, "the", "'", "\ud800"])
def test_any_text_has_a_kind(answer):
    assert KINDS.kind(answer, KINDS.concepts["dog"], Direction("fr", "zh")) in FAILURES


def test_every_kind_has_a_name_on_the_page():
    assert tuple(FAILURE_NAMES) == FAILURES


@pytest.fixture(scope="module")
def tiny_run(tiny, tmp_path_factory):
    run = tmp_path_factory.mktemp("failures") / "run"
    build_benchmark(BenchConfig(words=str(tiny.words), distractors=4, shot_pool=8, calibration=20), run)
    common = {"model": str(tiny.model), "directions": ("en-fr", "fr-zh"), "shots": 1, "bootstrap": 100}
    score_model(ScoreConfig(shot_sets=1, newline="left", limit_concepts=12, **common), run)
    trace_model(TraceConfig(shot_sets=1, limit_concepts=12, **common), run)
    return run


def test_items_have_a_kind_exactly_where_they_are_wrong(tiny_run):
    for rows in (Scores.load(tiny_run).rows("concepts"), Trace.load(tiny_run).rows("items")):
        assert rows
        for row in rows:
            assert (row["failure"] is None) == row["correct"]
            assert row["failure"] in (None, *FAILURES)


def test_both_stages_give_an_answer_the_same_kind(tiny_run):
    found = [
        {
            (row["source_language"], row["target_language"], row["concept_id"], row["generated"]): row["failure"]
            for row in rows
        }
        for rows in (Scores.load(tiny_run).rows("concepts"), Trace.load(tiny_run).rows("items"))
    ]
    assert found[0] == found[1]


def test_shares_of_score_are_those_of_a_plain_count(tiny_run):
    scores = Scores.load(tiny_run)
    right = {
        (row["source_language"], row["target_language"], row["item_set"]): row["accuracy_generated"]
        for row in scores.rows("summary")
    }
    total = Counter()
    by_direction: dict[tuple[str, ...], list[str | None]] = {}
    for row in scores.rows("concepts"):
        for item_set in ("all", "different_spelling"):
            if item_set == "all" or not row["same_spelling"]:
                key = (row["source_language"], row["target_language"], item_set)
                by_direction.setdefault(key, []).append(row["failure"])
    for row in scores.rows("failures"):
        key = (row["source_language"], row["target_language"], row["item_set"])
        total[key] += row["share"]
        assert row["ci_low"] <= row["share"] <= row["ci_high"]
        if key[0] != "all":
            kinds = by_direction[key]
            assert (row["n"], row["items"]) == (kinds.count(row["failure"]), len(kinds))
            assert row["share"] == pytest.approx(row["n"] / row["items"])
    assert {key: 1 - value for key, value in total.items()} == pytest.approx(right)


def test_shares_of_trace_are_those_of_a_plain_count():
    items, labels = [], {}
    rng = np.random.default_rng(0)
    for source, target in (("fr", "zh"), ("zh", "fr"), ("en", "fr")):
        for number in range(30):
            kind = rng.choice([*FAILURES[:3], ""])
            key = (source, target, f"c{number}")
            labels[key] = str(rng.choice(["direct", "semantic_pivot"]))
            items.append(
                dict(zip(("source_language", "target_language", "concept_id"), key, strict=True))
                | {"model": "m", "prompt": "english", "shot_set": 0, "failure": str(kind) or None}
            )
    rows = failure_rows(TracedItems.of(items, "m", "english"), {("calibrated", 0): labels}, 100, 0)
    assert {(row["direction_group"], row["behaviour"]) for row in rows} == {
        (group, behaviour)
        for group in ("neither_english", "source_english")
        for behaviour in ("all", "direct", "semantic_pivot")
    }
    for row in rows:
        wrong = [
            item["failure"]
            for item in items
            if item["failure"]
            and (item["source_language"] == "en") == (row["direction_group"] == "source_english")
            and row["behaviour"]
            in ("all", labels[item["source_language"], item["target_language"], item["concept_id"]])
        ]
        assert (row["n"], row["items"]) == (wrong.count(row["failure"]), len(wrong))
        assert row["share"] == pytest.approx(row["n"] / len(wrong))
        assert row["ci_low"] <= row["share"] <= row["ci_high"]


def test_the_page_shows_kinds_where_the_tables_are_there(tiny_run):
    run = RunTables.load(tiny_run)
    blocks = failures(run)
    table = next(block for block in blocks if isinstance(block, b.Table))
    assert len(table.rows) == 3  # two directions, and all of them
    assert any(isinstance(block, b.Details) for block in blocks)


def test_the_page_says_nothing_of_runs_made_before_there_were_kinds(tiny_run):
    found = RunTables.load(tiny_run)
    for stage in (found.score, found.trace):
        assert stage is not None
        del stage.manifest.outputs["failures.parquet"]
    assert failures(found) == []


def test_the_rule_agrees_with_the_labelled_answers():
    kinds = FailureKinds.of(open_benchmark("word-translation").concepts.values())
    rows = read_labelled()
    for sample, least in zip(SAMPLES, (0.6, 0.64, 0.67), strict=True):
        assert cohen_kappa(confusion([row for row in rows if row["sample"] == sample], kinds)) > least, sample
