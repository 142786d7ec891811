"""Parts of a word list and of a corpus that share nothing, and pivots that are no words of another part."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.bench.config import BenchConfig, part_shares
from pivotlens.bench.parts import components, part_of_concepts
from pivotlens.bench.stage import build_benchmark
from pivotlens.bench.wordlist import ListedConcept, parse_word_list
from pivotlens.corpus import Shard, list_corpus, read_documents
from pivotlens.corpus.by_group import part_by_share, write_parts
from pivotlens.errors import ConfigError
from pivotlens.mine.tokens import TokenWords

SHARES = ("mining=0.4", "dev=0.2", "test=0.4")
LISTED = (
    b"concept\tpos\tsynset\ten\tfr\n"
    b"a\tn\t1\ttable|desk\tbureau\n"
    b"b\tn\t2\tchart\tTable\n"  # the French word is written like the English one of a
    b"c\tn\t3\toffice\tbureau\n"
    b"d\tn\t4\tdog\tchien\n"
    b"e\tv\t4\tfollow\tsuivre\n"  # the synset of d
    b"f\tn\t5\tcat\tchat\n"
)


def _connected(concepts: list[ListedConcept]) -> set[frozenset[str]]:
    """Return the components the slow way: whatever can be reached, from each concept anew."""

    def near(one: ListedConcept, other: ListedConcept) -> bool:
        words = ({word for _, word in concept.forms()} for concept in (one, other))
        return bool(set.intersection(*words)) or (one.synset != "" and one.synset == other.synset)

    found = set()
    for concept in concepts:
        reached = [concept]
        for here in reached:
            reached += [other for other in concepts if other not in reached and near(here, other)]
        found.add(frozenset(one.concept_id for one in reached))
    return found


def test_components_share_a_word_of_any_language_or_a_synset():
    found = components(parse_word_list(LISTED, "list"))
    assert found == [["a", "b", "c"], ["d", "e"], ["f"]]


@given(st.lists(st.tuples(st.sampled_from("nv"), st.sampled_from(["", "1", "2", "3"]),
                          st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=3)), max_size=12))  # fmt: skip
def test_components_against_the_slow_way(rows):
    concepts = [
        ListedConcept(f"c{place}", "test", None, pos, synset, {"en": (words[0],), "fr": tuple(words[1:])})
        for place, (pos, synset, words) in enumerate(rows)
    ]
    assert {frozenset(members) for members in components(concepts)} == _connected(concepts)


def test_parts_have_their_shares_in_every_part_of_speech():
    rows = [f"c{n}\t{'nv'[n % 4 == 0]}\tw{n}\tm{n}" for n in range(400)]
    concepts = parse_word_list("\n".join(["concept\tpos\ten\tfr", *rows]).encode(), "list")
    parts = part_of_concepts(concepts, part_shares(SHARES), seed=0)
    for pos, n in (("n", 300), ("v", 100)):
        sizes = {part: sum(parts[c.concept_id] == part for c in concepts if c.pos == pos) for part in ("mining", "dev")}
        assert sizes == pytest.approx({"mining": 0.4 * n, "dev": 0.2 * n}, abs=2)
    assert parts == part_of_concepts(concepts[::-1], part_shares(SHARES), seed=0) or len(set(parts.values())) == 3
    assert parts != part_of_concepts(concepts, part_shares(SHARES), seed=1)


def test_the_parts_of_the_bundled_list_share_nothing(tmp_path):
    made = {
        part: build_benchmark(BenchConfig(languages=("en", "fr", "de"), parts=SHARES, part=part), tmp_path / part)
        for part in ("mining", "dev", "test")
    }
    tests = {part: {one.concept_id for one in bench.test_concepts()} for part, bench in made.items()}
    words = {
        part: {word.casefold() for one in bench.test_concepts() for of in one.accepted.values() for word in of}
        for part, bench in made.items()
    }
    for part, others in (("mining", ("dev", "test")), ("dev", ("test",))):
        for other in others:
            assert not tests[part] & tests[other]
            assert not words[part] & words[other]
            assert words[other] <= {word.casefold() for word in made[part].words_of_other_parts}
    assert sum(map(len, tests.values())) == pytest.approx(2048, abs=20)  # rare parts of speech lack distractors
    for part, bench in made.items():
        assert {one.concept_id for one in bench.shot_concepts()} == {
            one.concept_id for one in made["test"].shot_concepts()
        }
        assert bench.manifest.details["calibration_concepts"] == 100
        assert all(set(one.distractors) <= tests[part] for one in bench.test_concepts())
        assert not words[part] & {word.casefold() for word in bench.words_of_other_parts}


@pytest.mark.parametrize(
    ("parts", "part", "message"),
    [
        (("a=0.5", "b=0.4"), "a", "add up to 0.9, not to 1"),
        (("a=0.5", "a=0.5"), "a", "'a' is named twice"),
        (("a=half", "b=0.5"), "a", "'a=half' is no part"),
        (("a=nan", "b=0.5"), "a", "'a=nan' is no part"),
        (("a=0.5", "b=0.5"), "c", "part = 'c' is none of `parts`; it can be a or b"),
        (("a=0.5", "b=0.5"), "", "part = '' is none of `parts`"),
        ((), "test", "there are no `parts`"),
    ],
)
def test_impossible_parts_are_refused(parts, part, message):
    with pytest.raises(ConfigError, match=message):
        BenchConfig.build({"command line": {"parts": parts, "part": part}})


# -- pivots


def test_forms_of_words_but_not_their_pieces():
    texts = [
        " cat",
        " Cats",
        " catsup",
        " ca",
        " water",
        " waters",
        " wate",
        " wat",
        " ice",
        "water",
        " hous",
        " house",
    ]
    words = TokenWords.build(range(len(texts)), texts, np.ones(len(texts), dtype=np.int64))
    found = {words.texts[place] for place in words.inflections(["cat", "Water", "ice cream", "houses"])}
    assert found == {"cat", "water", "waters", "wate", "hous", "house"}


# -- the corpus


def _rows(n: int) -> list[dict[str, str]]:
    return [
        {"text": f"text {number} {code}", "language": code, "group": f"g{number}", "source": "s"}
        for number in range(n)
        for code in ("fr", "en", "de")
    ]


def test_parts_of_a_corpus_share_no_group(tmp_path):
    (tmp_path / "corpus").mkdir()
    for place in range(2):
        rows = [orjson.dumps(row) for row in _rows(400)[place::2]]
        (tmp_path / f"corpus/{place}.jsonl").write_bytes(b"\n".join([*rows, b"no json"]))
    files = list_corpus(str(tmp_path / "corpus"))
    shares = {"train": 0.8, "unseen": 0.2}
    counts = write_parts(files, tmp_path, tuple(shares), part_by_share(shares, 0), ("fr", "en"))
    documents = {
        part: [one for file in list_corpus(str(tmp_path / part)) for one in read_documents(Shard.whole(file))]
        for part in shares
    }
    groups = {part: {one.group for one in found} for part, found in documents.items()}
    assert not groups["train"] & groups["unseen"]
    assert counts == {part: len(found) for part, found in documents.items()}
    assert sum(counts.values()) == 800
    assert {one.language for found in documents.values() for one in found} == {"fr", "en"}
    assert counts["unseen"] / 800 == pytest.approx(0.2, abs=0.05)
    assert part_by_share(shares, 0)(b"g1") == part_by_share(shares, 0)(b"g1")
    assert any(part_by_share(shares, 0)(g) != part_by_share(shares, 1)(g) for g in (b"g%d" % n for n in range(30)))


def test_a_part_without_documents_is_refused(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(orjson.dumps(_rows(1)[0]))
    with pytest.raises(ConfigError, match="'unseen' of the corpus got no document"):
        write_parts(list_corpus(str(tmp_path / "a.jsonl")), tmp_path, ("train", "unseen"), lambda group: "train")
