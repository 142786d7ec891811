"""Language codes, names and directions."""

import pytest

from pivotlens.errors import ConfigError
from pivotlens.text import Direction, english_name, language_code, native_name, parse_direction
from pivotlens.text.languages import NATIVE_NAMES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "en"), ("EN", "en"), ("eng", "en"), ("eng_Latn", "en"), ("en-GB", "en"), ("en_US", "en"),
        ("fra", "fr"), ("fre", "fr"), ("deu_Latn", "de"), ("spa_Latn", "es"), ("pt-BR", "pt"), ("por_Latn", "pt"),
        ("zh", "zh"), ("zho", "zh"), ("cmn", "zh"), ("zho_Hans", "zh"), ("zh-CN", "zh"), ("zh-Hans-CN", "zh"),
        ("cmn_Hani", "zh"), ("zho_Hant", "zh-Hant"), ("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"),
        ("zh_Hant", "zh-Hant"), ("zh-Hant-TW", "zh-Hant"), ("zh-MO", "zh-Hant"), ("jpn_Jpan", "ja"), ("kor_Hang", "ko"),
        ("arb_Arab", "ar"), ("nb", "no"), ("nob_Latn", "no"), ("swh_Latn", "sw"), ("srp_Cyrl", "sr"),
        ("sr-Latn", "sr-Latn"), ("__label__fr", "fr"), ("__label__zho_Hans", "zh"), ("__label__srp_Latn", "sr-Latn"),
        ("fr_FR.UTF-8", "fr"), ("fr_FR.utf8@euro", "fr"), ("zh_CN.GB18030", "zh"), ("zh_TW.Big5", "zh-Hant"),
        ("pt-br", "pt"), ("PT_BR", "pt"), ("sr@latin", "sr-Latn"), ("sr_RS@latin", "sr-Latn"), ("sr_RS", "sr"),
        ("sr_RS.UTF-8@Latin", "sr-Latn"), ("uz_UZ@cyrillic", "uz-Cyrl"), ("ca_ES@valencia", "ca"), (" fr\n", "fr"),
        ("pes_Arab", "fa"), ("zsm_Latn", "ms"), ("iw", "he"), ("tha_Thai", "th"),
    ],
)  # fmt: skip
def test_codes(code, expected):
    assert language_code(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        "xx",
        "klingonese",
        "e",
        "12",
        "en--fr",
        "zh_Hanss",
        "fr zh",
        "水",
        "__label__",
        "__label__xx",
        ".UTF-8",
        "@latin",
        "C",
        "C.UTF-8",
        "POSIX",
        "xx_XX.UTF-8",
    ],
)
def test_no_codes(code):
    with pytest.raises(ConfigError) as caught:
        language_code(code, "languages (run.toml)")
    assert repr(code) in caught.value.message
    assert "languages (run.toml)" in caught.value.message
    assert caught.value.hint


def test_codes_are_stable():
    for code in ("en", "zh", "zh-Hant", "sr-Latn", "no", "fa", "ms", "yue_Hant"):
        once = language_code(code)
        assert language_code(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fr-zh", ("fr", "zh")), ("fr→zh", ("fr", "zh")), ("fr:zh", ("fr", "zh")), ("fr>zh", ("fr", "zh")),
        ("fr->zh", ("fr", "zh")), ("fr => zh-Hant", ("fr", "zh-Hant")),
        (" fr - zh ", ("fr", "zh")), ("fra-cmn", ("fr", "zh")), ("fra_Latn-zho_Hant", ("fr", "zh-Hant")),
        ("fr:zh-Hant", ("fr", "zh-Hant")), ("zh-Hant:zh", ("zh-Hant", "zh")), ("zh-Hant→en", ("zh-Hant", "en")),
    ],
)  # fmt: skip
def test_directions(text, expected):
    direction = parse_direction(text)
    assert direction == Direction(*expected)
    assert parse_direction(str(direction)) == direction


@pytest.mark.parametrize(
    "text", ["", "fr", "fr-fr", "en-eng", "fr-zh-de", "fr-", "-zh", "zh-Hant-en", "fr zh", "fr:", "a:b:c"]
)
def test_no_directions(text):
    with pytest.raises(ConfigError, match="directions"):
        parse_direction(text)


def test_a_direction_prints_so_that_it_can_be_read():
    assert str(Direction("fr", "zh")) == "fr-zh"
    assert str(Direction("fr", "zh-Hant")) == "fr:zh-Hant"


def test_names():
    assert english_name("zh") == "Chinese"
    assert english_name("qaa") == "Qaa", "a language of one's own is called by its code"
    assert native_name("zh", "fr") == "chinois"
    assert native_name("ja", "ja") == "日本語"
    with pytest.raises(ConfigError, match="'xh'"):
        english_name("xh")
    with pytest.raises(ConfigError, match="'ru' in language 'fr'"):
        native_name("ru", "fr")
    with pytest.raises(ConfigError, match="use prompt = 'english'"):
        native_name("fr", "ru")


def test_native_names_are_a_full_table_without_doubles():
    for names in NATIVE_NAMES.values():
        assert set(names) == set(NATIVE_NAMES)
        assert len(set(names.values())) == len(names)
