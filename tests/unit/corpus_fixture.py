"""Small corpora, benchmarks and tokenizers for the tests of count and select."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer, models, pre_tokenizers

from pivotlens.artifacts import schema_of
from pivotlens.bench.config import BenchConfig
from pivotlens.mine.config import MineConfig
from pivotlens.models.tokenizer import load_tokenizer
from stage_by_hand import writing

WORDS = {
    "water": {"en": ("water",), "fr": ("eau", "eaux"), "zh": ("水",)},
    "book": {"en": ("book",), "fr": ("livre",), "zh": ("书", "书本")},
    "impossible": {"en": ("impossible",), "fr": ("impossible",), "zh": ("不可能",)},
    "mountain": {"en": ("mountain", "mount top"), "fr": ("montagne",), "zh": ("山",)},
}
SHOTS = {"climb": {"en": ("climb",), "fr": ("grimper",), "zh": ("登山",)}}
PIVOTS = ("water", "book", "livre")
PAIR_PIVOTS = {("fr", "eau"): ("water", "book"), ("zh", "水"): ("water",), ("en", "mountain"): ("book", "livre")}
FILLERS = ["the", "le", "Livre", "WATER", "water-book", "mount", "top", "watery", "的", "登山", "书本", "wet", "x1"]


def write_bench(run: Path, words: dict = WORDS, shots: dict = SHOTS) -> None:
    """Write a benchmark artifact by hand."""
    items: dict[str, list] = {name: [] for name in schema_of("bench", "items").names}
    for split, concepts in (("test", words), ("shot", shots)):
        for concept, by_language in concepts.items():
            for language, accepted in by_language.items():
                row = (concept, split, False, "noun", "", None, language, accepted[0], list(accepted), [], [])
                for column, value in zip(items.values(), row, strict=True):
                    column.append(value)
    with writing(run, BenchConfig(words="everyday-nouns"), inputs={}) as stage:
        stage.write_table("items", items)
        stage.write_table("distractors", {"concept_id": [], "distractor_id": [], "tier": []})
        stage.write_table("links", {"concept_id": [], "language": [], "word": [], "relation": []})
        stage.finish()


def write_mine(run: Path, tokenizer: str, pivots: tuple[str, ...] = PIVOTS) -> None:
    """Write mined pivots by hand, of pairs and of the corpus."""
    loaded = load_tokenizer(tokenizer)
    ids = [loaded.tokenizer.token_to_id(pivot) for pivot in pivots]
    n = len(ids)
    columns = {"token_id": ids, "token": list(pivots), "degree": [3] * n, "degree_shuffled": [0.5] * n}
    columns |= {"language_pairs": [2] * n, "stability": [1.0] * n, "score": [float(n - place) for place in range(n)]}
    columns["variant_ids"] = [token_variants(loaded, pivot) for pivot in pivots]
    pairs: dict[str, list] = {name: [] for name in schema_of("mine", "pair_pivots").names}
    for (language, word), of_word in PAIR_PIVOTS.items():
        for pivot in of_word if pivots else ():
            row = dict.fromkeys(pairs, 0) | {
                "token": pivot,
                "token_id": token_variants(loaded, pivot)[0],
                "relation": "",
            }
            row |= {"concept_id": "c", "source_language": language, "source_word": word, "target_language": "xx"}
            row |= {"target_word": "w", "variant_ids": token_variants(loaded, pivot)}
            for name, column in pairs.items():
                column.append(row[name])
    with writing(run, MineConfig(), inputs={}) as stage:
        stage.write_table("pivots", columns)
        stage.write_table("pair_pivots", pairs)
        stage.finish()


def token_variants(loaded: Any, pivot: str) -> list[int]:
    """Return the ids of a pivot and of its upper case, where the tokenizer has them."""
    return [one for text in (pivot, pivot.upper()) if (one := loaded.tokenizer.token_to_id(text)) is not None]


def random_text(rng: random.Random, length: int) -> str:
    """Return text of words, look-alikes and line ends."""
    forms = [form for by_language in WORDS.values() for accepted in by_language.values() for form in accepted]
    return "".join(rng.choice(forms + FILLERS) + rng.choice([" ", " ", " ", "\n", ", ", ""]) for _ in range(length))


def write_corpus(folder: Path, files: int = 3, documents: int = 20, seed: int = 0) -> Path:
    """Write JSONL files of random text in three languages."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        lines = [
            orjson.dumps({"text": random_text(rng, rng.randint(0, 60)), "language": rng.choice(["en", "fr", "zh_CN"])})
            for _ in range(documents)
        ]
        (folder / f"part-{number}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def write_tokenizer(folder: Path) -> Path:
    """Write a model folder that has nothing but a tokenizer: a token a character, and one for each known word."""
    folder.mkdir(parents=True, exist_ok=True)
    forms = sorted({form for by_language in WORDS.values() for accepted in by_language.values() for form in accepted})
    known = [*forms, *(filler for filler in FILLERS if filler not in forms)]
    characters = sorted({character for form in known for character in form} - set(known))
    vocabulary = {piece: number for number, piece in enumerate(["<unk>", *known, *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(behavior="removed")]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text("{}")
    return folder
