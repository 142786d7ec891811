from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pivotlens.bench
import pytest
from pivotlens.bench.versions import restored

import word_translation
from everyday_nouns.dictionaries import KANA_NAME, Dictionary, Entry, read_cedict, read_jmdict
from everyday_nouns.wordnet import Pointer, Synset, WordNet
from word_translation.accepted import chinese, japanese
from word_translation.accepted.extend import Asked, extend
from word_translation.accepted.gender import feminine
from word_translation.accepted.reviews import (
    BOTH,
    ONE_ATTESTED,
    THIRD,
    Change,
    merge,
    read_changes,
    read_decisions,
    review_tsv,
    undecided_tsv,
)
from word_translation.accepted.spelling import english_spellings, french_spellings, spanish_spellings
from word_translation.lexicons import Lexicons
from word_translation.sample import answers_report, draw, read_answers
from word_translation.table import LANGUAGES, Row, accepted_problem, read_rows, write_rows

DATA = Path(pivotlens.bench.__file__).parent / "data"
STEM = "word_translation"


# -- the rules


def written(*words: str) -> Callable[[str], float]:
    return lambda word: 3.0 if word in words else 0.0


@pytest.mark.parametrize(
    ("language", "word", "form"),
    [
        ("fr", "heureux", "heureuse"),
        ("fr", "complet", "complète"),
        ("fr", "net", "nette"),
        ("fr", "bas", "basse"),
        ("fr", "acteur", "actrice"),
        ("fr", "vendeur", "vendeuse"),
        ("fr", "ingénieur", "ingénieure"),
        ("fr", "supérieur", "supérieure"),
        ("fr", "détenu", "détenue"),
        ("es", "trabajador", "trabajadora"),
        ("es", "inglés", "inglesa"),
        ("es", "ladrón", "ladrona"),
        ("de", "Arzt", "Ärztin"),
        ("de", "Bauer", "Bäuerin"),
        ("de", "Kunde", "Kundin"),
        ("de", "Zauberer", "Zauberin"),
        ("de", "Angestellter", "Angestellte"),
    ],
)
def test_feminine_forms(language: str, word: str, form: str) -> None:
    assert feminine(language, word, written(form)) == form
    assert feminine(language, word, written()) == ""  # a form that nobody writes is no word


@pytest.mark.parametrize(
    ("language", "word", "other"),
    [
        ("fr", "médecin", "médecine"),
        ("fr", "rapide", "rapidee"),
        ("es", "superior", "superiora"),
        ("es", "feliz", "feliza"),
        ("de", "Lehrerin", "Lehrerinin"),
        ("de", "Häftling", "Häftlingin"),
    ],
)
def test_what_has_no_feminine_form(language: str, word: str, other: str) -> None:
    assert feminine(language, word, written(other)) == ""


def test_a_verb_is_no_feminine_form() -> None:
    assert feminine("de", "Arbeiter", written("Arbeite", "Arbeiterin")) == "Arbeiterin"


def test_other_spellings() -> None:
    assert english_spellings("color", {"color", "colour"}) == ["colour"]
    assert english_spellings("realise", {"realize", "see"}) == ["realize"]
    assert english_spellings("color", {"color"}) == []
    assert french_spellings("œuf") == ["oeuf"]
    assert french_spellings("connaître") == ["connaitre"]
    assert french_spellings("mûr") == []  # "mur" is a wall
    assert french_spellings("événement") == ["évènement"]
    assert french_spellings("clef") == ["clé"]
    assert spanish_spellings("video") == ["vídeo"]
    assert spanish_spellings("casa") == []


def test_chinese_forms() -> None:
    assert chinese.with_de("红色") == ["红色的"]
    assert chinese.with_de("红色的") == ["红色"]
    assert chinese.with_di("突然") == ["突然地"]
    assert chinese.with_di("突然地") == ["突然"]
    assert chinese.with_di("已经") == chinese.with_di("本能地") == []
    assert chinese.colours("红") == ["红色"]
    assert chinese.colours("橙子") == []


def test_traditional_characters_follow_the_sense() -> None:
    tables = {"s2t": "面麪", "s2tw": "面麵", "s2hk": "面麪", "t2tw": "麪麵", "t2hk": "麵麪"}
    convert = {name: lambda text, pair=pair: text.replace(*pair) for name, pair in tables.items()}
    assert chinese.traditional("面", {"面"}, convert) == []  # a face
    assert chinese.traditional("面", {"麵"}, convert) == ["麵", "麪"]  # noodles
    assert chinese.traditional("面", (), convert) == ["麪", "麵"]


NA = frozenset({"adjectival nouns or quasi-adjectives (keiyodoshi)"})
NO = frozenset({"nouns which may take the genitive case particle 'no'"})


def test_japanese_endings_and_colours() -> None:
    assert japanese.adjectives("静か", NA) == ["静かな"]
    assert japanese.adjectives("木製", NO) == ["木製の"]
    assert japanese.adjectives("慢性", NA | NO) == ["慢性な", "慢性の"]
    assert japanese.adjectives("現代的", frozenset()) == ["現代的な"]
    assert japanese.adjectives("きれい", NA) == ["きれいな"]
    assert japanese.adjectives("高い", frozenset()) == japanese.adjectives("変わった", frozenset()) == []
    assert japanese.adverbs("ゆっくり", frozenset({"adverb taking the 'to' particle"})) == ["ゆっくりと"]
    assert japanese.adverbs("すぐに", frozenset()) == []
    assert japanese.colours("青い") == ["青", "青の", "青色", "青色の"]
    assert japanese.colours("黄色") == ["黄色い", "黄色の"]
    assert japanese.colours("紫色") == ["紫", "紫の", "紫色の"]
    assert japanese.colours("灰色") == ["灰色の"]
    assert japanese.colours("青白い") == []


def entry(words: str, reading: str, common: str = "", tags: frozenset[str] = frozenset()) -> Entry:
    forms = frozenset(words.split())
    return Entry(
        {"ja": forms, "en": frozenset({"x"})}, frozenset({reading}), reading, frozenset(common.split()), tags=tags
    )


def spelled(word: str, one: Entry, in_kana: bool = False, usual: str = "") -> list[str]:
    return japanese.spellings(word, [one], in_kana, lambda form: form in usual.split())


def test_japanese_spellings() -> None:
    peach = entry("桃 もも モモ", "もも", "桃 もも", frozenset({KANA_NAME}))
    assert spelled("桃", peach) == ["もも", "モモ"]
    assert spelled("犬", entry("犬 いぬ", "いぬ", "犬 いぬ")) == []
    assert spelled("犬", entry("犬 いぬ", "いぬ", "犬 いぬ"), in_kana=True) == ["いぬ"]
    assert spelled("殆ど", entry("殆ど 幾ど ほとんど", "ほとんど"), in_kana=True, usual="ほとんど") == ["ほとんど"]
    assert spelled("引っ越し", entry("引っ越し 引越し 転居 ひっこし", "ひっこし", "引越し 転居")) == ["引越し"]
    assert spelled("コンピューター", entry("コンピューター コンピュータ", "コンピューター"), usual="コンピュータ") == [
        "コンピュータ"
    ]
    assert spelled("バージョン", entry("バージョン ヴァージョン", "バージョン"), usual="ヴァージョン") == [
        "ヴァージョン"
    ]
    assert spelled("ルビー", entry("ルビー ルビ", "ルビー"), usual="ルビ") == []  # ruby text
    two = [entry("忠実 ちゅうじつ", "ちゅうじつ"), entry("忠実 まめ", "まめ")]
    assert japanese.spellings("忠実", two, True, lambda form: True) == []  # which of the two is not told
    assert japanese.with_ending("掃除する", "掃除", ["そうじ"]) == ["そうじする"]


JMDICT = """<?xml version="1.0"?><!DOCTYPE JMdict [<!ENTITY uk "word usually written using kana alone">
<!ENTITY iK "word containing irregular kanji usage"><!ENTITY adj-na "adjectival nouns">]><JMdict><entry>
<k_ele><keb>林檎</keb><ke_pri>ichi1</ke_pri></k_ele><k_ele><keb>苹果</keb><ke_inf>&iK;</ke_inf></k_ele>
<r_ele><reb>りんご</reb></r_ele><r_ele><reb>リンゴ</reb><re_nokanji/></r_ele>
<sense><pos>&adj-na;</pos><misc>&uk;</misc><gloss>apple (fruit)</gloss><gloss xml:lang="fre">pomme</gloss></sense>
<sense><gloss>tree</gloss></sense></entry></JMdict>"""


def test_what_the_dictionaries_say_of_a_word(tmp_path: Path) -> None:
    (tmp_path / "jmdict.gz").write_bytes(gzip.compress(JMDICT.encode()))
    (apple,) = read_jmdict(tmp_path / "jmdict.gz").entries("ja", frozenset({"林檎"}))
    assert (apple.reading, apple.common, apple.unusual) == ("りんご", {"林檎"}, {"苹果"})
    assert apple.in_kana == {"apple"}
    assert {KANA_NAME, "adjectival nouns"} <= apple.tags
    (tmp_path / "cedict.gz").write_bytes(gzip.compress("# x\n麵 面 [mian4] /noodles/\n".encode()))
    (noodles,) = read_cedict(tmp_path / "cedict.gz").entries("zh", frozenset({"面"}))
    assert (noodles.traditional, noodles.words["en"]) == ("麵", {"noodles"})


# -- the table


class Persons(WordNet):
    def __init__(self) -> None:
        person = (Pointer("@", "00007846-n", 0, 0),)
        self.synsets = {
            "00007846-n": Synset("03", ("person",), ()),
            "00000001-n": Synset("18", ("farmer",), person, "one who farms"),
            "00000002-n": Synset("18", ("king",), person, "a male sovereign"),
            "00000003-n": Synset("18", ("cook",), person, "one who cooks"),
            "00000004-n": Synset("06", ("wall",), (), "a thing"),
        }
        self._senses = {}
        self.closure = lambda one: frozenset(p.target for p in self.synsets[one].pointers)


def concept(name: str, number: int, split: str = "test", **words: str) -> Row:
    words = {"de": "Mitglied", **words}  # which has no feminine
    cells = {code: tuple(words.get(code, f"{name}e").split("|")) for code in LANGUAGES}
    return Row(f"{name}.n", split, False, "n", f"{number:08}-n", "", cells)


def asked(**pairs: str) -> Asked:
    freedict = SimpleNamespace(translations=lambda *key: frozenset(), links=lambda *key: False)
    nothing = Dictionary([])
    lexicons = cast(
        Lexicons,
        SimpleNamespace(wordnet=Persons(), jmdict=nothing, cedict=nothing, freedict=freedict, dictionaries=lambda: ()),
    )
    names = ("s2t", "s2tw", "s2hk", "s2twp", "t2tw", "t2hk", "t2s")
    return Asked(lexicons, lambda language, word: 3.0, {name: lambda text: text for name in names}, {})


LINKS = "concept_id\tlanguage\tword\trelation\nfarmer.n\ten\tpeasant\thyponym\nfarmer.n\ten\tfermière\tsynonym\n"


def test_a_table_grows_behind_its_words_and_says_how() -> None:
    rows = [
        concept("farmer", 1, fr="fermier", es="granjero"),
        concept("king", 2, fr="roi", es="rey"),
        concept("wall", 4, es="muro"),
    ]
    out = extend(rows, [("farmer.n", "wall.n")], LINKS, [Change("farmer.n", "fr", "add", "paysan")], asked())
    assert out.rows[0].words["fr"] == ("fermier", "fermière", "paysan", "paysane")
    assert out.rows[0].words["es"] == ("granjero", "granjera")
    assert out.rows[1].words == rows[1].words  # a king is a man
    assert out.rows[2].words == rows[2].words  # a wall has no sex
    assert ("farmer.n", "fr", "added", "", "paysan", "review") in out.changes
    assert ("farmer.n", "fr", "added", "", "paysane", "review: feminine") in out.changes
    assert ("farmer.n", "es", "added", "", "granjera", "feminine") in out.changes
    assert out.unlinked == ["farmer.n\ten\tfermière\tsynonym"]
    assert (out.left, out.problems) == ([], [])


def test_no_added_word_is_shared_with_a_shot_or_a_distractor() -> None:
    rows = [
        concept("farmer", 1, es="granjero", fr="fermier"),
        concept("cook", 3, split="shot", es="granjera"),
        concept("wall", 4, fr="fermière"),
    ]
    out = extend(rows, [("farmer.n", "wall.n")], "h\n", [], asked())
    assert out.rows[0].words == rows[0].words
    assert {(one.word, one.why) for one in out.left} == {
        ("granjera", "a shot concept would share it with another: cook.n"),
        ("fermière", "a distractor's word: wall.n"),
    }


def test_phrases_are_accepted() -> None:
    rows = [concept("farmer", 1, es="granjero")]
    reviewed = [Change("farmer.n", "fr", "add", word) for word in ("petit pois", "tout de suite", "10h")]
    reviewed += [Change("farmer.n", "en", "add", "grown-up")]
    out = extend(rows, [], "h\n", reviewed, asked())
    assert out.rows[0].words["fr"][1:3] == ("petit pois", "tout de suite")
    assert "grown-up" in out.rows[0].words["en"]
    assert {one.word: one.why for one in out.left} == {"10h": "is not one word in the script of its language"}


@pytest.mark.parametrize(
    ("language", "pos", "word", "problem"),
    [
        ("ja", "a", "静かな", ""),
        ("ja", "a", "静か", ""),
        ("ja", "a", "かたくなな", ""),
        ("fr", "n", "chute d'eau", ""),
        ("es", "n", "arco iris", ""),
        ("en", "a", "well-known", ""),
        ("de", "n", "Fata Morgana", ""),
        ("fr", "n", "l'État", "has a capital"),
        ("ja", "n", "１０代", "is not one word in the script of its language"),
        ("en", "n", "two  words", "is no phrase in the script of its language"),
        ("zh", "n", "二 三", "is not one word in the script of its language"),
    ],
)
def test_the_shape_of_a_word_that_is_accepted_beside_the_displayed_one(
    language: str, pos: str, word: str, problem: str
) -> None:
    assert accepted_problem(language, pos, word) == problem


def test_what_reviewers_remove_stays_out() -> None:
    rows = [concept("farmer", 1, es="granjero|campesino", fr="fermier")]
    reviewed = [
        Change("farmer.n", "es", "remove", "campesino"),
        Change("farmer.n", "fr", "remove", "fermière"),  # a rule would add it
        Change("farmer.n", "es", "remove", "granjero"),  # displayed
        Change("farmer.n", "de", "remove", "Nix"),
        Change("cow.n", "es", "add", "vaca"),
    ]
    out = extend(rows, [], "h\n", reviewed, asked())
    assert out.rows[0].words["es"] == ("granjero", "granjera")
    assert out.rows[0].words["fr"] == ("fermier",)
    assert ("farmer.n", "es", "removed", "1", "campesino", "review") in out.changes
    assert len(out.problems) == 3
    first = restored({"words": write_rows(out.rows).encode(), "links": b"h\n"}, _changes(out.changes))
    assert first["words"].decode() == write_rows(rows)


def _changes(changes: list[tuple[str, ...]]) -> bytes:
    return "".join("\t".join(line) + "\n" for line in (("header",), *changes)).encode()


# -- merging two blind reviews


def attesting(*words: str) -> Lexicons:
    found = Dictionary([Entry({"en": frozenset({"farmer"}), "fr": frozenset(words), "zh": frozenset(words)})])
    lexicons = asked().lexicons
    cast(SimpleNamespace, lexicons).dictionaries = lambda: (("cldr", found),)
    return lexicons


def test_two_blind_reviews_are_merged() -> None:
    rows = {"farmer.n": concept("farmer", 1, en="farmer", fr="fermier|laboureur|rustre")}
    add, remove = (lambda word, kind=kind: Change("farmer.n", "fr", kind, word) for kind in ("add", "remove"))
    first = [
        add("paysan"),
        add("exploitant"),
        add("cultivateur"),
        remove("rustre"),
        remove("laboureur"),
        add("Fermier"),
    ]
    second = [
        add("paysan"),
        remove("rustre"),
        remove("fermier"),
        remove("vache"),
        Change("cow.n", "fr", "add", "vache"),
    ]
    merged = merge(first, second, rows, attesting("exploitant"))
    assert [(one.change, one.word, one.why) for one in merged.taken] == [
        ("add", "exploitant", ONE_ATTESTED),
        ("add", "paysan", BOTH),
        ("remove", "rustre", BOTH),
    ]
    assert [(one.change, one.word) for one in merged.undecided] == [("add", "cultivateur"), ("remove", "laboureur")]
    assert [line.split("\t")[-1] for line in merged.left] == [
        "accepted already", "is displayed", "not accepted", "no such concept",
    ]  # fmt: skip


def test_a_third_judge_decides_what_is_undecided(tmp_path: Path) -> None:
    rows = {"farmer.n": concept("farmer", 1, en="farmer", fr="fermier|rustre")}
    asks = [Change("farmer.n", "fr", "add", "cultivateur"), Change("farmer.n", "fr", "remove", "rustre")]
    merged = merge(asks, [], rows, attesting())
    text = undecided_tsv(merged.undecided, rows, {"00000001-n": "one who farms"})
    path = tmp_path / "undecided.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"undecided\.tsv:2: the decision is ''"):
        read_decisions(path)
    path.write_text(text.replace("cultivateur\t", "cultivateur\tyes").replace("remove\trustre\t", "remove\trustre\tno"))
    merged = merge(asks, [], rows, attesting(), read_decisions(path))
    assert [(one.word, one.why) for one in merged.taken] == [("cultivateur", THIRD)]
    assert [one.word for one in merged.refused] == ["rustre"]
    assert merged.undecided == []
    no = {change.key: False for change in asks}
    assert merge(asks, [], rows, attesting("cultivateur")).taken[0].why == ONE_ATTESTED
    assert merge(asks, [], rows, attesting("cultivateur"), no).taken == []  # the judge beats the dictionary
    assert [one.why for one in merge(asks, asks, rows, attesting(), no).taken] == [BOTH, BOTH]


def test_reviews_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "A.tsv"
    path.write_text("concept_id\tlanguage\tchange\tword\nfarmer.n\tfr\tadd\tcafe\u0301\n\n", encoding="utf-8")
    changes = read_changes(path)
    assert changes == [Change("farmer.n", "fr", "add", "café")]
    path.write_text(review_tsv(changes), encoding="utf-8")
    assert read_changes(path) == changes
    path.write_text("farmer.n\tit\tadd\tx\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"A\.tsv:1: not concept_id"):
        read_changes(path)


def test_the_committed_reviews_are_of_known_concepts() -> None:
    path = Path(word_translation.__file__).parent / "accepted" / "review.tsv"
    known = {row.concept_id for row in read_rows(DATA / f"{STEM}.tsv")}
    changes = read_changes(path)
    assert {one.concept_id for one in changes} <= known
    assert {one.why for one in changes} <= {BOTH, ONE_ATTESTED, THIRD}
    assert path.read_text(encoding="utf-8") == review_tsv(changes)


# -- the sample of two questions


def test_two_judges_answer_two_questions(tmp_path: Path) -> None:
    rows = [concept("farmer", 1), concept("cook", 3)]
    text = draw(rows, Persons(), 2, 12)
    header, *lines = text.splitlines()
    assert header.split("\t")[-3:] == ["shown", "missing", "wrong"]
    paths = [tmp_path / "a.tsv", tmp_path / "b.tsv"]
    answers = (["x\t-", "-\ty"], ["-\t-", "z\ty|w"])
    for path, (one, two) in zip(paths, answers, strict=True):
        filled = [lines[0][:-1] + one, lines[1][:-1] + two, *(line[:-1] + "-\t-" for line in lines[2:])]
        path.write_text("\n".join([header, *filled]) + "\n", encoding="utf-8")
    said = answers_report([read_answers(path) for path in paths])
    assert "2 of 12 cells miss an obvious answer, as either judge said: 16.67% (95 % interval 2.09% to 48.41%" in said
    assert "0 of 12 cells miss an obvious answer, as both judges said" in said
    assert "1 of 12 cells accept a wrong word, as both judges said" in said
    paths[0].write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.tsv:2: missing is not answered"):
        read_answers(paths[0])


def test_the_datasheet_gives_the_rates_of_the_last_sample() -> None:
    folder = Path(word_translation.__file__).parent / "samples" / "1.1"
    report = answers_report([read_answers(path) for path in sorted(folder.glob("seed_4_*.tsv"))])
    datasheet = (DATA / "WORD_TRANSLATION.md").read_text(encoding="utf-8")
    for line in report.splitlines():
        count, rate = line.split(" of ")[0], line.split(": ")[1].split(" (")[0]
        assert f"{count}: {rate}" in datasheet
