"""Which tokens stand for which word: sets, forms, links and roles."""

import pytest
from tokenizers import Tokenizer, models, normalizers
from transformers import PreTrainedTokenizerFast

from pivotlens.artifacts import Concept
from pivotlens.text import Direction
from pivotlens.trace.items import role_of, with_target
from pivotlens.trace.token_sets import TokenLinks, TokenSets, WordTokens, base_form, token_sets

_PIECES = [
    "<unk>", "▁", "▁water", "water", "▁Water", "Water", "▁wat", "wat", "▁w", "w", "e", "a", "u", "▁eau", "eau", "▁Eau",
    "▁waters", "▁rain", "▁ocean", "▁sea", "▁he", "▁h", "iver", "▁liquid", "▁liq", "水", "冬", "▁rivière", "▁eaux",
    "t", "r", "s", "h", "i", "l", "q", "d", "v", "n", "o", "c",
]  # fmt: skip
_WATER = Concept(
    concept_id="water",
    split="test",
    calibration=True,
    pos="noun",
    words={"en": "water", "fr": "eau", "zh": "水"},
    accepted={"en": ("water",), "fr": ("eau", "onde"), "zh": ("水",)},
    distractors=(),
    links=(("en", "liquid", "hypernym"), ("en", "rain", "hyponym"), ("fr", "rivière", "related")),
)
_FR_ZH = Direction("fr", "zh")


def relation_of(sets: TokenSets, piece: str) -> str:
    link = sets.link(_PIECES.index(piece))
    return link.relation if link else ""


@pytest.fixture(scope="module")
def tokenizer():
    backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in _PIECES], 0))
    backend.normalizer = normalizers.Replace(" ", "▁")
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


def ids(*pieces: str) -> frozenset[int]:
    return frozenset(_PIECES.index(piece) for piece in pieces)


def test_first_pieces_with_and_without_space_in_either_case(tokenizer):
    words = WordTokens(tokenizer, "first")
    assert words.of(["water"]) == ids("▁water", "water", "▁Water", "Water")
    assert words.of([]) == frozenset()
    assert words.of([""]) <= ids("▁")


def test_a_bare_space_piece_is_no_content(tokenizer):
    assert WordTokens(tokenizer, "first").of(["水"]) == ids("水")


def test_prefixes_take_every_token_the_word_begins_with(tokenizer):
    words = WordTokens(tokenizer, "prefixes")
    assert words.of(["water"]) == ids("▁water", "water", "▁Water", "Water", "▁wat", "wat", "▁w", "w")


def test_sets_are_disjoint(tokenizer):
    words = WordTokens(tokenizer, "first")
    random = sorted(ids("▁he", "▁rain", "eau"))
    pivots = sorted(ids("▁rain", "▁water", "水", "▁eau"))
    sets = token_sets(words, _WATER, _FR_ZH, pivots, random)
    assert sets.target == ids("水")
    assert sets.source >= ids("▁eau", "eau", "▁Eau")
    assert sets.english == ids("▁water", "water", "▁Water", "Water")
    assert sets.pivots == ids("▁rain", "▁water")
    assert sets.random == ids("▁he")
    assert not sets.ambiguous
    for one, other in (("target", "source"), ("target", "english"), ("source", "english"), ("pivots", "random")):
        assert not getattr(sets, one) & getattr(sets, other)
    for side in ("target", "source"):
        assert not getattr(sets, side) & (sets.pivots | sets.random)


def test_english_is_no_set_of_its_own_where_it_is_a_side(tokenizer):
    words = WordTokens(tokenizer, "first")
    assert token_sets(words, _WATER, Direction("en", "zh"), (), ()).english == frozenset()
    assert token_sets(words, _WATER, Direction("fr", "en"), (), ()).english == frozenset()


def test_a_colliding_first_piece_makes_the_item_ambiguous(tokenizer):
    words = WordTokens(tokenizer, "first")
    hiver = Concept(
        "h", "test", True, "noun", {"fr": "hiver", "de": "haus"}, {"fr": ("hiver",), "de": ("haus",)}, (), ()
    )
    sets = token_sets(words, hiver, Direction("fr", "de"), (), ())
    assert sets.ambiguous
    assert not sets.source & sets.target
    assert not token_sets(words, _WATER, _FR_ZH, (), ()).ambiguous


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" water", "water"), ("Water", "water"), (" waters", "water"), ("waterS", "water"), (" watering", "water"),
        ("water.", None), (" sea", "sea"), (" seas", None), ("aters", None), ("", None), ("boxes", "box"),
    ],
)  # fmt: skip
def test_forms_of_words(text, expected):
    # A stem of fewer than four letters has no forms.
    found = base_form(text, {"water", "sea", "box"})
    assert found == (None if text == "boxes" else expected)


def test_forms_and_links_by_text(tokenizer):
    sets = token_sets(WordTokens(tokenizer, "first"), _WATER, _FR_ZH, sorted(ids("▁ocean")), ())
    relation = {piece: relation_of(sets, piece) for piece in _PIECES}
    assert relation["▁water"] == "translation:en"
    assert relation["▁waters"] == "translation:en (form)"
    assert relation["▁rain"] == "hyponym"
    assert relation["▁liquid"] == "hypernym"
    assert relation["▁rivière"] == "related"
    assert [relation[piece] for piece in ("▁sea", "▁he", "▁ocean", "▁", "w", "<unk>")] == [""] * 6
    # What is of either side is linked with nothing.
    assert relation["水"] == relation["▁eau"] == ""


def test_first_pieces_of_linked_words_count_where_they_are_long_enough(tokenizer):
    concept = Concept(
        "x", "test", True, "noun", {"fr": "eau", "zh": "水"}, {"fr": ("eau",), "zh": ("水",)}, (),
        (("en", "liqus", "hypernym"), ("en", "hiver", "synonym")),
    )  # fmt: skip
    sets = token_sets(WordTokens(tokenizer, "first"), concept, _FR_ZH, (), ())
    assert relation_of(sets, "▁liq") == "hypernym (piece)"
    assert relation_of(sets, "▁h") == ""


def test_roles(tokenizer):
    sets = token_sets(WordTokens(tokenizer, "first"), _WATER, _FR_ZH, sorted(ids("▁ocean")), ())
    role = {piece: role_of(sets, _PIECES.index(piece)) for piece in _PIECES}
    assert role["水"] == ("target", "")
    assert role["▁eau"] == ("source", "")
    assert role["▁water"] == ("english", "translation:en")
    assert role["▁rain"] == ("pivot", "hyponym")
    assert role["▁ocean"] == ("pivot", "mined")
    assert role["▁sea"] == ("", "")


def test_the_answers_own_first_piece_is_the_targets(tokenizer):
    sets = token_sets(WordTokens(tokenizer, "first"), _WATER, _FR_ZH, sorted(ids("▁ocean")), sorted(ids("▁he")))
    for piece in ("▁ocean", "▁he", "▁water", "▁eau"):
        first = _PIECES.index(piece)
        more = with_target(sets, first)
        assert first in more.target
        assert not any(first in getattr(more, name) for name in ("source", "english", "pivots", "random"))
        assert more.ambiguous is (piece == "▁eau")
        assert role_of(more, first) == ("target", "")


def test_a_word_of_several_languages_is_linked_in_all_of_them(tokenizer):
    words = {"en": "ocean", "fr": "eau", "zh": "水", "de": "ocean", "es": "sea"}
    concept = Concept("x", "test", True, "noun", words, {code: (word,) for code, word in words.items()}, (),
                      (("en", "ocean", "hypernym"), ("en", "rain", "related"), ("de", "rain", "related")))  # fmt: skip
    sets = token_sets(WordTokens(tokenizer, "first"), concept, _FR_ZH, (), ())
    found = {piece: sets.link(_PIECES.index(piece)) for piece in ("▁ocean", "▁sea", "▁rain", "▁he")}
    assert found["▁ocean"] == ("translation:en", ("en", "de"))
    assert found["▁sea"] == ("translation:es", ("es",))
    assert found["▁rain"] == ("related", ("en", "de"))
    assert found["▁he"] is None


@pytest.mark.parametrize(
    ("text", "side", "expected"),
    [
        (" Themen", "thema", True), (" erlaubt", "erlauben", True), (" bees", "bee", True), (" water", "waters", True),
        (" wat", "water", True), (" wa", "water", False), ("ater", "water", False), (" waste", "water", False),
        ("水", "水道", True), ("道", "水道", True), ("水道", "下水道", False),
        ("bee", "ab", False), (" forest", "foret", False), (" calmes", "calme", True),
    ],
)  # fmt: skip
def test_forms_and_pieces_of_a_sides_words(text, side, expected):
    links = TokenLinks({0: text}, {}, {}, frozenset({side}), frozenset())
    assert links.writes(0, links.target) == expected


def test_where_words_begin_if_beginnings_are_marked(tokenizer):
    words = WordTokens(tokenizer, "first")
    assert [words.begins_word(_PIECES.index(piece)) for piece in ("▁water", "water", "水")] == [True, False, True]


def test_without_marks_every_token_can_begin_a_word():
    backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in ("<unk>", "▁", "water", "w")], 0))
    backend.normalizer = normalizers.Replace(" ", "▁")
    assert WordTokens(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"), "first").begins_word(2)


@pytest.mark.parametrize(
    ("source", "target", "token", "role"),
    [
        # A complete word of the source that the target begins with or is a form of.
        ("guitar", "guitare", " guitar", "source"), ("ball", "balle", "Ball", "source"),
        ("bicycle", "bicyclette", " bicycle", "source"), ("soup", "soupe", " soup", "source"),
        ("soupe", "soup", " soupe", "source"), ("or", "oro", " or", "source"), ("水", "水道", "水", "source"),
        # The other side's complete word, a complete word of both, and a beginning or form of both: the target's.
        ("soupe", "soup", " soup", "target"), ("guitare", "guitar", " guitar", "target"),
        ("table", "table", " table", "target"), ("guitar", "guitare", " guit", "target"),
        ("guitar", "guitare", " guitars", "target"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_set", [True, False])
def test_a_whole_source_word_is_no_beginning_of_the_target(source, target, token, role, in_set):
    links = TokenLinks({0: token}, {}, {}, frozenset({target}), frozenset({source}))
    first = frozenset({0} if in_set else ())
    empty = frozenset[int]()
    sets = TokenSets(first, empty, empty, empty, empty, links, shares_token=False, ambiguous=False)
    assert role_of(sets, 0) == (role, "")
    assert (sets.is_target(0), sets.is_source(0)) == (role == "target", role == "source")


_COGNATES = [
    "<unk>",
    "▁",
    "▁guitar",
    "▁gu",
    "itare",
    "▁soup",
    "▁soupe",
    "▁ball",
    "▁balle",
    "▁music",
    "▁h",
    "i",
    "a",
    *"bcdefgjklmnopqrstuvwxyz",
    *"GSBM",
]


def cognates(first: str, second: str, policy: str = "first") -> TokenSets:
    backend = Tokenizer(models.Unigram([(piece, -1.0 if len(piece) > 1 else -5.0) for piece in _COGNATES], 0))
    backend.normalizer = normalizers.Replace(" ", "▁")
    words = WordTokens(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"), policy)
    concept = Concept("x", "test", True, "noun", {"en": first, "fr": second}, {"en": (first,), "fr": (second,)}, (), ())
    return token_sets(words, concept, Direction("en", "fr"), (), ())


@pytest.mark.parametrize(
    ("first", "second"), [("guitar", "guitare"), ("soup", "soupe"), ("ball", "balle"), ("soupe", "soup")]
)
def test_an_item_with_a_token_that_both_sides_could_have_written_is_ambiguous(first, second):
    sets = cognates(first, second)
    assert sets.ambiguous
    whole = _COGNATES.index(f"▁{first}")
    assert whole in sets.source
    assert role_of(sets, whole) == ("source", "")
    assert not sets.source & sets.target


def test_a_whole_source_word_that_the_target_is_cut_into_stays_the_sources():
    whole = _COGNATES.index("▁soup")
    sets = cognates("soup", "soupe", "prefixes")
    assert whole in sets.source
    assert sets.shares_token
    assert with_target(sets, whole) == sets
    assert not cognates("music", "balle").ambiguous
