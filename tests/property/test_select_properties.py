"""Choosing, matching and scoring: monotone, never over budget, the same in any order, and equal to plain loops."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pivotlens.corpus.composition import Composition
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.select import choosing, dsir, matching
from pivotlens.select.arms import Order, Spread
from pivotlens.select.budgets import Available, Budgets, budgets_of
from pivotlens.select.choosing import Chooser
from pivotlens.select.config import SelectConfig
from pivotlens.select.exchanging import CLOSE, Pool, exchanged
from pivotlens.select.facts import Facts
from pivotlens.select.matched import MatchedUnits
from pivotlens.select.matching import LEVELS, Lengths, Matching, strata
from pivotlens.select.passes import parts_of
from pivotlens.select.pivots import BAND, Sought, WordPivots, shuffled_words
from pivotlens.select.scored_corpus import Names
from pivotlens.select.scoring import RUN_OF_TOKENS, CutUnits, Forms, is_duplicate, repetition, richness
from pivotlens.select.units import Guards, ScoredUnits
from pivotlens.select.warnings import unmatched

_UNIT = st.fixed_dictionaries(
    {
        "language": st.integers(0, 2),
        "other_language": st.integers(0, 2),
        "language_share": st.sampled_from([0.3, 0.95, 1.0]),
        "document_type": st.integers(0, 3),
        "source": st.integers(0, 1),
        "n_tokens": st.integers(1, 50),
        "bridge": st.sampled_from([0.0, 0.1, 0.5]),
        "duplicate": st.booleans(),
    }
)
_UNITS = st.lists(_UNIT, max_size=30)
_SHORT = 3
_CODES = {"en": 0, "fr": 1, "zh": 2}


def _scored(units: list[dict[str, Any]], first: int = 0) -> ScoredUnits:
    n = len(units)

    def column(name: str, kind: type, default: float = 0) -> np.ndarray:
        return np.array([unit.get(name, default) for unit in units], dtype=kind)

    whole = ("label", "n_pivots", "n_words", "n_bridges", "n_bridges_shuffled")
    return ScoredUnits(
        file="a.jsonl",
        first=first,
        row=np.arange(first + 1, first + n + 1),
        unit=np.zeros(n, dtype=np.int64),
        **{name: column(name, np.int64) for name in (*whole, "language", "other_language", "source", "document_type")},
        n_tokens=column("n_tokens", np.int64),
        language_share=column("language_share", np.float64, 1.0),
        repetition=column("repetition", np.float64),
        duplicate=column("duplicate", bool),
        similarity=column("similarity", np.float64, math.nan),
        share=column("share", np.float64),
        excess=column("excess", np.float64),
        bridge=column("bridge", np.float64),
        importance=column("importance", np.float64),
        guards=Guards(_SHORT, 0.5),
    )


def _order(arm: str, **more: Any) -> Order:
    return Order(arm, SelectConfig(**more), _CODES["en"], Spread("bridge"))


def _choose(arm: str, units: list[dict], budget: int, *, in_units: bool = False) -> np.ndarray:
    chooser = Chooser(_order(arm), Budgets(dict.fromkeys(range(3), budget), in_units))
    chooser.add(_scored(units))
    return chooser.takes(_scored(units))


_ARM = st.sampled_from(["top", "random", "sample", "parallel", "english_only"])


@settings(deadline=None)
@given(_ARM, _UNITS, st.integers(1, 400), st.integers(0, 200), st.booleans())
def test_a_larger_budget_takes_the_same_and_more(arm, units, budget, more, in_units) -> None:
    small, large = (_choose(arm, units, size, in_units=in_units) for size in (budget, budget + more))
    assert not (small & ~large).any()


def _plain_loop(arm: str, units: list[dict], budget: int) -> list[bool]:
    taken, scored = [False] * len(units), _scored(units)
    keys, hashes = _order(arm).keys(scored).tolist(), scored.hashes(0, arm).tolist()
    for language in range(3):
        spent = 0
        for number in sorted(range(len(units)), key=lambda number: (keys[number], hashes[number])):
            unit = units[number]
            if unit["language"] != language or unit["duplicate"] or unit["n_tokens"] < _SHORT:
                continue
            if (arm == "parallel" and unit["document_type"] != 1) or (arm == "english_only" and language != 0):
                continue
            spent += unit["n_tokens"] + 1
            if spent > budget:
                break
            taken[number] = True
    return taken


@settings(deadline=None)
@given(_ARM, _UNITS, st.integers(1, 400), st.data())
def test_equals_a_plain_loop_piece_by_piece_in_any_order(arm, units, budget, data) -> None:
    edges = sorted({0, len(units), *data.draw(st.lists(st.integers(0, len(units)), max_size=5))})
    pieces = [_scored(units[low:high], low) for low, high in pairwise(edges)]
    with patch.object(choosing, "_PENDING", data.draw(st.sampled_from([0, 4, 1000]))):
        chooser = Chooser(_order(arm), Budgets(dict.fromkeys(range(3), budget)))
        for piece in data.draw(st.permutations(pieces)):
            chooser.add(piece)
        chosen = [taken for piece in pieces for taken in chooser.takes(piece).tolist()]
    assert chosen == _plain_loop(arm, units, budget)
    short = chooser.shortages()
    for language in range(3):
        spent = sum(
            u["n_tokens"] + 1 for u, taken in zip(units, chosen, strict=True) if taken and u["language"] == language
        )
        left = [u for u, taken in zip(units, chosen, strict=True) if u["language"] == language and not taken]
        could = [u for u in left if not u["duplicate"] and u["n_tokens"] >= _SHORT and _could(arm, u)]
        assert spent <= budget
        assert (language in short) == (not could and spent < budget)


def _could(arm: str, unit: dict) -> bool:
    return (arm != "parallel" or unit["document_type"] == 1) and (arm != "english_only" or unit["language"] == 0)


# -- matched units


def _match(pieces: list[ScoredUnits], budget: int) -> tuple[Chooser, Matching, Lengths]:
    top, lengths = Chooser(_order("top"), Budgets(dict.fromkeys(range(3), budget))), Lengths()
    for piece in pieces:
        top.add(piece)
        lengths.add(piece)
    match = Matching(top, lengths, 0)
    for piece in pieces:
        match.count(piece)
    for piece in pieces:
        match.add(piece)
    return top, match, lengths


def _plain_matching(units: ScoredUnits, top: np.ndarray, lengths: Lengths) -> tuple[set[int], Counter]:
    """Match by dictionaries: at each level, what is still wanted takes the smallest hashes of what is free."""
    levels, hashes = strata(units, lengths).T.tolist(), units.hashes(0, "matched").tolist()
    uniform = ((units.hashes(0, "matched") >> np.uint64(11)) / 2**53).tolist()
    wanted: Counter = Counter()
    for unit in np.flatnonzero(top).tolist():
        wanted[tuple(levels[unit])] += int(units.cost[unit])
    language = {tuple(levels[unit]): int(units.language[unit]) for unit in range(units.size)}
    free = [unit for unit in range(units.size) if units.eligible[unit] and not top[unit]]
    taken: set[int] = set()
    matched: Counter = Counter()
    for level in range(len(LEVELS)):
        for group in sorted({stratum[level] for stratum in wanted}):
            here = [unit for unit in free if levels[unit][level] == group and unit not in taken]
            here.sort(key=lambda unit: hashes[unit])
            of_group = sorted(stratum for stratum in wanted if stratum[level] == group)
            total, before = sum(wanted[stratum] for stratum in of_group), 0
            for unit in here:
                if total and before + uniform[unit] * int(units.cost[unit]) <= total:
                    taken.add(unit)
                before += int(units.cost[unit])
            for stratum in of_group:
                found = min(wanted[stratum], before)
                before -= found
                wanted[stratum] -= found
                matched[language[stratum], level] += found
    for stratum, left in wanted.items():
        matched[language[stratum], len(LEVELS)] += left
    return taken, +matched


@settings(deadline=None, max_examples=200)
@given(st.lists(_UNIT, min_size=1, max_size=60), st.integers(1, 300), st.data())
def test_matching_equals_dictionaries(units, budget, data) -> None:
    edges = sorted({0, len(units), *data.draw(st.lists(st.integers(0, len(units)), max_size=3))})
    pieces = [_scored(units[low:high], low) for low, high in pairwise(edges)]
    with patch.object(matching, "_PENDING", data.draw(st.sampled_from([0, 1000]))):
        top, match, lengths = _match(data.draw(st.permutations(pieces)), budget)
        found = match.result()
    whole = _scored(units)
    in_top = top.takes(whole)
    taken, matched = _plain_matching(whole, in_top, lengths)
    assert {int(place) for place in found.places[found.keys <= 1]} == taken
    assert found.matched == matched
    assert np.isfinite(found.keys).all()
    chosen = []
    for order in (pieces, data.draw(st.permutations(pieces))):
        units_taken = MatchedUnits(found, top)
        for piece in order:
            units_taken.add(piece)
        units_taken.choose()
        chosen.append(units_taken.takes(whole).tolist())
    assert chosen[0] == chosen[1]
    assert not (np.array(chosen[0]) & in_top).any()
    assert (whole.eligible[chosen[0]]).all()
    for language in range(3):
        in_language = whole.language == language
        assert whole.cost[in_language & chosen[0]].sum() <= units_taken.budgets.of_language[language] <= budget


def test_matched_units_are_like_top_and_meet_the_budget() -> None:
    rng = np.random.default_rng(3)
    units = [
        {"language": 1, "other_language": int(rng.integers(3)), "language_share": share, "source": int(rng.integers(2))}
        | {"n_tokens": int(rng.integers(5, 80)), "bridge": float(rng.random() + (share < 1) * 0.6)}
        for share in rng.choice([0.4, 0.7, 1.0], 3000, p=[0.2, 0.1, 0.7]).tolist()
    ]  # fmt: skip
    whole = _scored(units)
    top, match, _ = _match([whole], 8000)
    in_top, matched = top.takes(whole), _matched(top, match, whole)[0]
    for chosen in (in_top, matched):
        assert 8000 - 81 < whole.cost[chosen].sum() <= 8000

    def mixed(chosen: np.ndarray) -> float:
        return float((whole.n_tokens * whole.language_share)[chosen].sum() / whole.n_tokens[chosen].sum())

    assert abs(mixed(in_top) - mixed(matched)) < 0.02 < abs(mixed(in_top) - mixed(whole.eligible))


def _matched(top: Chooser, match: Matching, whole: ScoredUnits) -> tuple[np.ndarray, MatchedUnits]:
    units = MatchedUnits(match.result(), top)
    units.add(whole)
    units.choose()
    return units.takes(whole), units


def _text(units: ScoredUnits, taken: np.ndarray) -> Counter:
    """Count tokens by the language that they are in, unit by unit."""
    tokens: Counter = Counter()
    for unit in np.flatnonzero(taken).tolist():
        own = round(float(units.n_tokens[unit] * units.language_share[unit]))
        tokens[int(units.language[unit])] += own
        tokens[int(units.other_language[unit])] += int(units.n_tokens[unit]) - own
    return tokens


def _apart(one: Counter, other: Counter) -> float:
    return sum(abs(one[key] / one.total() - other[key] / other.total()) for key in {*one, *other}) / 2


def _some_choice(units: ScoredUnits, wanted: Counter, apart: float, costs: tuple[int, int]) -> bool:
    """Tell whether any units, or parts of them, at such costs are so near the wanted languages: a linear programme."""
    languages = sorted({*wanted, *units.language.tolist(), *units.other_language.tolist()})
    excess = np.zeros((len(languages), units.size))
    for unit in range(units.size):
        own = units.n_tokens[unit] * units.language_share[unit]
        excess[languages.index(units.language[unit]), unit] += own
        excess[languages.index(units.other_language[unit]), unit] += units.n_tokens[unit] - own
    excess -= np.array([[wanted[one] / wanted.total()] for one in languages]) * units.n_tokens
    ones, none = np.eye(len(languages)), np.zeros(len(languages))
    rows = [
        *(np.append(sign * row, -one) for row, one in zip(excess, ones, strict=True) for sign in (1, -1)),
        np.append(-apart * units.n_tokens, none + 0.5),
        np.append(units.cost, none),
        np.append(-units.cost, none),
    ]
    most = [0.0] * (2 * len(languages) + 1) + [costs[1], -costs[0]]
    bounds = [(0, 1)] * units.size + [(0, None)] * len(languages)
    return linprog(np.zeros(len(bounds)), np.array(rows), most, bounds=bounds).status == 0


def _mixed_corpus(rng: np.random.Generator) -> ScoredUnits:
    """Make a corpus of one language and up to three others whose ``top`` prefers some composition."""
    n, others = int(rng.integers(150, 500)), int(rng.integers(1, 4))
    share = rng.choice([rng.choice([0.3, 0.5, 0.8, 1.0], n), rng.random(n), rng.beta(6, 2, n)])
    tokens = np.exp(rng.uniform(3, rng.uniform(3.2, 5), n)).astype(int)
    other, liked = rng.integers(1, others + 1, n), rng.random()
    bridge = rng.random(n) + rng.uniform(0, 2) * (np.abs(share - liked) < 0.2) + rng.uniform(0, 1) * (other == 1)
    names = ("language", "other_language", "language_share", "n_tokens", "bridge", "source", "document_type")
    columns = (np.zeros(n, int), np.where(share < 1, other, 0), share, tokens, bridge)
    columns += (rng.integers(0, 3, n), (share < 0.7) * rng.integers(1, 4, n))
    return _scored([dict(zip(names, unit, strict=True)) for unit in zip(*columns, strict=True)])


def test_text_is_in_the_languages_of_top_wherever_any_choice_could_be_and_else_it_is_said() -> None:
    rng, impossible = np.random.default_rng(11), 0
    for _ in range(60):
        whole = _mixed_corpus(rng)
        top, match, lengths = _match([whole], int(rng.uniform(0.1, 0.6) * whole.cost[whole.eligible].sum()))
        in_top = top.takes(whole)
        taken, units = _matched(top, match, whole)
        most, free = units.budgets.of_language[0], whole.eligible & ~in_top
        largest = int(whole.cost[free].max())
        assert most - largest < whole.cost[taken].sum() <= most or (taken == free).all()
        wanted = _text(whole, in_top)
        gap = _apart(wanted, _text(whole, taken))
        if gap >= 0.02 and not (taken == free).all():
            assert not _some_choice(whole[free], wanted, 0.015, (most - largest, most))
            impossible += 1
        codes, sources = Names(numbers=_CODES | {"de": 3}), Names(numbers={"a": 0, "b": 1, "c": 2})
        budgets = {"top": top.budgets, "matched": units.budgets}
        facts = Facts(("top", "matched"), budgets, codes, sources, lengths, False, units.exchanged)
        facts.add(whole, np.stack([in_top, taken]))
        tables = {"summary": facts.summary_rows(), "composition": facts.composition_rows()}
        assert bool(unmatched(tables)) == (gap > 0.02)
    assert 5 < impossible < 40


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_exchanging_stays_within_the_budget_and_never_leads_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, languages = int(rng.integers(1, 60)), int(rng.integers(1, 5))
    tokens, wanted = rng.integers(1, 200, n), rng.dirichlet(np.ones(languages))
    share = np.where(rng.random(n) < 0.5, 1.0, rng.random(n))
    classes = np.stack([rng.integers(0, 5, n), rng.integers(0, 2, n)])
    costs = tokens + 1 if seed % 2 else np.ones(n, dtype=np.int64)
    pool = Pool(costs, tokens, share, np.where(share < 1, rng.integers(0, languages, n), 0), classes, wanted)
    most = int(rng.integers(costs[0], costs.sum() + 10))
    drawn = np.cumsum(costs) <= most
    taken = exchanged(pool, drawn, most)
    assert min(costs[drawn].sum(), most + 1 - costs.max()) <= costs[taken].sum() <= most
    assert taken.any()
    assert pool.distance(taken) <= max(pool.distance(drawn), CLOSE)
    if pool.distance(drawn) <= CLOSE:
        assert (taken == drawn).all()
    text = np.zeros(languages)
    for unit in np.flatnonzero(taken).tolist():
        text[0] += share[unit] * tokens[unit]
        text[pool.other[unit]] += (1 - share[unit]) * tokens[unit]
    assert pool.distance(taken) == pytest.approx(np.abs(text / text.sum() - wanted).sum() / 2, abs=1e-9)
    for unit in range(n):
        alone = np.arange(n) == unit
        assert pool.excess(alone) == pytest.approx(pool.excess_of(np.array([unit]))[0])
        assert pool.excess_along(wanted)[unit] == pytest.approx(float(pool.excess(alone) @ wanted))


# -- budgets


@settings(deadline=None)
@given(_UNITS)
def test_every_unit_is_within_the_bounds_of_its_tenth_and_no_tenth_reaches_into_another(units) -> None:
    scored, lengths = _scored(units), Lengths()
    lengths.add(scored)
    kept = scored[scored.eligible]
    for language, decile, n in zip(kept.language, lengths.deciles(kept), kept.n_tokens, strict=True):
        least, most = lengths.bounds(int(language))[int(decile)]
        assert least <= n <= most
    for language in range(3):
        bounds = list(lengths.bounds(language).values())
        assert all(one[1] < other[0] for one, other in pairwise(bounds))
    assert lengths.bounds(99) == {}


def test_budgets_of_every_kind() -> None:
    available = Available()
    available.add(_scored([{"language": code, "n_tokens": 9} for code in (0, 0, 0, 1, 1, 2)]))
    assert (available.tokens, available.units) == ({0: 30, 1: 20, 2: 10}, {0: 3, 1: 2, 2: 1})

    def of(**more: Any) -> dict[int, int]:
        return dict(budgets_of(SelectConfig(**more), available, _CODES, ["fr", "zh", "de"]).of_language)

    assert of() == {1: 2, 2: 1}
    assert of(budget_tokens=7) == {1: 7, 2: 7}
    assert of(budget_units=2, languages=("en",)) == {0: 2}
    assert of(budget_share=0.5) == {1: 10, 2: 5}
    assert of(budget_tokens=90, languages=("fr=2", "en=1")) == {1: 60, 0: 30}
    assert of(budget_share=0.5, languages=("fr=1", "en=1")) == {1: 12, 0: 12}
    assert Budgets({1: 7, 2: 7}).all_in(0).of_language == {0: 14}


# -- scores


_WORDS = {"fr": ("eau", "feu"), "en": ("sun", "water"), "zh": ("水",)}
_TEXTS = st.lists(st.sampled_from(["eau", "feu", "sun", "water", "水", "x", "y"]), max_size=12)


def _counted() -> CountedWords:
    named = tuple((language, word) for language, listed in _WORDS.items() for word in listed)
    return CountedWords(named, tuple((word,) for _, word in named), (), (), ())


@settings(deadline=None)
@given(
    st.lists(st.tuples(_TEXTS, st.sampled_from(["fr", "en", "zh", "de"])), min_size=1, max_size=6),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=12),
    st.lists(st.lists(st.integers(0, 19), max_size=9), min_size=6, max_size=6),
)
def test_bridges_equal_sets(units, pairs, tokens) -> None:
    words = _counted()
    pivot_of_token = np.array([token % 6 if token < 12 else -1 for token in range(20)])
    found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    sought = Sought(words, np.arange(20) % 3 == 0, pivot_of_token, found, found[:0])
    tokens = tokens[: len(units)]
    cut = CutUnits(
        np.array([token for of_unit in tokens for token in of_unit], dtype=np.int64), np.array([len(t) for t in tokens])
    )
    forms = Forms.of([" ".join(text) for text, _ in units], [language for _, language in units])
    rich = richness(forms, cut, sought)
    for number, ((text, language), ids) in enumerate(zip(units, tokens, strict=True)):
        own = {place for place, (of, word) in enumerate(words.words) if of == language and word in text}
        there = {int(pivot_of_token[token]) for token in ids}
        assert rich.words[number] == len(own)
        assert rich.bridges[number] == sum(word in own and pivot in there for word, pivot in pairs)
        assert rich.pivots[number] == sum(token % 3 == 0 for token in ids)
        assert rich.shuffled[number] == 0


def test_word_pivots_are_of_any_pair_and_shuffled_among_words_of_like_frequency() -> None:
    named = tuple(("fr", f"mot{number:02d}") for number in range(2 * BAND + 1))
    words = CountedWords(named, tuple((word,) for _, word in named), (), (), ())
    frequency = {name: number for number, name in enumerate(named)}
    partner = shuffled_words(words, np.arange(len(named)), frequency, 0)
    assert sorted(partner.tolist()) == list(range(len(named)))
    assert [number // BAND for number in partner.tolist()] == [number // BAND for number in range(len(named))]
    assert [number for number in range(len(named)) if partner[number] == number] == [2 * BAND]  # alone in its band
    rows = [
        {"source_language": "fr", "target_language": other, "source_word": "mot00", "target_word": "w"}
        | {"token_id": token, "variant_ids": [token, token + 100]}
        for other, token in (("de", 7), ("zh", 7), ("zh", 9))
    ]
    pivots = WordPivots.of(words, pa.Table.from_pylist(rows), frequency, 0)
    assert (pivots.tokens.tolist(), pivots.pivots.tolist()) == ([7, 9, 107, 109], [0, 1, 0, 1])
    assert pivots.pairs.tolist() == [[0, 0], [0, 1]] == pivots.shuffled.tolist()


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=40), min_size=1, max_size=4))
def test_repetition_equals_a_set_of_runs(units) -> None:
    cut = CutUnits(
        np.array([t for unit in units for t in unit], dtype=np.int64), np.array([len(unit) for unit in units])
    )
    for found, unit in zip(repetition(cut).tolist(), units, strict=True):
        runs = [tuple(unit[start : start + RUN_OF_TOKENS]) for start in range(len(unit) - RUN_OF_TOKENS + 1)]
        assert found == (0 if not runs else (len(runs) - len(set(runs))) / len(runs))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9))), min_size=1)
)
def test_own_share_and_other_language(units) -> None:
    codes = {"": 0, "a": 1, "b": 2}
    share, other = parts_of(Composition.of([of for _, of in units]), [own for own, _ in units], codes)
    names = list(codes)
    for number, (own, characters) in enumerate(units):
        total = sum(characters.values())
        assert share[number] == pytest.approx(characters.get(own, 0) / total if total else 1)
        rest = {code: n for code, n in characters.items() if code != own}
        assert rest.get(names[other[number]]) == (max(rest.values()) if rest else None)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=1, max_size=5), st.data())
def test_importance_weights_follow_the_formula(units, data) -> None:
    cut = CutUnits(
        np.array([t for unit in units for t in unit], dtype=np.int64), np.array([len(unit) for unit in units])
    )
    target = data.draw(st.lists(st.booleans(), min_size=len(units), max_size=len(units)))

    def bucket(ngram: tuple[int, ...]) -> int:
        alone = CutUnits(np.array(ngram, dtype=np.int64), np.array([len(ngram)]))
        return int(dsir.ngram_buckets(alone)[0][-1])

    counts = np.zeros((2, dsir.N_BUCKETS), dtype=np.int64)
    features = [[bucket((t,)) for t in unit] + [bucket(pair) for pair in pairwise(unit)] for unit in units]
    for of_unit, wanted in zip(features, target, strict=True):
        for place in of_unit:
            counts[1, place] += 1
            counts[0, place] += wanted
    p, q = (row / max(row.sum(), 1) for row in counts)
    ratios = dsir.log_ratios(*counts)
    buckets, holders = dsir.ngram_buckets(cut)
    assert sorted(zip(holders.tolist(), buckets.tolist(), strict=True)) == sorted(
        (number, place) for number, of_unit in enumerate(features) for place in of_unit
    )
    for place in {place for of_unit in features for place in of_unit}:
        assert ratios[place] == pytest.approx(math.log(p[place] + 1e-8) - math.log(q[place] + 1e-8))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "A", "b", "ß", "ss", "e\u0301", "é", ""])))
def test_duplicates_are_later_units_of_the_same_folded_text(texts: list[str]) -> None:
    folded = [{"A": "a", "ß": "ss", "e\u0301": "é"}.get(text, text) for text in texts]
    expected = [text in folded[:place] for place, text in enumerate(folded)]
    digests = Forms.of(texts, [("fr", "en")[place % 2] for place in range(len(texts))]).digests()
    assert is_duplicate(digests).tolist() == expected
    for row, text in zip(digests, folded, strict=True):
        assert row.astype("<u8").tobytes() == hashlib.sha256(text.encode()).digest()
