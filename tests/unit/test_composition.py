"""What units are made of, held against hand-made units, units alone, and units labelled by hand."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.document_type_labels.__main__ import judged_and_found, labelled, recall_and_precision

from pivotlens.corpus.composing import by_lines
from pivotlens.corpus.composition import Composition, by_label
from pivotlens.corpus.within_lines import languages_within, pieces_of
from pivotlens.text.line_kernels import OTHER

EN = ["The installer asks for a password before it continues.", "Choose the file that you want to open.",
      "This option shows a list of all files.", "The program reads its settings from a file."]  # fmt: skip
FR = ["L'installateur demande un mot de passe avant de continuer.", "Choisissez le fichier que vous voulez ouvrir.",
      "Cette option montre une liste de tous les fichiers.", "Le programme lit ses choix dans un fichier."]  # fmt: skip
ZH = [
    "安装程序在继续之前会要求输入密码。",
    "请选择您想要打开的文件。",
    "此选项显示所有文件的列表。",
    "程序从文件中读取其设置。",
]
JA = [
    "続行する前にパスワードを入力してください。",
    "開きたいファイルを選んでください。",
    "すべてのファイルの一覧を表示します。",
]
PAIRS = [line for pair in zip(FR, EN, strict=True) for line in pair]
CATALOG = [f'msgid "{en}"\nmsgstr "{fr}"' for en, fr in (("Cancel", "Annuler"), ("Open file", "Ouvrir le fichier"),
           ("Choose the color of the line", "Choisissez la couleur de la ligne"),
           ("Delete all messages", "Supprimer tous les messages"))]  # fmt: skip
HALVES = [f"{en.rstrip('.')} {fr}" for en, fr in zip(EN, FR[1:] + FR[:1], strict=True)]
# Untranslated paragraphs among translated ones, none of them the other's translation.
PARTLY = [FR[0], FR[1], FR[2], EN[3] * 4, FR[3], EN[1]]


@pytest.mark.parametrize(
    ("lines", "label", "language", "kind"),
    [
        (FR, "fr", "fr", "monolingual"),
        (EN, "fr", "en", "monolingual"),
        (FR, "en", "fr", "monolingual"),
        (PAIRS, "fr", "fr", "parallel"),
        (PAIRS, "en", "en", "parallel"),
        (PAIRS, "de", "fr", "parallel"),
        (FR + EN, "fr", "fr", "parallel"),
        (CATALOG, "fr", "fr", "parallel"),
        (HALVES, "fr", "fr", "code_mixed"),
        (PARTLY, "fr", "fr", "other"),
        (ZH, "zh-Hant", "zh-Hant", "monolingual"),
        (ZH, "ja", "zh", "monolingual"),
        (JA, "zh", "ja", "monolingual"),
        (["関連項目", "設定"], "ja", "ja", "monolingual"),
        (["相关主题", "设置"], "en", "zh", "monolingual"),
        (ZH, "tlh", "zh", "monolingual"),
        (["nuqneH Qapla batlh Daqawlu'taH", "tlhIngan maH taHjaj"], "tlh", "tlh", "monolingual"),
        (["--help", "3 4 5"], "fr", "fr", "other"),
        ([""], "fr", "fr", "other"),
        (["OK", "Yes, no"], "fr", "fr", "monolingual"),
    ],
)
def test_language_and_type_of_a_unit(lines: list[str], label: str, language: str, kind: str) -> None:
    found = by_lines(["\n".join(lines)], [label])
    if lines not in (["関連項目", "設定"], ["相关主题", "设置"], ["OK", "Yes, no"]) or label == "ja":
        assert found.document_types == [kind]
    if lines != ["相关主题", "设置"]:
        assert found.languages == [language]
    shares = found.composition.of_unit(0)
    assert sum(shares.values()) == pytest.approx(1.0 if shares else 0.0)


def test_shares_are_of_identified_characters() -> None:
    found = by_lines(["\n".join([*FR, EN[0], "--help /etc/fstab"])], ["fr"])
    letters = {code: sum(character.isalpha() for line in lines for character in line)
               for code, lines in (("fr", FR), ("en", EN[:1]))}  # fmt: skip
    total = sum(letters.values())
    assert found.composition.codes == ("en", "fr")
    assert abs(int(found.composition.identified[0]) - total) <= 3
    assert found.composition.of_unit(0) == pytest.approx(
        {"en": letters["en"] / total, "fr": letters["fr"] / total}, abs=0.02
    )


POOLS = {  # lines that are sure by themselves
    "en": [EN[0], EN[1], EN[3]],
    "fr": FR,
    "zh": [ZH[0], ZH[2]],
    "ja": JA,
    "ru": ["Эта функция возвращает число символов в строке.", "Выберите файл, который вы хотите открыть."],
    "ko": [
        "계속하기 전에 설치 프로그램이 비밀번호를 묻습니다.",
        "열고 싶은 파일을 선택하십시오, 그러면 목록이 나타납니다.",
    ],
}


def _weight(line: str) -> int:
    """Count a line's letters, a Han one as three and a Hangul one as two."""
    names = [unicodedata.name(character, "") for character in line if character.isalpha()]
    return sum(3 if name.startswith("CJK") else 2 if name.startswith("HANGUL") else 1 for name in names)


def test_shares_and_languages_are_those_of_a_plain_count() -> None:
    rng = random.Random(0)
    units, labels = [], []
    for _ in range(300):
        languages = rng.choices(list(POOLS), k=rng.choice([1, 2, 3]))
        lines = [(code, rng.choice(POOLS[code])) for code in rng.choices(languages, k=rng.randint(1, 9))]
        units.append([*lines, *rng.choice([[], [("", "--help /etc/fstab")], [("", "")]])])
        labels.append(rng.choice([*POOLS, "tlh"]))
    found = by_lines(["\n".join(line for _, line in lines) for lines in units], labels)
    for unit, (lines, label) in enumerate(zip(units, labels, strict=True)):
        counts: Counter[str] = Counter()
        for code, line in lines:
            if code:
                counts[code] += _weight(line)
        total = counts.total()
        few = {code for code, count in counts.items() if count < max(24, total // 20) and code not in (label, "en")}
        if label == "tlh" or few:  # lines that are not sure there are not counted so plainly
            continue
        believed = 5 * counts[label] >= total or max(counts.values()) < 24
        assert found.languages[unit] == (label if believed else min(counts, key=lambda code: (-counts[code], code))), (
            lines
        )
        assert int(found.composition.identified[unit]) == total, lines
        assert found.composition.of_unit(unit) == pytest.approx({code: count / total for code, count in counts.items()})


def test_a_close_language_is_not_told_apart_on_little_text() -> None:
    norwegian = "Velg filen som du vil åpne nå."
    for label in ("da", "no", "nn"):
        assert by_lines([norwegian], [label]).languages == [label]
    croatian = "Odaberite datoteku koju želite otvoriti. Program čita postavke iz datoteke."
    for label in ("hr", "sr-Latn", "bs"):
        assert by_lines([croatian], [label]).languages == [label]


def test_a_unit_is_the_same_alone_and_among_others() -> None:
    units = ["\n".join(lines) for lines in (FR, EN, PAIRS, CATALOG, HALVES, PARTLY, ZH, JA, [""], ["--help"])]
    texts, labels = units * 3, [code for code in ("fr", "en", "zh") for _ in units]
    together = by_lines(texts, labels)
    for place, (text, label) in enumerate(zip(texts, labels, strict=True)):
        alone = by_lines([text], [label])
        assert alone.languages == [together.languages[place]]
        assert alone.document_types == [together.document_types[place]]
        assert alone.composition.of_unit(0) == together.composition.of_unit(place)
        assert alone.composition.identified[0] == together.composition.identified[place]


def test_labels_can_be_believed() -> None:
    found = by_label(["abc", ""], ["fr", "en"])
    assert found.languages == ["fr", "en"]
    assert found.composition == found.composition
    assert [found.composition.of_unit(unit) for unit in range(2)] == [{"fr": 1.0}, {}]


def test_composition_is_what_was_counted() -> None:
    composition = Composition.of([{"fr": 3, "en": 1}, {}, {"de": 5}])
    assert composition.codes == ("de", "en", "fr")
    assert [composition.of_unit(unit) for unit in range(3)] == [{"en": 0.25, "fr": 0.75}, {}, {"de": 1.0}]
    assert composition.identified.tolist() == [4, 0, 5]


def test_no_units() -> None:
    found = by_lines([], [])
    assert (found.languages, found.document_types, found.composition.codes) == ([], [], ())


def test_types_and_languages_of_units_labelled_by_hand() -> None:
    types, n_languages, right = judged_and_found(labelled())
    assert sum(types.values()) == 152
    assert sum(count for (judged, found), count in types.items() if judged == found) >= 125
    assert right >= n_languages - 3


def test_mixed_units_labelled_by_hand() -> None:
    types, n_languages, right = judged_and_found(labelled("more_units"))
    assert sum(types.values()) == 208
    assert types["code_mixed", "code_mixed"] >= 11
    assert sum(count for (judged, found), count in types.items() if judged != "code_mixed" == found) <= 6
    assert sum(count for (judged, found), count in types.items() if judged == found) >= 188
    assert right >= n_languages - 7
    assert recall_and_precision(types, "code_mixed")[0] == "11 of 16 (0.44–0.86)"


_LINES = st.lists(
    st.sampled_from(["a", "Word", "of. ", ". ", "! B", "? ", "水は", "。", "é", "…", "“", "9", " ", "\U0001f600"])
).map("".join)


@settings(deadline=None)
@given(st.lists(_LINES.filter(bool), min_size=1, max_size=4))
def test_pieces_are_cut_after_sentences_and_between_scripts(lines: list[str]) -> None:
    encoded = [line.encode() for line in lines]
    ends = np.cumsum([len(line) for line in encoded])
    starts = ends - [len(line) for line in encoded]
    found = pieces_of(np.frombuffer(b"".join(encoded), dtype=np.uint8), starts, ends)
    for number, (line, raw) in enumerate(zip(lines, encoded, strict=True)):
        pieces = [raw[begin - starts[number] : end - starts[number]] for begin, end, of in found.T if of == number]
        assert b"".join(pieces) == raw
        expected, script = [""], None
        for place, character in enumerate(line):
            lead = character.encode()[0]
            after = len(expected[-1]) > 1 and line[place - 1] == " " and line[place - 2] in ".!?"
            if lead in (0xC2, 0xE2):
                expected[-1] += character
                continue
            letter = not character.isascii() or character.isalpha()
            kind = ("east" if lead >= 0xE3 else "other") if letter else script
            if after or (script is not None and kind != script):
                expected.append("")
            script = kind
            expected[-1] += character
        if len(expected) > 1:
            assert [piece.decode() for piece in pieces] == expected
        else:
            assert len(pieces) == 2


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(-2, 3), st.integers(1, 40)), min_size=1, max_size=5), max_size=5), st.data()
)
def test_languages_within_a_line_equal_a_plain_count(lines: list[list[tuple[int, int]]], data: st.DataObject) -> None:
    close = np.zeros((4, 4), dtype=bool)
    close[0, 1] = close[1, 0] = True
    first = [data.draw(st.integers(-2, 3)) for _ in lines]
    totals = [sum(weight for _, weight in pieces) + data.draw(st.integers(0, 9)) for pieces in lines]
    flat = [(line, code, weight) for line, pieces in enumerate(lines) for code, weight in pieces]
    characters = np.zeros((len(flat), 4), dtype=np.int32)
    characters[:, OTHER] = [weight for _, _, weight in flat]
    of_pieces = np.array([(line, code) for line, code, _ in flat], dtype=np.int64).reshape(-1, 2).T
    found = languages_within(np.array(first, dtype=np.int32), np.array(totals), of_pieces, characters, close)
    for line, pieces in enumerate(lines):
        counts: Counter[int] = Counter()
        for code, weight in pieces:
            if code >= 0:
                counts[code] += weight
        expected = (first[line], -1, 0)
        own = first[line] if first[line] >= 0 else max(counts, key=lambda code: counts[code], default=-1)
        others = [code for code in counts if code != own and not (own >= 0 and close[code, own])]
        other = max(others, key=lambda code: counts[code], default=-1)
        if other >= 0 and 5 * counts[other] >= totals[line]:
            expected = (own, other, counts[other])
        assert tuple(int(array[line]) for array in found) == expected
