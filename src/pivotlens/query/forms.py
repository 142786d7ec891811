"""The token sequences of a word in running text: what an index is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.models.tokenizer import TextTokenizer
from pivotlens.query.asked import Ids
from pivotlens.query.config import FormKind
from pivotlens.text import has_spaces_between_words

_BEFORE = {"space": "a", "line": "\n"}
_UNSPACED: tuple[FormKind, ...] = ("line",)
_DOTTED = ("tr", "az")


@dataclass(frozen=True)
class Form:
    """A word as it stands in text, cut into tokens.

    Attributes:
        word: Number of the word.
        kind: How it stands there.
        text: The form, with its space.
        ids: Its tokens.
    """

    word: int
    kind: FormKind
    text: str
    ids: Ids


def forms_of(words: CountedWords, tokenizer: TextTokenizer, kinds: Sequence[FormKind]) -> list[Form]:
    """Return the forms of every word that can be asked for, those of a word together.

    A form is what follows a letter and a space, or the beginning of a line; in languages without spaces it is the bare
    word. One whose tokens hold those of another form of the word is left out: its places are counted with that one. So
    is one that the tokenizer joins with what stands before it, or cannot write (docs/method.md#counts-of-an-index).

    Args:
        words: The words; each occurs where any of its counted forms does.
        tokenizer: That of the index.
        kinds: Forms in languages with spaces.
    """
    listed: dict[FormKind, list[tuple[int, str]]] = {}
    for word, ((language, _), counted) in enumerate(zip(words.words, words.forms, strict=True)):
        for kind in kinds if has_spaces_between_words(language) else _UNSPACED:
            texts = (_written(text, kind, language) for text in counted)
            listed.setdefault(kind, []).extend((word, text) for text in dict.fromkeys(texts))
    found: dict[int, dict[Ids, Form]] = {}
    for kind, each in listed.items():
        cut = _tokens_after(tokenizer, _BEFORE[kind.partition("_")[0]], [text for _, text in each])
        for (word, text), ids in zip(each, cut, strict=True):
            if ids:
                found.setdefault(word, {}).setdefault(ids, Form(word, kind, text, ids))
    return [
        form
        for word in sorted(found)
        for form in found[word].values()
        if not any(_holds(form.ids, other) for other in found[word])
    ]


def _written(text: str, kind: FormKind, language: str) -> str:
    if kind.endswith("_capital"):
        first = "İ" if text[:1] == "i" and language.split("-")[0] in _DOTTED else text[:1].upper()
        text = first + text[1:]
    return f" {text}" if kind.startswith("space") else text


def _tokens_after(tokenizer: TextTokenizer, before: str, texts: Sequence[str]) -> list[Ids]:
    """Return the tokens of each text behind another; none where they cannot be told apart or stand for no text."""
    first, *cut = (tuple(ids.tolist()) for ids in tokenizer.encode_batch([before, *(before + text for text in texts)]))
    unknown = _unknown(tokenizer)
    tails = [ids[len(first) :] if ids[: len(first)] == first else () for ids in cut]
    return [() if unknown in ids else ids for ids in tails]


def _unknown(tokenizer: TextTokenizer) -> int | None:
    """Return the token that stands for what cannot be written, or None."""
    model = tokenizer.tokenizer.model
    if (name := getattr(model, "unk_token", None)) is not None:
        found: int | None = tokenizer.tokenizer.token_to_id(name)
        return found
    return getattr(model, "unk_id", None)


def _holds(ids: Ids, other: Ids) -> bool:
    """Tell whether one sequence of tokens holds another, shorter one."""
    return any(ids[place : place + len(other)] == other for place in range(len(ids) - len(other) + 1)) and ids != other
