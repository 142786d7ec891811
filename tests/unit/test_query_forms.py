"""The forms of a word that an index is asked for, against tokenisation of whole sentences."""

import pytest
from query_fixture import tokenizer, write_model
from tokenizers import Tokenizer, models, pre_tokenizers

from pivotlens.artifacts import Concept
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.query.forms import forms_of
from tokenizer_kinds import MAKERS

KINDS = ("space", "space_capital", "line", "line_capital")


def words(**listed):
    concepts = [
        Concept("c", "test", False, "noun", {language: accepted[0]}, {language: tuple(accepted)}, (), ())
        for language, accepted in listed.items()
    ]
    return CountedWords.of(concepts)


def asked(spec, kinds=KINDS, **listed):
    loaded = load_tokenizer(str(spec))
    return {(form.kind, form.text): form.ids for form in forms_of(words(**listed), loaded, kinds)}


def holds(ids, part):
    return any(tuple(ids[place : place + len(part)]) == tuple(part) for place in range(len(ids)))


@pytest.mark.parametrize("kind", MAKERS)
def test_every_form_stands_in_the_text_that_it_is_asked_for_in(kind, tmp_path):
    """A sentence that holds the word so, cut as a whole, holds the tokens of the form."""
    spec = write_model(tmp_path / "model", MAKERS[kind]())
    loaded = load_tokenizer(str(spec))
    found = asked(spec, en=["water"], fr=["livre"], zh=["水"])
    assert {text for _, text in found if text.strip().lower() in ("water", "livre")}
    for (name, text), ids in found.items():
        sentence = f"the river{text} and" if name.startswith("space") else f"the river\n{text}"
        [cut] = loaded.encode_batch([sentence])
        assert holds(cut.tolist(), ids), (name, text)
    assert all("_capital" not in name and "space" not in name for name, text in found if text == "水")


def test_forms_are_named_and_asked_for_once(tmp_path):
    spec = write_model(tmp_path / "model")
    made = tokenizer()
    found = asked(spec, en=["water"])
    assert found["space", " water"] == tuple(made.encode(" water").ids)
    assert found["line", "water"] == tuple(made.encode("\nwater").ids[1:])
    capitals = asked(spec, ("space", "space_capital"), en=["water"])
    assert capitals["space_capital", " Water"] == tuple(made.encode("a Water").ids[1:])
    assert ("space", " water") in asked(spec, ("space",), en=["water"])
    assert list(asked(spec, ("space", "space_capital"), de=["Wasser"])) == [("space", " Wasser")]
    # In a language without spaces the bare word is the only form, whatever is asked for elsewhere.
    assert list(asked(spec, ("space",), zh=["水", "书本"])) == [("line", "水"), ("line", "书本")]


def test_a_dotted_capital_is_written_where_it_belongs(tmp_path):
    spec = write_model(tmp_path / "model")
    assert {text for _, text in asked(spec, ("space_capital",), tr=["izin"])} == {" İzin"}
    assert {text for _, text in asked(spec, ("space_capital",), en=["ink"])} == {" Ink"}


def test_a_form_that_holds_another_is_left_out(tmp_path):
    """Its places are counted with that one: together they would count twice."""
    vocabulary = {piece: number for number, piece in enumerate(["<unk>", "a", "Ċ", "Ġ", "w"])}
    made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spec = write_model(tmp_path / "model", made)
    assert asked(spec, ("space", "line"), en=["w"]) == {("line", "w"): (vocabulary["w"],)}
    assert asked(spec, ("space",), en=["w"]) == {("space", " w"): (vocabulary["Ġ"], vocabulary["w"])}


def test_what_the_tokenizer_cannot_write_has_no_form(tmp_path):
    made = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "water": 2}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    spec = write_model(tmp_path / "model", made)
    assert asked(spec, en=["water", "book"]) == {("space", " water"): (2,)}
