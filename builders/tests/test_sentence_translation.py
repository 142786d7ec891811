from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pivotlens.harness.sentences import bundled_groups, sentence_key

from open_desktop_corpus.tatoeba import without_task
from sentence_translation.baselines import WordFrequencies, accuracies, figures, hit
from sentence_translation.distractors import LENGTH, NEAR, Pool
from sentence_translation.sentences import Links, choose_groups, content, is_usable, jaccard, units

ROWS = [
    {
        "ja": "私は毎朝新聞を読みます。",
        "en": "I read the newspaper every morning.",
        "fr": "Je lis le journal chaque matin.",
    },
    {
        "ja": "毎朝新聞を読んでいます。",
        "en": "I read the newspaper every morning.",
        "fr": "Chaque matin, je lis mon journal.",
    },
    {"ja": "毎朝新聞を読んでいます。", "en": "Every morning I read the paper.", "fr": "Le matin je lis le journal."},
    {"ja": "彼は東京で働いています。", "en": "He works in a bank in Tokyo.", "fr": "Il travaille dans une banque."},
]


def test_words_and_what_a_sentence_is_about() -> None:
    assert units("He works, in Tokyo!", "en") == ("he", "works", "in", "tokyo")
    assert units("東京で、働く。", "ja") == tuple("東京で働く")
    assert content("He works in Tokyo", "en") == {"work", "tokyo"}
    assert content("東京で働く", "ja") == {"東京", "働"}
    assert jaccard({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert jaccard((), ()) == 0


def test_which_sentences_are_usable() -> None:
    assert is_usable("I read the newspaper every morning.", "en")
    assert not is_usable("I read.", "en")
    assert not is_usable("I read the newspaper 新聞 every morning.", "en")
    assert not is_usable("I read the newspaper every morning.", "ja")


def test_links_reach_two_rows_far() -> None:
    found = Links.of(ROWS).linked(ROWS[0].values())
    assert {sentence_key(row["fr"]) for row in ROWS[:3]} <= found  # the third is linked by the Japanese of the second
    assert sentence_key(ROWS[3]["fr"]) not in found
    assert Links.of(ROWS).english(ROWS[1]["ja"]) == sorted({ROWS[1]["en"], ROWS[2]["en"]})


def test_groups_are_not_linked_and_hold_nothing_excluded() -> None:
    links = Links.of(ROWS)
    chosen = choose_groups(ROWS, links, frozenset(), least=2, shots=0)
    assert len(chosen) == 2
    assert sum("paper" in group["en"] for group in chosen) == 1
    without = choose_groups(ROWS, links, {sentence_key(ROWS[3]["fr"])}, least=2, shots=0)
    assert [group for group in without if "Tokyo" in group["en"]] == []  # two languages are too few


def test_distractors_are_near_in_length_and_far_in_meaning() -> None:
    rows = list(ROWS)
    for german, french in (
        ("Zeitungen gibt es am Bahnhof.", "Un journal est vendu à la gare."),
        ("Mein Bruder druckt Zeitungen.", "Mon frère imprime un journal."),
        ("Die Katze liegt auf der Zeitung.", "Un chat dort sur le journal."),
        ("Zeitungspapier brennt im Ofen.", "Le journal brûle dans le four."),
    ):
        rows.append({"de": german, "fr": french, "en": f"The newspaper, {german[:9]} and {french[-9:]}"})
    rows.append(
        {"ja": "新聞。", "en": "A newspaper.", "fr": "Un journal qui est beaucoup, beaucoup trop long pour cela."}
    )
    links = Links.of(rows)
    frequencies = WordFrequencies.of(("fr", row["fr"]) for row in rows)["fr"]
    chosen = Pool.of("fr", links, frozenset()).choose(rows[0], links, frequencies)
    assert chosen is not None
    right = rows[0]["fr"]
    for one in chosen:
        assert abs(len(one) - len(right)) <= LENGTH * len(right)
        assert jaccard(content(one, "fr"), content(right, "fr")) < NEAR
        assert sentence_key(one) not in links.linked(rows[0].values())
    assert (
        Pool.of("fr", links, frozenset(sentence_key(row["fr"]) for row in rows)).choose(rows[0], links, frequencies)
        is None
    )


def test_baselines() -> None:
    assert hit([1.0, 3.0, 3.0, 2.0], 1) == 0.5
    assert hit([1.0, 3.0, 3.0, 2.0], 0) == 0
    frequencies = WordFrequencies.of([("en", "the dog the cat"), ("en", "the house")])["en"]
    found = figures({"de": "der Dog"}, ["the dog", "a big house"], "en", frequencies)
    assert found["longest"] == [7.0, 11.0]
    assert found["words of the source:de"] == [1, 0]
    assert found["common words"][0] > found["common words"][1]
    assert found["spelled like the source:de"][0] > 0 == found["spelled like the source:de"][1]


def test_the_shipped_groups_are_balanced() -> None:
    frequencies = WordFrequencies.of([])["zh"]
    n, found = accuracies(bundled_groups(), "de", "zh", frequencies)
    assert n > 290
    assert 0.2 < found["longest"] < 0.3


def test_a_corpus_can_leave_the_sentences_out(tmp_path: Path) -> None:
    group = bundled_groups()[0]
    pairs = [
        ("fr", group.sentences["fr"].upper(), "Something else."),
        ("fr", "Autre chose.", group.distractors["en"][0]),
        ("fr", "Autre chose.", "Something else."),
    ]
    dropped: Counter[str] = Counter()
    assert list(without_task(pairs, dropped)) == pairs[2:]
    assert dropped.total() == 2
