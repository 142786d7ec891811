"""Reading dictionaries: every format, what is cleaned away, and what is wrong with a file."""

from __future__ import annotations

import gzip

import pytest

from lexicon_files import cedict, dictd, freedict, jmdict, jmdict_bytes, pairs, table, write_dictd
from pivotlens.bench.cedict import parse_cedict
from pivotlens.bench.dictd import parse_dictd
from pivotlens.bench.jmdict import parse_jmdict
from pivotlens.bench.lexicon import is_single_word, part_of_speech, phrases_of
from pivotlens.bench.pairs import parse_pairs, parse_table
from pivotlens.bench.sources import find_lexicon
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import Direction


@pytest.mark.parametrize(
    ("gloss", "language", "found"),
    [
        ("dog (Canis (lupus) familiaris)", "en", ["dog"]),
        ("eau (froide, douce)", "fr", ["eau"]),
        ("[med] {x} <f> The  Cat; a dog, to eat", "en", ["Cat", "dog", "eat"]),
        ("l'eau, L’école; une main", "fr", ["eau", "école", "main"]),
        ("a", "en", ["a"]),
        ("die Katze / Kätzchen", "de", ["Katze", "Kätzchen"]),
        ("wide open (of doors", "en", ["wide open"]),
        (") cat", "en", ["cat"]),
        ("", "en", []),
        ("(note only)", "en", []),
        ("cafe\u0301!, café.", "en", ["café"]),
        ("Haus…, ~ heit, to ... of", "de", ["Haus…", "~ heit", "to ... of"]),
        ("猫、狗；书", "zh", ["猫", "狗", "书"]),
        ("Aix\u2010la\u2010Chapelle", "fr", ["Aix-la-Chapelle"]),
    ],
)
def test_cleaning_a_gloss(gloss, language, found):
    assert phrases_of(gloss, language) == found


@pytest.mark.parametrize("word", ["eau", "aujourd'hui", "arc-en-ciel", "水", "コーヒー", "हिन्दी", "Ï"])
def test_single_words(word):
    assert is_single_word(word)


@pytest.mark.parametrize("text", ["", "hot dog", "3C", "-er", "abr.", "l'", "a--b", "水。", "a\u00a0b"])
def test_what_is_no_single_word(text):
    assert not is_single_word(text)


def test_parts_of_speech_under_one_name():
    assert [part_of_speech(tag) for tag in ("N", "noun", "vt", "adj.", "adv", "prep", "")] == [
        "noun", "noun", "verb", "adjective", "adverb", "prep", "",
    ]  # fmt: skip


# -- tables and pairs


def test_a_table():
    content = "concept\ten\tpos\tfra\n1\tdog|hound\tn\tchien|clebs\n2\thot dog\t\thotdog|x\n"
    content += "3\tice cream\t\tune glace\n4\tcat\t\t\n\n"
    lexicon = parse_table(content.encode(), "t.tsv")
    assert lexicon.read == 4
    assert lexicon.skipped == {"of several words": 2, "without translation": 1}
    dog = lexicon.entries[0]
    assert (dog.language, dog.word, dog.senses, dog.pos) == ("en", "dog", ((0, "fr", ("chien", "clebs")),), "noun")
    assert [entry.word for entry in lexicon.entries] == ["dog", "hound", "chien", "clebs"]
    assert lexicon.phrases == {"en": ("hot dog", "ice cream"), "fr": ("une glace",)}
    assert lexicon.languages == ("en", "fr")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"en\tfr\na\n", "t.tsv, line 2: 1 cells"),
        (b"en\tfr\na\t\xff\n", "t.tsv, line 2: not valid UTF-8"),
        (b"en\tnote\na\tb\n", "fewer than two languages"),
        (b"en\teng\na\tb\n", "'eng' is language 'en'"),
        (b"", "t.tsv, line 1"),
    ],
)
def test_bad_tables(content, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_table(content, "t.tsv")
    assert caught.value.hint


def test_pairs_in_the_order_of_frequency():
    lexicon = parse_pairs(b"the le\nthe la\nwater\teau\n\nthe le\n2019 2019\nhot dog\tchien chaud\n", "p", "en", "fr")
    assert [(e.word, e.senses[0][2], e.rank) for e in lexicon.entries] == [
        ("the", ("le", "la"), 1),
        ("water", ("eau",), 3),
    ]
    assert (lexicon.read, lexicon.ranked) == (6, True)
    assert sum(lexicon.skipped.values()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a b\na b c\n", "p, line 2: 3 columns"), (b"a\n", "p, line 1: 1 columns"), (b"a\t\n", "p, line 1: 2 columns"),
     (b"a b\n\xff c\n", "p, line 2: not valid UTF-8")],
)  # fmt: skip
def test_bad_pairs(content, message):
    with pytest.raises(DataError, match=message):
        parse_pairs(content, "p", "en", "fr")


def test_a_bad_line_of_word_pairs_is_named_and_skipped():
    content = "\ufeffdog chien\nhot dog chien chaud\ncat chat\n".encode() + b"caf\xe9 cafe\nwater\teau\nfish poisson\n"
    lexicon = parse_pairs(content, "p", "en", "fr")
    assert [entry.word for entry in lexicon.entries] == ["dog", "cat", "water", "fish"]
    assert lexicon.skipped == {"bad lines (line 2: 4 columns where word pairs have 2; line 4: not valid UTF-8)": 2}
    many = "".join(f"w{'x' * n} m\n" for n in range(9)) + "a b c\n" * 5
    (reason,) = parse_pairs(many.encode(), "p", "en", "fr").skipped
    assert reason.endswith("line 12: 3 columns where word pairs have 2; …)")
    with pytest.raises(DataError, match=r"p, line 1: 3 columns .* \(5 of 9 lines are bad\)"):
        parse_pairs(b"a b c\n" * 5 + b"a b\n" * 4, "p", "en", "fr")


def test_a_bad_line_of_other_formats_is_named_and_skipped():
    rows = parse_table(b"en\tfr\ndog\tchien\ncat\nfish\tpoisson\n", "t.tsv")
    assert [entry.word for entry in rows.entries] == ["dog", "chien", "fish", "poisson"]
    assert rows.skipped == {"bad lines (line 3: 1 cells where the first line has 2)": 1}
    chinese = parse_cedict(["狗 狗 [gou3] /dog/", "dog", "水 水 [shui3] /water/"], "c.u8")
    assert [entry.word for entry in chinese.entries] == ["狗", "水"]
    assert chinese.skipped == {"bad lines (line 2: 'dog' is no CC-CEDICT entry)": 1}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("en-fr.txt", "water\ndog chien\ncat chat\n", "MUSE"),
        ("c.txt", "# c\nbroken\n狗 狗 [gou3] /dog/\n水 水 [shui3] /water/\n", "CC-CEDICT"),
    ],
)
def test_a_bad_first_line_hides_no_format(tmp_path, name, content, kind):
    (tmp_path / name).write_text(content, encoding="utf-8")
    source = find_lexicon(str(tmp_path / name))
    assert source.format == kind
    assert len(source.read().entries) == 2


# -- dictd


def test_keys_of_a_dictd_index_are_not_headwords():
    index, articles = dictd(
        {
            "ngombe": "ng'ombe /ˌenɟˈi ˈombe/ <n> [sg=pl]\n\ncow\n",
            "aujourdhui": "aujourd'hui /oʒuʁdɥi/ <adv>\ntoday\n",
            "arcenciel": "arc-en-ciel /x/ <n, masc>\nrainbow\n",
            "abatson": "abat\u2010son /x/ <n>\nlouvre\n",
            "sinsurger": "s\u02c8insurger /x/ <v>\nrebel\n",
            "klabu": "klabu, kilabu /klˈabu/ /kilˈabu/ <n> [sg=pl]\n\nclub\n",
            "kilabu": "klabu, kilabu /klˈabu/ /kilˈabu/ <n> [sg=pl]\n\nclub\n",
            "einmal": "(ein)mal /x/ <adv>\nonce\n",
            "able": "-able /abl/\nable\n",
            "3d": "räumlich /x/ (3D /x/) <adj>\nspatial\n",
            "a": "Ampere /x/ (A /x/) <neut, n, sg>\nampere\n",
            "ampere": "Ampere /x/ (A /x/) <neut, n, sg>\nampere\n",
            "xyz": "  an article without its headword\n",
        }
    )
    lexicon = parse_dictd(index, articles, "x.index", "fr", "en")
    assert sorted(entry.word for entry in lexicon.entries) == [
        "Ampere", "abat-son", "arc-en-ciel", "aujourd'hui", "einmal", "kilabu", "klabu", "ng'ombe", "s'insurger",
    ]  # fmt: skip
    assert lexicon.skipped["of other keys to an article"] == 2
    assert lexicon.phrases == {"fr": ("-able",)}


def test_articles_of_freedict():
    index, articles = dictd(
        {
            "chien": "chien /ʃjɛ̃/ <n, masc>\n1.  [zool] dog\n2. hound, the (old) cur\n   Synonym: {clebs}\n",
            "Émile": "Émile /emil/ <n>\nEmil\n",
            "adieu": "adieu /adjø/ <int>\n\ngoodbye\n; farewell\n",
            "fort": 'fort /fɔʀ/ <adj>\n1.\nstrong\n2.\nloud\n     "Il parle fort"\n',
            "table de nuit": "table de nuit /x/\nbedside table\n",
            "Abkürzung": "Abkürzung /ˈap/ (Abk. /ˈapk/) <fem, n, sg>\n"
            "abbreviation <n>abbr.,  /ˈabɾ/\n see: {Abkürzungen}\n",
            "chiens": "chiens /x/ <pl>\ndogs\n",
            "vide": "vide /vid/ <adj>\n(nothing)\n",
        }
    )
    lexicon = parse_dictd(index, articles, "x.index", "fr", "en")
    found = {entry.word: entry for entry in lexicon.entries}
    assert found["chien"].senses == ((0, "en", ("dog",)), (1, "en", ("hound", "cur")))
    assert found["chien"].pos == "noun"
    assert "Émile" in found, "the article has the headword as it is written"
    assert found["adieu"].senses == ((0, "en", ("goodbye", "farewell")),)
    assert found["fort"].senses == ((0, "en", ("strong",)), (1, "en", ("loud",)))
    assert found["Abkürzung"].senses[0][2] == ("abbreviation", "abbr")
    assert lexicon.skipped == {"of several words": 1, "plural forms": 1, "without translation": 1}
    assert (lexicon.read, lexicon.in_order) == (8, False)
    assert lexicon.phrases == {"fr": ("table de nuit",)}


@pytest.mark.parametrize(
    ("index", "articles", "message"),
    [
        (b"a\tA\n", b"", "x.index, line 1: 2 cells"),
        (b"a\tA\tB\nb\tA\t-\n", b"a\n", "x.index, line 2: '-' is no number"),
        (b"a\tA\tD\n", b"a\n", "x.index, line 1: the article of 'a' ends behind"),
        (b"a\tA\tB\n", b"\xff\n", "x.index, line 1: the article of 'a' is not valid UTF-8"),
        (b"a\tA\tB\n\xff\tA\tB\n", b"a\n", "x.index, line 2: not valid UTF-8"),
    ],
)
def test_bad_dictd(index, articles, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_dictd(index, articles, "x.index", "fr", "en")
    assert caught.value.hint


# -- CC-CEDICT


def test_entries_of_cedict():
    lines = [
        "# a comment",
        "狗 狗 [gou3] /dog/CL:隻|只[zhi1],條|条[tiao2]/",
        "書本 书本 [shu1 ben3] /(bound form) book, volume/see 書[shu1]/variant of 本/",
        "水 水 [shui3] /water/",
        "吃 吃 [chi1] /to eat/to consume/",
        "李 李 [Li3] /surname Li/",
        "3C 3C [san1 C] /abbr. for computers/",
        "只 只 [zhi1] /classifier for birds/",
        "",
    ]
    lexicon = parse_cedict(lines, "c.u8")
    assert [(e.word, e.senses, e.pos, e.rank) for e in lexicon.entries] == [
        ("狗", ((0, "en", ("dog",)),), "noun", 0),
        ("书本", ((0, "en", ("book", "volume")),), "", 1),
        ("水", ((0, "en", ("water",)),), "", 1),
        ("吃", ((0, "en", ("eat",)), (1, "en", ("consume",))), "verb", 1),
    ]
    assert lexicon.skipped == {"names": 1, "of several words or Latin letters": 1, "without translation": 1}
    german = parse_cedict(["狗 狗 [gou3] /der Hund (u.E.)/"], "h.u8", "de")
    assert german.entries[0].senses == ((0, "de", ("Hund",)),)
    with pytest.raises(DataError, match=r"c\.u8, line 2: 'dog' is no CC-CEDICT entry"):
        parse_cedict(["狗 狗 [gou3] /dog/", "dog"], "c.u8")


# -- JMdict

DOG = """<entry>
<k_ele><keb>犬</keb><ke_pri>nf03</ke_pri><ke_pri>ichi1</ke_pri></k_ele><k_ele><keb>狗</keb><ke_inf>&oK;</ke_inf></k_ele>
<r_ele><reb>いぬ</reb></r_ele><r_ele><reb>イヌ</reb></r_ele>
<sense><pos>&n;</pos><gloss>dog (Canis (lupus) familiaris)</gloss></sense>
<sense><misc>&uk;</misc><gloss>squealer</gloss><gloss>rat &amp; spy</gloss></sense>
<sense><gloss xml:lang="fre">chien (Canis, lupus)</gloss></sense>
<sense><gloss xml:lang="x0">nothing</gloss></sense>
</entry>"""
TAGS = '<!ENTITY n "noun">\n<!ENTITY uk "word usually written using kana alone">\n<!ENTITY oK "out-dated">\n'


def test_an_entry_of_jmdict():
    lexicon = parse_jmdict(jmdict_bytes(DOG, TAGS), "j.xml")
    dog, squealer = lexicon.entries
    assert (dog.word, dog.pos, dog.rank, dog.variants) == ("犬", "noun", 3, ("いぬ", "イヌ"))
    assert dog.senses == ((0, "en", ("dog",)), (0, "fr", ("chien",)))
    assert (squealer.word, squealer.senses) == ("いぬ", ((1, "en", ("squealer", "rat & spy")),)), "uk is of one sense"
    assert (lexicon.read, lexicon.ranked) == (1, True)
    only = parse_jmdict(jmdict_bytes(DOG, TAGS), "j.xml", ["ja", "fr"])
    assert only.entries[0].senses == ((0, "fr", ("chien",)),)


def test_tags_of_jmdict_as_text_and_entries_without_use():
    entries = """<entry><r_ele><reb>きれい</reb></r_ele>
    <sense><pos>adjectival nouns</pos><gloss>clean</gloss></sense></entry>
    <entry><k_ele><keb>食べる</keb></k_ele><r_ele><reb>たべる</reb></r_ele>
    <sense><pos>&v1;</pos><pos>&vt;</pos><gloss>to eat</gloss></sense></entry>
    <entry><k_ele><keb>綺麗</keb></k_ele><r_ele><reb>きれい</reb></r_ele>
    <sense><misc>word usually written using kana alone</misc><gloss>fair</gloss></sense>
    <sense><gloss xml:lang="ger">schön</gloss></sense></entry>
    <entry><r_ele><reb>えっと</reb></r_ele><sense><gloss>(filler)</gloss></sense></entry>
    <entry><r_ele><reb>3D</reb></r_ele><sense><gloss>three</gloss></sense></entry>
    <entry><sense><gloss>lost</gloss></sense></entry>"""
    lexicon = parse_jmdict(jmdict_bytes(entries, '<!ENTITY v1 "v">\n<!ENTITY vt "t">\n'), "j.xml")
    assert [(entry.word, entry.pos) for entry in lexicon.entries] == [
        ("きれい", "adjective"), ("食べる", "verb"), ("きれい", ""),
    ]  # fmt: skip
    assert lexicon.entries[1].senses == ((0, "en", ("eat",)),)
    assert [sense[1] for sense in lexicon.entries[2].senses] == ["en", "de"]
    assert lexicon.skipped == {"without translation": 1, "of several words": 1, "without reading": 1}


def test_forms_of_jmdict_that_no_reader_sees_are_no_headwords():
    tags = TAGS + '<!ENTITY sK "search-only kanji">\n<!ENTITY sk "search-only kana">\n<!ENTITY rK "rare">\n'
    entries = """<entry>
    <k_ele><keb>此れ</keb><ke_inf>&sK;</ke_inf></k_ele><k_ele><keb>是</keb><ke_inf>&rK;</ke_inf></k_ele>
    <r_ele><reb>コレ</reb><re_inf>&sk;</re_inf></r_ele><r_ele><reb>これ</reb></r_ele>
    <sense><gloss>this</gloss></sense></entry>
    <entry><k_ele><keb>夫</keb></k_ele><k_ele><keb>良人</keb></k_ele>
    <r_ele><reb>りょうじん</reb><re_restr>良人</re_restr></r_ele><r_ele><reb>おっと</reb></r_ele>
    <sense><misc>&uk;</misc><gloss>husband</gloss></sense>
    <sense><stagk>良人</stagk><gloss>good person</gloss></sense>
    <sense><stagr>りょうじん</stagr><misc>&uk;</misc><gloss>good man</gloss></sense></entry>
    <entry><r_ele><reb>ダメ</reb><re_inf>&sk;</re_inf></r_ele><sense><gloss>no good</gloss></sense></entry>"""
    found = [(e.word, e.senses[0][2], e.variants) for e in parse_jmdict(jmdict_bytes(entries, tags), "j").entries]
    assert found == [
        ("これ", ("this",), ()),
        ("おっと", ("husband",), ("夫", "良人")),
        ("良人", ("good person",), ("夫", "おっと")),
        ("りょうじん", ("good man",), ("夫", "良人", "おっと")),
        ("ダメ", ("no good",), ()),
    ]


BOMB = '<!ENTITY a "aaaaaaaaaa">\n' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">\n' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (jmdict_bytes("<entry><r_ele><reb>&i;</reb></r_ele></entry>", BOMB), "entity 'b' refers to other entities"),
        (
            jmdict_bytes(DOG, '<!ENTITY n SYSTEM "file:///etc/passwd">'),
            "entity 'n' refers to other entities or to a file",
        ),
        (jmdict_bytes(DOG, f'<!ENTITY n "{"x" * 5000}">'), "is too long"),
        (jmdict_bytes(DOG, '<!ENTITY % p "x">'), "entity 'p'"),
        (jmdict_bytes(DOG, TAGS)[:-30], "j.xml, line"),
        (b"<html><body>Not found</body></html>", "XML without a JMdict entry"),
        (b"<?xml version='1.0'?><JMdict><entry></JMdict>", "j.xml, line 1: mismatched tag"),
        (b"<JMdict><entry>\xff</entry></JMdict>", "j.xml, line 1"),
    ],
)
def test_bad_and_hostile_jmdict(content, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_jmdict(content, "j.xml")
    assert caught.value.hint


def test_entities_are_never_expanded():
    entities = '<!ENTITY n "' + "x" * 400 + '">\n'
    entry = "<entry><r_ele><reb>いぬ</reb></r_ele><sense><gloss>" + "dog &n;" * 1000 + "</gloss></sense></entry>"
    (found,) = parse_jmdict(jmdict_bytes(entry, entities), "j.xml").entries
    assert max(len(phrase) for _, _, phrases in found.senses for phrase in phrases) < 10_000


# -- finding


def test_every_format_is_told_from_its_file(tmp_path):
    found = {
        find_lexicon(str(write(tmp_path))).format: find_lexicon(str(write(tmp_path)))
        for write in (table, pairs, freedict, jmdict, cedict)
    }
    assert list(found) == ["TSV", "MUSE", "dictd", "JMdict", "CC-CEDICT"]
    assert found["MUSE"].direction == found["dictd"].direction == Direction("en", "fr")
    assert {name for source in found.values() for name in source.fingerprints()} == {
        "words.tsv", "en-fr.txt", "freedict-eng-fra.index", "freedict-eng-fra.dict.dz", "JMdict.gz", "cedict_ts.u8",
    }  # fmt: skip
    assert {name: source.read().languages for name, source in found.items()} == {
        "TSV": ("en", "fr", "zh"), "MUSE": ("en", "fr"), "dictd": ("en", "fr"), "JMdict": ("ja", "en", "fr"),
        "CC-CEDICT": ("zh", "en"),
    }  # fmt: skip
    assert all(len(source.read().entries) >= 16 for source in found.values())


def test_languages_before_the_path(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("jambo hello\n")
    assert find_lexicon(f"swa-eng:{tmp_path}/mine.txt").direction == Direction("sw", "en")
    assert find_lexicon(f"en:zh-Hant:{tmp_path}/mine.txt").direction == Direction("en", "zh-Hant")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en-fr:mine-de-sw.txt").write_text("a b\n")
    assert find_lexicon("en-fr:mine-de-sw.txt").direction == Direction("de", "sw"), (
        "a file of that very name goes first"
    )
    write_dictd(tmp_path, "odd", {"a": "a\nb\n"})
    assert find_lexicon("fr-en:odd.dict.dz").direction == Direction("fr", "en")
    (tmp_path / "hande.u8").write_text("狗 狗 [gou3] /Hund/\n")
    assert find_lexicon("zh-de:hande.u8").read().languages == ("zh", "de")
    (tmp_path / "codes-de-la.txt").write_text("de\tla\nund\tet\n")
    assert find_lexicon("codes-de-la.txt").format == "TSV", "the languages of the name stand in the first line"
    (tmp_path / "fr-es.txt").write_text("de\tla\nund\tet\n")
    assert find_lexicon("fr-es.txt").format == "MUSE", "words that happen to be codes"


@pytest.mark.parametrize(
    ("name", "data", "kind", "message"),
    [
        ("none.txt", None, DataError, "cannot read the lexicon"),
        ("a.txt", b"", DataError, "is empty"),
        ("a.txt", b" \n\n", DataError, "is empty"),
        ("a.txt", b"one two three four\n", DataError, "none of the known formats"),
        ("a.txt", b"chat cat\n", ConfigError, "languages of lexicon .* cannot be told"),
        ("xx-qqq.txt", b"chat cat\n", ConfigError, "languages of lexicon .* cannot be told"),
        ("a.index", b"a\tA\tA\n", DataError, "lacks .*a.dict.dz"),
        ("a.dict.dz", gzip.compress(b"a"), DataError, "lacks .*a.index"),
        ("a.gz", gzip.compress(b"a b\n" * 10_000)[:-20], DataError, "cut short or damaged"),
        ("en-fr.gz", b"\x1f\x8b\x08nonsense", DataError, "cut short or damaged|cannot read"),
    ],
)
def test_lexicons_that_cannot_be_read(tmp_path, name, data, kind, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(kind, match=message) as caught:
        find_lexicon(str(tmp_path / name)).read()
    assert caught.value.hint


def test_languages_that_do_not_fit_the_format(tmp_path):
    for write in (table, jmdict):
        with pytest.raises(ConfigError, match="tells its languages itself"):
            find_lexicon(f"de-it:{write(tmp_path)}")
    with pytest.raises(ConfigError, match="headwords are Chinese, not 'ja'"):
        find_lexicon(f"ja-en:{cedict(tmp_path)}")
    with pytest.raises(DataError, match="cannot read the lexicon"):
        find_lexicon(str(tmp_path))


def test_a_lexicon_without_a_usable_entry(tmp_path):
    (tmp_path / "en-fr.txt").write_text("2019 2019\n")
    with pytest.raises(DataError, match="no entry that can be used: 1 read"):
        find_lexicon(str(tmp_path / "en-fr.txt")).read()


@pytest.mark.parametrize("languages", ["en-qqqqq", "enfr", "en-en"])
def test_wrong_languages_before_a_file_are_named(tmp_path, languages):
    (tmp_path / "pairs.txt").write_text("water eau\n")
    with pytest.raises(ConfigError, match=languages):
        find_lexicon(f"{languages}:{tmp_path / 'pairs.txt'}")
