"""Mining against a slow twin that looks at every unit of a small corpus."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
import scipy.stats

from pivotlens.artifacts import Pivots
from pivotlens.bench.config import BenchConfig
from pivotlens.count.config import CountConfig
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.mine import MineConfig, mine_pivots
from pivotlens.mine.associations import WordUnits
from pivotlens.mine.copies import Likeness
from pivotlens.mine.stage import STAGE
from pivotlens.statistics.association import signed_llr
from pivotlens.text import clitics
from stage_by_hand import writing

CONCEPTS = {
    "water": {"en": "water", "fr": "eau", "zh": "水"},
    "winter": {"en": "winter", "fr": "hiver", "zh": "冬"},
    "freedom": {"en": "freedom", "fr": "liberté", "zh": "自由"},
    "house": {"en": "house", "fr": "maison", "zh": "家"},
    "bridge": {"en": "bridge", "fr": "pont", "zh": "桥"},
    "iron": {"en": "iron", "fr": "fer", "zh": "铁"},
}
TOKENS = [
    ".", " the", " The", " water", " Water", "water", " winter", " freedom", " house", " bridge", " iron", " liquid",
    " libert", "水", " 水", " maisons", " a", " data", "ing", " hivers", "河", " stone", " tree", " cloud", " metal",
    " since",
]  # fmt: skip
ID = {token: 10 + place for place, token in enumerate(TOKENS)}
TEXT = {token_id: token for token, token_id in ID.items()}


@dataclasses.dataclass(frozen=True)
class Unit:
    stratum: int
    language: str
    words: frozenset[tuple[str, str]]
    tokens: frozenset[int]


def corpus(seed=0, mixed=True, size=900):
    """Units in French and Chinese; English tokens of a concept come with its words where languages are mixed."""
    rng = np.random.default_rng(seed)
    units = []
    for number in range(size):
        language = ("fr", "zh")[number % 2]
        concept = str(rng.choice(list(CONCEPTS)))
        words = {(language, CONCEPTS[concept][language])} if rng.random() < 0.8 else set()
        tokens = {ID["."]} | {ID[t] for t in (" the", " data", "ing", " stone", " tree") if rng.random() < 0.3}
        if words and mixed and rng.random() < 0.6:
            tokens.add(ID[f" {concept}"])
            if concept == "water":
                tokens |= {ID[t] for t in (" Water", "water", " liquid") if rng.random() < 0.5}
        if words and rng.random() < 0.15:
            words.add(({"fr": "zh", "zh": "fr"}[language], CONCEPTS[concept][{"fr": "zh", "zh": "fr"}[language]]))
            tokens.add(ID[" cloud"])
        if words and concept == "freedom":
            tokens.add(ID[" libert"])
        if words and concept == "house" and language == "fr":
            tokens.add(ID[" maisons"])
        if words and concept == "water":
            tokens.add(ID["水"])
        tokens |= {ID[f" {other}"] for other in CONCEPTS if mixed and rng.random() < 0.04}
        if not mixed:
            tokens = {t for t in tokens if TEXT[t] == "." or (t % 2 == 0) == (language == "fr")}
        # Units of one stratum hold much English: whatever word they hold goes with its words of grammar.
        stratum = 3 if mixed and rng.random() < 0.3 else 0
        if stratum:
            tokens |= {ID[t] for t in (" since", " The", " the") if rng.random() < 0.8}
        elif mixed and rng.random() < 0.05:
            tokens.add(ID[" since"])
        units.append(Unit(stratum, language, frozenset(words), frozenset(tokens)))
    return units


def write_bench(run, links=(("water", "en", "liquid", "hypernym"),), other_parts=()):
    config = BenchConfig(parts=("kept=0.5", "other=0.5"), part="kept") if other_parts else BenchConfig()
    rows = [(concept, code, word) for concept, words in CONCEPTS.items() for code, word in words.items()]
    with writing(run, config, inputs={}) as stage:
        stage.write_table(
            "items",
            {
                "concept_id": [row[0] for row in rows],
                "split": ["test"] * len(rows),
                "calibration": [True] * len(rows),
                "pos": ["n"] * len(rows),
                "synset": [None] * len(rows),
                "band": [None] * len(rows),
                "language": [row[1] for row in rows],
                "word": [row[2] for row in rows],
                "accepted": [[row[2]] for row in rows],
                "answers_only": [[] for _ in rows],
                "flags": [[] for _ in rows],
            },
        )
        stage.write_table("distractors", {"concept_id": [], "distractor_id": [], "tier": []})
        names = ("concept_id", "language", "word", "relation")
        stage.write_table("links", {name: [link[place] for link in links] for place, name in enumerate(names)})
        held = table("concept_id part language word", [("x", "other", "en", word) for word in other_parts])
        stage.write_table("other_parts", held)
        return stage.finish()


def table(names, rows):
    return {name: [row[place] for row in rows] for place, name in enumerate(names.split())}


def write_counts(run, units, bench="?"):
    languages = sorted({unit.language for unit in units})
    by_language = {code: [unit for unit in units if unit.language == code] for code in languages}
    words, word_tokens, pair_tokens, pairs, word_strata, pair_strata = [], [], [], [], [], []
    for concept, named in CONCEPTS.items():
        for code, word in named.items():
            mine = [unit for unit in by_language.get(code, []) if (code, word) in unit.words]
            if mine:
                words.append((code, word, code, len(mine), len(mine)))
                word_strata += [(code, word, *cell) for cell in Counter(unit.stratum for unit in mine).items()]
            for token in TEXT:
                if df := sum(token in unit.tokens for unit in mine):
                    word_tokens.append((code, word, code, token, df, len(mine)))
            for other_code, other in named.items():
                if other_code == code:
                    continue
                shared = [unit for unit in mine if (other_code, other) in unit.words]
                cells = Counter(unit.stratum for unit in shared).items()
                pair_strata += [(code, word, other_code, other, *cell) for cell in cells]
                both = sum({(code, word), (other_code, other)} <= unit.words for unit in units)
                pairs.append((concept, code, other_code, len(mine), 0, both))
                for token in TEXT:
                    if df := sum(token in unit.tokens for unit in shared):
                        pair_tokens.append((code, word, other_code, other, code, token, df))
    cells = {(unit.language, unit.stratum) for unit in units}
    by_cell = {cell: [u for u in units if (u.language, u.stratum) == cell] for cell in sorted(cells)}
    tokens = [
        (*cell, token, df, len(found))
        for cell, found in by_cell.items()
        for token in TEXT
        if (df := sum(token in unit.tokens for unit in found))
    ]
    with writing(run, CountConfig(), inputs={"bench": bench}) as stage:
        stage.write_table(
            "languages",
            table(
                "language documents units units_sampled tokens_sampled characters bytes",
                [(code, 1, len(found), len(found), 1, 1, 1) for code, found in by_language.items()],
            ),
        )
        stage.write_table("words", table("word_language word document_language df n_sampled", words))
        stage.write_table(
            "strata",
            table(
                "language stratum least_characters least_other_characters units units_sampled tokens_sampled",
                [(*cell, 0, 0, len(found), len(found), 1) for cell, found in by_cell.items()],
            ),
        )
        stage.write_table("tokens", table("document_language stratum token_id df n_sampled", tokens))
        stage.write_table("word_strata", table("word_language word stratum n_sampled", word_strata))
        stage.write_table(
            "pair_strata", table("word_language word other_language other stratum n_sampled", pair_strata)
        )
        # The order of rows must not matter.
        stage.write_table(
            "word_tokens", table("word_language word document_language token_id df n_sampled", word_tokens[::-1])
        )
        stage.write_table(
            "pair_tokens",
            table("word_language word other_language other document_language token_id df", pair_tokens[::-1]),
        )
        stage.write_table(
            "pairs", table("concept_id source_language target_language df_source df_target df_both", pairs)
        )
        stage.write_table("token_texts", table("token_id token", list(TEXT.items())))
        return stage.finish()


@pytest.fixture
def run(tmp_path):
    bench = write_bench(tmp_path)
    write_counts(tmp_path, corpus(), bench.fingerprint)
    return tmp_path


# -- the slow twin

GROUPS = [(" water", " Water"), (" the", " The"), ("水", " 水")]
WHOLE = [t for t in TOKENS if t not in (".", "water", "ing", " a", " Water", " The", " 水")]


def variants(token):
    return next((group for group in GROUPS if token in group), (token,))


def slow_form(token, words):
    text = token.strip()
    for language, word in words:
        if text == word or word.startswith(text) or (language == "zh" and text in word):
            return True
        if len(word) >= 4 and text.startswith(word) and len(text) <= len(word) + 2:
            return True
    return False


def holding(units, token):
    """How many units hold a token: the most of its variants."""
    return max(sum(ID[v] in unit.tokens for unit in units) for v in variants(token))


def slow_side(units, word, other, token, mode):
    language = word[0]
    everything = [unit for unit in units if unit.language == language]
    with_word = [unit for unit in everything if word in unit.words and other not in unit.words]
    k, n, total = holding(with_word, token), len(with_word), len(everything)
    if not k:
        return {"k": 0}
    if mode == "npmi":
        compared = [[unit for unit in everything if unit.stratum == stratum] for stratum in (0, 3)]
        weights = [sum(unit.stratum == stratum for unit in with_word) / n for stratum in (0, 3)]
        sizes = [len(stratum) for stratum in compared]
    else:
        pooled = units if mode == "pooled" else everything
        cells = {(unit.language, unit.stratum) for unit in pooled}
        compared = [[u for u in pooled if (u.language, u.stratum) == cell] for cell in cells]
        total = len(pooled)
        weights, sizes = [len(cell) / total for cell in compared], [len(cell) for cell in compared]
    rate = sum(weight * holding(cell, token) / len(cell) for weight, cell in zip(weights, compared, strict=True))
    worth = 1 / sum(weight**2 / size for weight, size in zip(weights, sizes, strict=True))
    own = sum(w * min(w * n / size, 1) for w, size in zip(weights, sizes, strict=True)) if mode == "npmi" else n / total
    b = max(rate * total, k)
    value = math.log(k * total / (n * b)) / -math.log(k / total)
    outside = worth * (1 - own)
    there = min(max(rate * worth - k * own * worth / n, 0), outside)
    llr = float(signed_llr(k, n - k, there, outside - there))
    rng = np.random.default_rng(0)
    drawn = rng.binomial(n, k / n, size=20_000)
    safe = np.maximum(drawn, 1)
    npmis = np.where(drawn > 0, np.log(safe * total / (n * b)) / -np.log(safe / total), -1)
    return {"k": k, "n": n, "npmi": value, "llr": llr, "p": scipy.stats.chi2.sf(llr, 1) if value > 0 else 1.0,
            "low": float(np.quantile(npmis, 0.025, method="inverted_cdf")), "positive": float(np.mean(npmis > 0)),
            "excess": k / n - rate, "pmi": math.log(k * total / (n * b))}  # fmt: skip


def slow_mining(units, config):
    candidates = []
    for concept, words in CONCEPTS.items():
        fr, zh = ("fr", words["fr"]), ("zh", words["zh"])
        for token in WHOLE:
            first, second = (slow_side(units, *sides, token, config.mode) for sides in ((fr, zh), (zh, fr)))
            if min(first["k"], second["k"]) >= config.min_df and not slow_form(token, [fr, zh]):
                candidates.append((concept, token, first, second))
    p_values = np.array([max(first["p"], second["p"]) for *_, first, second in candidates])
    q_values = scipy.stats.false_discovery_control(p_values)
    kept = {}
    for (concept, token, first, second), q in zip(candidates, q_values, strict=True):
        if min(first["npmi"], second["npmi"]) > 0 and (config.mode in ("paper", "pmi") or q <= config.max_q):
            kept[concept, token] = (first, second, q)
    return kept, len(candidates)


@pytest.mark.parametrize("mode", ["npmi", "paper", "pooled", "pmi"])
def test_mining_equals_looking_at_every_unit(run, mode):
    config = MineConfig(directions=("fr-zh", "zh-fr"), mode=mode)
    pivots = mine_pivots(config, run)
    expected, tested = slow_mining(corpus(), config)
    rows = pivots.rows("pair_pivots")
    for direction in ("fr", "zh"):
        found = {(r["concept_id"], r["token"]): r for r in rows if r["source_language"] == direction}
        assert set(found) == set(expected)
        for key, (first, second, q) in expected.items():
            source, target = (first, second) if direction == "fr" else (second, first)
            row = found[key]
            assert (row["df_source"], row["n_source"]) == (source["k"], source["n"])
            assert (row["df_target"], row["n_target"]) == (target["k"], target["n"])
            assert row["npmi_source"] == pytest.approx(source["npmi"])
            assert row["llr_target"] == pytest.approx(target["llr"])
            assert row["q_value"] == pytest.approx(q, rel=1e-6)
            name = {"paper": "excess", "pmi": "pmi"}.get(mode, "low")
            assert row["strength"] == pytest.approx(min(first[name], second[name]), abs=0.02 if name == "low" else 1e-9)
            assert row["stability"] == pytest.approx(first["positive"] * second["positive"], abs=0.02)
    assert pivots.manifest.details["candidates_tested"] == tested
    degree = {row["token"]: row["degree"] for row in pivots.rows("pivots")}
    for token in {token for _, token in expected}:
        assert degree[token] == sum(other == token for _, other in expected)


def test_the_planted_pivots_are_found_and_the_rest_is_not(run):
    pivots = mine_pivots(MineConfig(directions=("fr-zh",)), run)
    rows = pivots.rows("pair_pivots")
    first = {row["concept_id"]: row for row in rows if row["rank"] == 1}
    assert {concept: row["token"] for concept, row in first.items()} == {name: f" {name}" for name in CONCEPTS}
    assert all(row["relation"] == "translation:en" for row in first.values())
    tokens = {(row["concept_id"], row["token"]) for row in rows}
    assert ("water", " liquid") in tokens
    assert next(row for row in rows if row["token"] == " liquid")["relation"] == "hypernym"
    # Forms and first pieces of the words themselves, a token of the shared units alone, and stop words.
    assert not {" libert", "水", " maisons", " cloud", " the", " Water", "ing", "."} & {token for _, token in tokens}
    water = next(row for row in pivots.rows("pivots") if row["token"] == " water")
    assert water["variant_ids"] == [ID[" water"], ID[" Water"]]
    excess = max(water["degree"] - water["degree_shuffled"], 0) / math.sqrt(water["degree_shuffled"] + 1)
    assert water["score"] == pytest.approx(excess * water["stability"])
    details = pivots.manifest.details
    assert details["share_with_pivots"] == 1.0
    assert details["shuffled_share_with_pivots"] < 0.2
    assert details["pairs_with_an_absent_word"] == 0
    ranks = [(row["concept_id"], row["rank"]) for row in rows]
    assert len(set(ranks)) == len(ranks)
    both = sum({("fr", "eau"), ("zh", "水")} <= unit.words for unit in corpus())
    assert first["water"]["df_both"] == both


def test_units_with_both_words_may_miss_in_some_strata(tmp_path):
    units = [unit for unit in corpus() if unit.stratum == 0 or len(unit.words) < 2]
    write_counts(tmp_path, units, write_bench(tmp_path).fingerprint)
    config = MineConfig(directions=("fr-zh",))
    rows = mine_pivots(config, tmp_path).rows("pair_pivots")
    assert {(row["concept_id"], row["token"]) for row in rows} == set(slow_mining(units, config)[0])


def test_what_goes_with_all_units_of_a_composition_is_no_pivot(run):
    """Units with much English hold *since* whatever they are about; conditioned on that it goes with no word."""
    found = {
        mode: {row["token"] for row in mine_pivots(MineConfig(mode=mode, max_null=1), run).rows("pivots")}
        for mode in ("paper", "npmi")
    }
    assert " since" in found["paper"]
    assert " since" not in found["npmi"]


def test_an_uncounted_language_is_absent_and_a_top_of_one_keeps_the_best(run):
    pivots = mine_pivots(MineConfig(top=1), run)
    assert pivots.manifest.details["pairs_with_an_absent_word"] == 2 * len(CONCEPTS)
    assert {row["rank"] for row in pivots.rows("pair_pivots")} == {1}
    assert {row["language_pairs"] for row in pivots.rows("pivots")} == {1}


def test_a_language_without_text_lifts_no_limit_of_the_others(run):
    pair = {"source_language": "fr", "target_language": "zh"}
    beside, alone = (mine_pivots(config, run) for config in (MineConfig(), MineConfig(directions=("fr-zh",))))
    assert beside.rows("pair_pivots", **pair) == alone.rows("pair_pivots", **pair)
    assert {row["null_share"] <= 0.01 for row in beside.rows("pair_pivots")} == {True}
    assert beside.manifest.details["without_max_null"] == []


def test_too_few_shuffled_pairs_are_named(run):
    pivots = mine_pivots(MineConfig(directions=("fr-zh",), max_null=1e-6), run)
    assert pivots.manifest.details["without_max_null"] == ["fr-zh"]
    assert any("Too few shuffled pairs of fr-zh for max_null = 1e-06" in said for said in pivots.manifest.warnings)


def test_monolingual_text_mines_nothing_and_says_why(tmp_path):
    write_bench(tmp_path)
    write_counts(tmp_path, corpus(mixed=False))
    pivots = mine_pivots(MineConfig(directions=("fr-zh",)), tmp_path)
    assert pivots.rows("pair_pivots") == []
    assert pivots.rows("pivots") == []
    assert any("one language alone mines nothing" in warning for warning in pivots.manifest.warnings)
    assert any("another benchmark" in warning for warning in pivots.manifest.warnings)


@pytest.mark.parametrize("mode", ["npmi", "paper", "pooled", "pmi"])
def test_a_corpus_with_no_word_at_all_says_so(mode, tmp_path):
    units = [dataclasses.replace(unit, words=frozenset()) for unit in corpus(size=9)]
    write_counts(tmp_path, units, write_bench(tmp_path).fingerprint)
    pivots = mine_pivots(MineConfig(directions=("fr-zh",), mode=mode), tmp_path)
    assert "none has both words in the corpus (languages there: none)" in pivots.manifest.warnings[0]


def test_a_corpus_without_the_words_says_so(tmp_path):
    write_counts(tmp_path, corpus(size=3), write_bench(tmp_path).fingerprint)
    pivots = mine_pivots(MineConfig(directions=("en-fr",)), tmp_path)
    assert "none has both words in the corpus (languages there: fr, zh)" in pivots.manifest.warnings[0]
    assert pivots.manifest.details["shuffled_share_with_pivots"] is None


def test_nothing_significant_says_so(run):
    pivots = mine_pivots(MineConfig(directions=("fr-zh",), max_q=1e-300), run)
    assert "false discovery rate" in pivots.manifest.warnings[0]
    assert pivots.table("pivots").num_rows == 0


@pytest.mark.parametrize("why", ["one language alone", "none has both words", "false discovery rate"])
def test_words_hidden_by_particles_are_named_where_nothing_is_mined(why, run, tmp_path, monkeypatch):
    monkeypatch.setattr(clitics, "_BESIDE_PARTICLES", frozenset({"fr"}))
    settings = {"directions": ("en-fr" if why == "none has both words" else "zh-fr",)}
    if why == "false discovery rate":
        settings["max_q"] = 1e-300
    else:
        run = tmp_path
        size = {"size": 3} if why == "none has both words" else {"mixed": False}
        write_counts(run, corpus(**size), write_bench(run).fingerprint)
    (warning,) = (text for text in mine_pivots(MineConfig(**settings), run).manifest.warnings if "No pivot" in text)
    assert why in warning
    assert warning.endswith(
        " In fr a word is not found beside a particle, article or preposition that is written together with it: cut "
        "these off in the text, or look at other languages."
    )


def test_the_same_bytes_again_and_reuse(run, tmp_path_factory):
    first = mine_pivots(MineConfig(), run)
    assert STAGE.plan(MineConfig(), run).reason is None
    assert mine_pivots(MineConfig(), run).manifest == first.manifest
    other = tmp_path_factory.mktemp("other")
    bench = write_bench(other)
    write_counts(other, corpus(), bench.fingerprint)
    assert mine_pivots(MineConfig(), other).manifest.outputs == first.manifest.outputs
    assert isinstance(first, Pivots)


def test_another_seed_changes_the_null_only(run):
    first = mine_pivots(MineConfig(shuffles=3), run).table("pair_pivots")
    second = mine_pivots(MineConfig(shuffles=3, seed=9), run)
    assert second.table("pair_pivots") == first


def test_errors(tmp_path):
    with pytest.raises(PrerequisiteError, match="bench"):
        mine_pivots(MineConfig(), tmp_path)
    bench = write_bench(tmp_path)
    write_counts(tmp_path, corpus(size=4), bench.fingerprint)
    with pytest.raises(ConfigError, match="'de'"):
        mine_pivots(MineConfig(directions=("fr-de",)), tmp_path)
    planned = STAGE.plan(MineConfig(), tmp_path / "none", planned={"bench": "b", "count": "c"})
    assert planned.inputs == {"bench": "b", "count": "c"}


# -- copies


def test_units_that_are_copies_of_one_another_are_told_from_units_with_a_topic():
    rng = np.random.default_rng(0)
    topic = [frozenset({0, *rng.choice(np.arange(1, 40), 6, replace=False).tolist()}) for _ in range(12)]
    copied = [frozenset({0, 40, 41, 42, 43, 44, int(number % 39) + 1}) for number in range(12)]
    units = [*topic, *copied]
    held = [{0, 2} if number < 12 else {1, 2} for number in range(24)]  # token 2 stands everywhere

    def word_units(word):
        having = [tokens for unit, tokens in zip(units, held, strict=True) if word in unit]
        counts = Counter(token for tokens in having for token in tokens)
        tokens = np.array(sorted(counts), dtype=np.int64)
        counted = np.array([counts[token] for token in tokens], dtype=np.int64)
        return WordUnits(len(having), np.array([len(having)]), tokens, counted)

    words = [word_units(word) for word in range(45)]
    likeness = Likeness.of(np.array([12.0, 12.0, 24.0]), [word for word in words if word.sampled])
    topical, copies, everywhere = likeness.beside(words[0])

    def slow(token):
        members = [unit - {0} for unit, tokens in zip(units, held, strict=True) if token in tokens]
        shared = sum(len(a & b) for place, a in enumerate(members) for other, b in enumerate(members) if place != other)
        return shared / ((len(members) - 1) * sum(map(len, members)))

    assert [topical, copies, everywhere] == pytest.approx([slow(0), slow(1), slow(2)])
    assert topical < 0.3 < 0.7 < copies


def test_pivots_that_are_words_of_other_parts_are_left_out_and_nothing_else_changes(tmp_path):
    runs = {name: tmp_path / name for name in ("whole", "part")}
    for name, run in runs.items():
        write_bench(run, other_parts=() if name == "whole" else ("Liquids", "iron ore"))
        write_counts(run, corpus())
    whole, part = (mine_pivots(MineConfig(), run) for run in runs.values())
    kept = mine_pivots(MineConfig(other_parts="keep"), tmp_path / "part")

    def rows(pivots, name):
        return [{key: value for key, value in row.items() if key != "rank"} for row in pivots.rows(name)]

    out = [row for row in rows(whole, "pair_pivots") if row["token"] == " liquid"]
    assert out
    assert rows(kept, "pair_pivots") == rows(whole, "pair_pivots")
    details = (kept.manifest.details, mine_pivots(MineConfig(), tmp_path / "part").manifest.details)
    assert [one["pair_pivots_left_out"] for one in details] == [0, len(out) // 2]
    assert [one["corpus_pivots_left_out"] for one in details] == [0, 1]
    assert part.manifest.details["corpus_pivots"] == whole.manifest.details["corpus_pivots"] - 1
    part = Pivots.load(tmp_path / "part")
    for name in ("pair_pivots", "pivots"):
        assert rows(part, name) == [row for row in rows(whole, name) if row["token"] != " liquid"]
    assert next(row["rank"] for row in part.rows("pair_pivots") if row["concept_id"] == "water") == 1
