"""A world on the disk: corpus, tokenizer, word list, the model's configuration, and the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from examples.known_truth.arms import SHOT, draw_arms
from examples.known_truth.documents import Amounts, Document, write_documents
from examples.known_truth.words import LANGUAGES, Vocabulary, make_vocabulary
from pivotlens.text import english_name

END = "<end>"
_ROWS = 40_000
"""Documents of a file of the corpus."""
# A word has the space before it with it, as in byte-level vocabularies; marks and line ends are tokens of their own.
_TOKEN = r"\n\n|\n|[:.]| ?[^\s:.]+"


@dataclass(frozen=True)
class WorldSettings:
    """What makes a world.

    Attributes:
        seed: Of spelling, arms, order and the model's weights.
        words: Of the vocabulary.
        amounts: How much of each kind of document.
        model: Configuration of the model that is trained in it, as transformers reads it.
    """

    seed: int
    words: int = 1200
    amounts: Amounts = field(default_factory=Amounts)
    model: Mapping[str, Any] = field(default_factory=dict)


MODEL: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}


def make_world(settings: WorldSettings, folder: Path) -> Path:
    """Write a world.

    Args:
        settings: What makes it.
        folder: Where it goes: ``corpus/``, ``tokenizer/``, ``words.tsv``, ``model.json``, ``truth.parquet``.

    Returns:
        The folder.
    """
    vocabulary = make_vocabulary(settings.words, settings.seed)
    arms = draw_arms(vocabulary, settings.seed)
    documents = write_documents(vocabulary, arms, settings.amounts, settings.seed)
    write_corpus(documents, folder / "corpus")
    write_setting(vocabulary, arms, settings.model, folder)
    pq.write_table(truth(vocabulary, arms, documents), folder / "truth.parquet")
    return folder


def write_setting(vocabulary: Vocabulary, arms: Mapping[int, str], model: Mapping[str, Any], folder: Path) -> None:
    """Write what all corpora of a world share: tokenizer, word list and the model's configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer(vocabulary).save_pretrained(folder / "tokenizer")
    (folder / "words.tsv").write_text(_word_list(vocabulary, arms), encoding="utf-8")
    (folder / "model.json").write_bytes(orjson.dumps(MODEL | dict(model), option=orjson.OPT_INDENT_2))


def read_words(world: Path) -> dict[str, dict[str, str]]:
    """Return the words of every concept by language."""
    header, *lines = [line.split("\t") for line in (world / "words.tsv").read_text("utf-8").splitlines()]
    at = {language: header.index(language) for language in LANGUAGES}
    return {line[0]: {language: line[place] for language, place in at.items()} for line in lines}


def write_corpus(documents: Sequence[Document], folder: Path) -> None:
    """Write documents as Parquet files, with an id each; their kind stands in a column that no stage reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(documents), _ROWS)):
        _write_file(documents[start : start + _ROWS], start, folder / f"{number:03d}.parquet")


def _write_file(documents: Sequence[Document], first: int, path: Path) -> None:
    pq.write_table(
        pa.table(
            {
                "id": [str(first + place) for place in range(len(documents))],
                "text": [document.text for document in documents],
                "language": [document.language for document in documents],
                "kind": [document.kind for document in documents],
            }
        ),
        path,
        compression="zstd",
    )


def make_tokenizer(vocabulary: Vocabulary) -> PreTrainedTokenizerFast:
    """Make the tokenizer of a world: a token a word, so that no piece of a word binds two languages."""
    names = [english_name(language) for language in LANGUAGES]
    fixed = ["\n", "\n\n", ":", ".", "Please", " translate", " words", " from", " to", *names]
    words = [f" {word}" for word in (*names, *(word for language in LANGUAGES for word in vocabulary.words[language]))]
    tokens = dict.fromkeys(["<unknown>", END, *fixed, *words])
    tokenizer = Tokenizer(models.WordLevel({token: number for number, token in enumerate(tokens)}, "<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_TOKEN), "isolated")
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=END, unk_token="<unknown>"
    )


def _word_list(vocabulary: Vocabulary, arms: Mapping[int, str]) -> str:
    lines = ["\t".join(("concept", "split", *LANGUAGES))]
    for place in sorted(arms):
        words = [vocabulary.words[language][place] for language in LANGUAGES]
        lines.append("\t".join((words[0], "shot" if arms[place] == SHOT else "test", *words)))
    return "\n".join(lines) + "\n"


def truth(vocabulary: Vocabulary, arms: Mapping[int, str], documents: Iterable[Document]) -> pa.Table:
    """Return what is true of every concept, counted in the documents themselves.

    Returns:
        A row a concept: ``concept_id``, ``arm``; by language ``count_en`` … (times its word is read) and
        ``answers_en`` … (times it answers a list's line); by pair ``joint_en_qaa`` … (documents with both words).
    """
    places = {
        word: (place, language)
        for language in LANGUAGES
        for place, word in enumerate(vocabulary.words[language])
        if place in arms
    }
    counts: Counter[tuple[int, str]] = Counter()
    answers: Counter[tuple[int, str]] = Counter()
    joint: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for document in documents:
        found: defaultdict[int, set[str]] = defaultdict(set)
        for line in document.text.split("\n"):
            for word in line.split()[1:]:
                if word in places:
                    place, language = places[word]
                    counts[place, language] += 1
                    found[place].add(language)
        if document.kind == "list":
            answers.update(places[line.split()[1]] for block in document.text.split("\n\n")[1:]
                           for line in block.split("\n")[1:])  # fmt: skip
        for place, languages in found.items():
            joint[place].update(
                f"joint_{one}_{other}" for one, other in combinations(LANGUAGES, 2) if {one, other} <= languages
            )
    rows = [
        {"concept_id": vocabulary.words[LANGUAGES[0]][place], "arm": arms[place]}
        | {f"count_{language}": counts[place, language] for language in LANGUAGES}
        | {f"answers_{language}": answers[place, language] for language in LANGUAGES}
        | {name: joint[place][name] for name in (f"joint_{a}_{b}" for a, b in combinations(LANGUAGES, 2))}
        for place in sorted(arms)
    ]
    return pa.Table.from_pylist(rows)
