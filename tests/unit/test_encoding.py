"""Cutting prompt and answer by character, with tokenizers of every kind trained in memory."""

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers import PreTrainedTokenizerFast

from pivotlens.ablate.texts import TEXTS, known_texts
from pivotlens.errors import ModelError
from pivotlens.models.encoding import (
    EncodedAnswer,
    TokenTexts,
    encode_answers,
    first_content_piece,
    leading_space_tokens,
)
from pivotlens.models.tokenizer import token_text
from pivotlens.text import Direction
from pivotlens.translation.prompts import answer_text, prompt_text
from tokenizer_kinds import MAKERS, byte_level, fast, metaspace

_PROMPT = prompt_text(Direction("fr", "zh"), [("hiver", "冬"), ("chien", "学生")], "eau", "english")


@pytest.fixture(scope="module", params=MAKERS)
def tokenizer(request):
    return fast(MAKERS[request.param]())


@pytest.mark.parametrize("answer", ["水", "学校", "water", "l'eau", "livre book", "水\n", "🜁", "é"])
def test_both_halves_are_the_one_tokenisation(tokenizer, answer):
    text = _PROMPT + answer_text(answer)
    (encoded,) = encode_answers(tokenizer, [_PROMPT], [answer_text(answer)])
    whole = tokenizer(text)["input_ids"]
    eos = tokenizer.convert_tokens_to_ids("</s>")
    assert list(encoded.context + encoded.answer) == (whole[:-1] if whole[-1] == eos else whole)
    assert eos not in encoded.answer
    assert encoded.context
    # The answer's tokens write the answer and nothing of the prompt, but for what no token knows.
    texts = TokenTexts(tokenizer)
    written = "".join(texts[token] for token in encoded.answer)
    if "�" not in written and "<" not in written:
        assert written == answer_text(answer)


def test_context_is_the_same_whatever_answer_follows(tokenizer):
    found = encode_answers(tokenizer, [_PROMPT] * 3, [" 水", " water", " river"])
    assert len({answer.context for answer in found}) == 1


def test_special_tokens_stand_where_the_tokenizer_puts_them():
    for make, bos in ((MAKERS["metaspace with bos"], True), (MAKERS["metaspace with a prefix space"], False)):
        tokenizer = fast(make())
        (encoded,) = encode_answers(tokenizer, [_PROMPT], [" 水"])
        assert (encoded.context[0] == tokenizer.bos_token_id) is bos


def test_closing_special_tokens_are_dropped():
    tokenizer = fast(MAKERS["byte-level with bos and eos"]())
    (encoded,) = encode_answers(tokenizer, [_PROMPT], [" 水"])
    assert encoded.context[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id not in encoded.answer


def test_an_end_token_written_in_the_answer_is_the_answer():
    tokenizer = fast(MAKERS["byte-level with bos and eos"]())
    (encoded,) = encode_answers(tokenizer, ["a:"], [" </s>"])
    assert encoded.answer[-1] == tokenizer.eos_token_id


def word_level(words: list[str]) -> PreTrainedTokenizerFast:
    """A vocabulary set by hand; the cut with the fewest pieces wins."""
    pieces = [(word, -1.0) for word in words]
    tokenizer = Tokenizer(models.Unigram(pieces, 0))
    return fast(tokenizer)


def test_a_token_across_the_boundary_is_the_answers():
    tokenizer = word_level(["<unk>", "a", "b", ": w", ":", "ater"])
    (encoded,) = encode_answers(tokenizer, ["ab:"], [" water"])
    assert [tokenizer.convert_ids_to_tokens(token) for token in encoded.answer] == [": w", "ater"]
    assert [tokenizer.convert_ids_to_tokens(token) for token in encoded.context] == ["a", "b"]


def test_an_answer_without_a_token_is_refused():
    tokenizer = fast(byte_level())
    with pytest.raises(ModelError, match="no token for ''"):
        encode_answers(tokenizer, [_PROMPT], [""])


def test_an_answer_that_the_tokenizer_removes_is_refused():
    backend = byte_level()
    backend.normalizer = normalizers.Replace("水", "")
    with pytest.raises(ModelError, match="no token for '水'"):
        encode_answers(fast(backend), ["Chinese:"], ["水"])


def test_a_prompt_that_has_no_token_of_its_own_is_refused():
    tokenizer = word_level(["<unk>", "ab"])
    with pytest.raises(ModelError, match="no token for 'b'"):
        encode_answers(tokenizer, ["a"], ["b"])


def test_nothing_to_encode(tokenizer):
    assert encode_answers(tokenizer, [], []) == []


# -- bare space pieces


def test_answers_in_chinese_begin_with_a_bare_space_piece():
    for name in ("byte-level", "metaspace with a prefix space", "gemma-like"):
        tokenizer = fast(MAKERS[name]())
        texts = TokenTexts(tokenizer)
        found = encode_answers(tokenizer, [_PROMPT] * 3, [" 学校", " 生", " water"])
        counts = [leading_space_tokens(answer.answer, texts) for answer in found]
        if name == "byte-level":
            assert counts[2] == 0
            continue
        assert counts == [1, 1, 0], name
        assert texts[found[0].answer[0]] == " "


def test_leading_space_tokens_leaves_one_token():
    tokenizer = fast(byte_level())
    texts = TokenTexts(tokenizer)
    space, newline = (tokenizer.convert_tokens_to_ids(piece) for piece in ("Ġ", "Ċ"))
    letter = tokenizer.convert_tokens_to_ids("a")
    assert leading_space_tokens((space, space, letter), texts) == 2
    assert leading_space_tokens((space, newline, letter, space), texts) == 2
    assert leading_space_tokens((space,), texts) == 0
    assert leading_space_tokens((space, space), texts) == 1
    assert leading_space_tokens((letter, space), texts) == 0


# -- texts of tokens


def test_pieces_of_a_character():
    tokenizer = fast(byte_level(260))
    texts = TokenTexts(tokenizer)
    (encoded,) = encode_answers(tokenizer, ["Chinese:"], [" 水"])
    assert isinstance(encoded, EncodedAnswer)
    assert len(encoded.answer) == 4
    assert [texts[token] for token in encoded.answer] == [" ", "�", "�", "�"]
    assert leading_space_tokens(encoded.answer, texts) == 1


def test_bytes_of_a_fallback():
    tokenizer = fast(metaspace("first"))
    (encoded,) = encode_answers(tokenizer, ["Chinese:"], [" 生"])
    assert [tokenizer.convert_ids_to_tokens(token) for token in encoded.answer] == ["▁", "<0xE7>", "<0x94>", "<0x9F>"]
    assert TokenTexts(tokenizer)[encoded.answer[1]] == "�"


def test_token_text_gives_the_leading_space(tokenizer):
    texts = TokenTexts(tokenizer)
    inside = tokenizer("a the", add_special_tokens=False)["input_ids"]
    assert "".join(texts[token] for token in inside).lstrip(" ") == "a the"
    assert texts[inside[-1]][-1] == "e"
    assert any(texts[token].startswith(" ") for token in inside[1:])


def test_token_text_of_an_unknown_id():
    tokenizer = byte_level()
    assert token_text(tokenizer, 10_000) == "<10000>"


def test_token_text_of_special_and_added_tokens():
    backend = byte_level()
    backend.add_tokens([AddedToken("<image>", special=True), AddedToken("水 水", normalized=False)])
    texts = TokenTexts(fast(backend))
    assert texts[backend.token_to_id("<image>")] == "<image>"
    assert texts[backend.token_to_id("<s>")] == "<s>"
    assert texts[backend.token_to_id("水 水")] == "水 水"


def test_an_unknown_token_is_no_word_s_first_piece():
    words = Tokenizer(models.WordLevel({"<unk>": 0, "water": 1}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    texts = TokenTexts(tokenizer)
    assert first_content_piece(tokenizer, "water", texts) == 1
    assert first_content_piece(tokenizer, "vodyanoy", texts) is None
    assert known_texts(tokenizer) == (), "nor is it one of a text's"
    assert known_texts(fast(byte_level())) == TEXTS
