"""Prompts to the letter, the drawing of shots, and what counts as an accepted answer."""

import pytest

from pivotlens.errors import ConfigError
from pivotlens.text import Direction, is_accepted
from pivotlens.text.languages import NATIVE_NAMES
from pivotlens.translation.prompts import answer_text, draw_shot_sets, prompt_text, shot_examples

_SHOTS = [("hiver", "冬"), ("chien", "狗")]
_POOL = [f"c{i}" for i in range(20)]


def test_the_papers_prompt():
    assert prompt_text(Direction("fr", "zh"), _SHOTS, "eau", "english") == (
        "Please translate words from French to Chinese.\n\n"
        "French: hiver\nChinese: 冬\n\n"
        "French: chien\nChinese: 狗\n\n"
        "French: eau\nChinese:"
    )


def test_the_native_prompt():
    assert prompt_text(Direction("fr", "zh"), _SHOTS[:1], "eau", "native") == (
        "请将下列单词从法语翻译成中文。\n\n法语: hiver\n中文: 冬\n\n法语: eau\n中文:"
    )


def test_the_bare_prompt():
    assert prompt_text(Direction("fr", "zh"), _SHOTS, "eau", "bare") == "hiver – 冬\nchien – 狗\neau –"


def test_answers():
    assert answer_text("水") == " 水"
    assert answer_text("水", line=True) == " 水\n"


@pytest.mark.parametrize("prompt", ["english", "native", "bare"])
def test_no_prompt_ends_in_space_or_leaves_a_hole(prompt):
    for source in NATIVE_NAMES:
        for target in NATIVE_NAMES:
            if source != target:
                text = prompt_text(Direction(source, target), _SHOTS, "mot", prompt)
                assert text == text.strip()
                assert "{" not in text
                assert text.count("mot") >= 1


def test_a_language_without_a_name():
    with pytest.raises(ConfigError, match="'xh'"):
        prompt_text(Direction("fr", "xh"), _SHOTS, "eau", "english")
    with pytest.raises(ConfigError, match="'ru'"):
        prompt_text(Direction("fr", "ru"), _SHOTS, "eau", "native")
    assert prompt_text(Direction("fr", "xh"), [], "eau", "bare") == "eau –"


def test_shot_sets():
    sets = draw_shot_sets(_POOL, 5, 5, seed=0)
    assert sets == draw_shot_sets(list(reversed(_POOL)), 5, 5, seed=0)
    assert all(len(set(chosen)) == 5 and set(chosen) <= set(_POOL) for chosen in sets)
    assert len({tuple(chosen) for chosen in sets}) == 5
    assert draw_shot_sets(_POOL, 5, 3, seed=0) == sets[:3]
    assert draw_shot_sets(_POOL, 5, 5, seed=1) != sets
    assert [chosen[:3] for chosen in sets] == draw_shot_sets(_POOL, 3, 5, seed=0)
    assert sorted(draw_shot_sets(_POOL, 20, 1, seed=0)[0]) == sorted(_POOL)


def test_too_small_a_pool():
    with pytest.raises(ConfigError, match="shots = 21, but the benchmark's shot pool holds only 20"):
        draw_shot_sets(_POOL, 21, 1, seed=0)


def test_examples_of_a_direction():
    words = {"a": {"fr": "eau", "zh": "水"}, "b": {"fr": "chien", "zh": "狗"}}
    assert shot_examples(words, ["b", "a"], Direction("zh", "fr")) == [("狗", "chien"), ("水", "eau")]


@pytest.mark.parametrize(
    ("generated", "accepted", "expected"),
    [
        ("eau", ["eau"], True), ("Eau.", ["eau"], True), (" eau 。", ["eau"], True), ("水", ["水"], True),
        ("水。", ["水"], True), ("水（", ["水"], True), ("STRASSE", ["Straße"], True), ("chatte", ["chat"], False),
        ("l'eau", ["eau"], False), ("", ["eau"], False), ("...", ["eau"], False),
        ("e\u0301te\u0301", ["été"], True),
        ("voiture", ["auto", "voiture"], True), ("eau, rivière", ["eau"], False), ("etc", ["etc."], True),
        ("etc.", ["etc."], True),
    ],
)  # fmt: skip
def test_accepted_answers(generated, accepted, expected):
    assert is_accepted(generated, accepted) is expected


@pytest.mark.parametrize(
    ("generated", "accepted"),
    [
        ("aujourd\u2019hui", "aujourd'hui"), ("aujourd\u02bchui", "aujourd\u2019hui"),
        ("arc\u2011en\u2011ciel", "arc-en-ciel"),
        ("\u200eכלב\u200f", "כלב"), ("\u2068eau\u2069", "eau"), ("\ufeffeau", "eau"), ("e\u200bau", "eau"),
        ("voi\u00adture", "voiture"),
        ("می\u200cخواهم", "میخواهم"), ("葛\U000e0100", "葛"), ("ｺｰﾋｰ", "コーヒー"), ("ﾀﾞｲﾔ", "ダイヤ"),
        ("ｅａｕ", "eau"), ("ＥＡＵ．", "eau"),
        ("ﻛﻠﺐ", "كلب"), ("كَلْب", "كلب"), ("كــلب", "كلب"), ("قُرْآن", "قرآن"), ("שָׁלוֹם", "שלום"),
        ("İnsan", "insan"),
        ('"eau"', "eau"), ("« eau »", "eau"), ("\u201ceau\u201d.", "eau"), ("「水」", "水"),
        ("『水』。", "水"), ("'eau'", "eau"),
        ("\u2018eau\u2019", "eau"), ("„Hund“", "Hund"), ("‹eau›", "eau"), ("**eau**", "eau"),
        ("_eau_", "eau"), ("`eau`", "eau"),
        ("- eau", "eau"), ("• eau", "eau"), ("— eau", "eau"), ("→ eau", "eau"), ("> eau", "eau"),
        ("\u3000水\u3000", "水"),
        ("¿agua?", "agua"), ("पानी।", "पानी"), ("ماء؟", "ماء"), ("ջուր։", "ջուր"), ("ውሃ።", "ውሃ"),
        ("水…", "水"), ("[eau]", "eau"),
        ("ice\u00a0 cream", "ice cream"), ("'n", "\u2019n"),
    ],
)  # fmt: skip
def test_an_answer_is_accepted_however_it_is_written_down(generated, accepted):
    assert is_accepted(generated, [accepted])
    assert is_accepted(accepted, [generated])


@pytest.mark.parametrize(
    ("generated", "accepted"),
    [
        ("ou", "où"), ("ete", "été"), ("カキ", "かき"), ("ハハ", "パパ"), ("ビル", "ビール"), ("ﾋﾙ", "ビル"),
        ("कम", "काम"), ("กา", "ก"),
        ("اب", "أب"), ("قران", "قرآن"), ("leau", "l'eau"), ("arcenciel", "arc-en-ciel"),
        ("arc en ciel", "arc-en-ciel"),
        ("n", "'n"), ('"eau" (f.)', "eau"), ("eau - water", "eau"), ("« eau » rivière", "eau"), ("C++", "C"),
        ("1. eau", "eau"),
        ("m²", "m2"), ("①", "1"), ("台", "臺"), ("й", "и"), ("ы", "ь"), ("x=y", "xy"), ("\u200b", "x"),
        ("「」", "水"), ("'", "x"),
    ],
)  # fmt: skip
def test_what_is_nearly_an_accepted_word_is_none(generated, accepted):
    assert not is_accepted(generated, [accepted])
