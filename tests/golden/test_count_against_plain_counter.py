"""Every cell of every table of `count` against the second, plain counter, on text with the traps of 26 languages."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import orjson
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from corpus_fixture import FILLERS, SHOTS, WORDS, write_bench, write_tokenizer
from test_matching import _traps
from tools.plain_count.__main__ import count_twice

from pivotlens.artifacts import Counts
from pivotlens.count import CountConfig

_LONGER = ("zh\t山水", "zh\t登山家", "ja\t登山", "ko\t물리학")


def _concepts() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return concepts of the trapped words, one a language each, beside those whose tokens are known."""
    concepts = {name: dict(by_language) for name, by_language in WORDS.items()}
    for number, (language, word, *_) in enumerate(_traps()):
        of_language = concepts.setdefault(f"trap-{number % 40}", {})
        of_language[language] = (*of_language.get(language, ()), word)
    return {name: by_language for name, by_language in concepts.items() if len(by_language) > 1}


def _write_corpus(folder: Path) -> Path:
    """Write documents of trapping texts and known words, with a footer in some and rows that cannot be read."""
    rng, traps = random.Random(0), _traps()
    forms = [form for by_language in WORDS.values() for of_language in by_language.values() for form in of_language]
    folder.mkdir()
    lines = []
    for number in range(600):
        language = rng.choice(sorted({trap[0] for trap in traps})) if number % 2 else "fr"
        texts = [text for code, _, text, *_ in traps if code == language]
        texts = [*rng.sample(texts, min(len(texts), 6)), " ".join(rng.choices(forms + FILLERS, k=rng.randrange(20)))]
        rng.shuffle(texts)
        text = rng.choice(["\n", " ", ", ", "'"]).join(texts) + f"\n\u3000Page {number}, water\u00a0" * (
            number % 3 == 0
        )
        source = "pages" if number % 5 else "books"
        lines.append(orjson.dumps({"text": text, "language": language, "source": source}))
        if number % 50 == 0:
            lines += [b"", b"{broken", orjson.dumps({"text": 7, "language": language})]
    for part in range(3):
        (folder / f"{part}.jsonl").write_bytes(b"\n".join(lines[part::3]))
    return folder


@pytest.mark.parametrize("identify", ["lines", "label"])
def test_no_cell_differs(tmp_path: Path, identify: str) -> None:
    write_bench(tmp_path / "run", _concepts(), SHOTS)
    longer = tmp_path / "longer.tsv"
    longer.write_text("\n".join(["language\tword", *_LONGER, ""]), encoding="utf-8")
    config = CountConfig(
        corpus=str(_write_corpus(tmp_path / "corpus")),
        tokenizer=str(write_tokenizer(tmp_path / "model")),
        longer_words=str(longer),
        identify=identify,
        unit_characters=100,
        sample=10,
        background=20,
        max_bad_share=0.1,
    )
    found = count_twice(tmp_path / "run", config)
    assert {name: compared.first for name, compared in found.items() if compared.differing} == {}
    details = Counts.load(tmp_path / "run").manifest.details
    assert details["boilerplate_dropped"] > 0
    assert details["bad_rows"] == found["problems"].rows > 0
    words = Counts.load(tmp_path / "run").rows("words")
    assert len({row["word_language"] for row in words if row["df"]}) >= 20
    assert any(row["n_sampled"] < row["df"] for row in words if row["document_language"] == row["word_language"])
    assert found["word_tokens"].rows > 500
    assert found["pair_tokens"].rows > 50
