"""Near-duplicates: signatures and bands against the exact Jaccard index of sets of runs of five words."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import MinedRun

from pivotlens import select_documents
from pivotlens.artifacts import Selection
from pivotlens.select import SelectConfig
from pivotlens.select.near_duplicates import ROWS, Signatures, signatures, similarities
from pivotlens.text.folding import separated_forms

_ALONE = "[\u0e00-\u109f\u1780-\u17ff\u3000-\U0010ffff]"
_WORD = re.compile(rf"{_ALONE}|(?:(?!{_ALONE}|[\u0080-\u00bf\u2000-\u2fff])[a-z0-9\u00c0-\uffff])+")


def _ngrams(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text)
    return frozenset(tuple(words[start : start + 5]) for start in range(len(words) - 4))


def _signed(texts: list[str]) -> Signatures:
    return signatures(np.frombuffer(separated_forms(texts), dtype=np.uint8), len(texts))


def _similar(signed: Signatures) -> np.ndarray:
    return similarities(len(signed), lambda band: signed[:, band * ROWS :][:, :ROWS], lambda some: signed[some])


def _varied(seed: int) -> list[str]:
    """Make texts of some words of their own and copies of each in which one word of hundreds to ten is another."""
    rng = random.Random(seed)
    alphabets = ["abcdefghijklmnop", "абвгдежзиклмн"]
    words = ["".join(rng.choices(rng.choice(alphabets), k=rng.randint(2, 9))) for _ in range(2000)]
    words += [chr(0x4E00 + number) * 1 for number in range(500)]
    texts = []
    for _ in range(60):
        text = rng.choices(words, k=rng.randint(60, 200))
        texts.append(" ".join(text))
        for rate in (0.005, 0.01, 0.02, 0.04, 0.06, 0.1):
            texts.append(" ".join(rng.choice(words) if rng.random() < rate else word for word in text))
    rng.shuffle(texts)
    return texts


@pytest.mark.parametrize("share", [0.7, 0.8, 0.9])
def test_recall_and_precision_against_the_exact_index(share: float) -> None:
    texts = _varied(1)
    sets = [_ngrams(text) for text in texts]
    exact = np.zeros(len(texts))
    for later, of_later in enumerate(sets):
        for of_earlier in sets[:later]:
            if common := len(of_later & of_earlier):
                exact[later] = max(exact[later], common / len(of_later | of_earlier))
    found = _similar(_signed(texts)) > share
    assert found[exact > share].mean() > 0.85
    assert found[exact > share + 0.05].mean() > 0.97
    assert (exact[found] > share).mean() > 0.85
    assert (exact[found] > share - 0.07).mean() > 0.97


_PIECES = ["water", "Eau", "ß", "水", "を", "ไม้", "မြန်", "ភាសា", "한국", "-", " ", "…", "“x”", "1", "é", "²", "\n"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join), min_size=1, max_size=5))
def test_texts_have_equal_signatures_exactly_if_their_runs_of_words_are_equal(texts: list[str]) -> None:
    signed = _signed(texts)
    forms = separated_forms(texts).decode().split("\0")[:-1]
    assert len(signed) == len(forms) == len(texts)
    for one, of_one in zip(forms, signed, strict=True):
        assert (of_one == 0xFFFFFFFF).all() == (not _ngrams(one))
        for other, of_other in zip(forms, signed, strict=True):
            assert (of_one == of_other).all() == (_ngrams(one) == _ngrams(other))


def test_the_first_stays_and_texts_without_a_run_are_never_alike() -> None:
    long = " ".join(f"word{number}" for number in range(99))
    texts = ["a b c", long, f"{long} more", "a b c", long.replace("word7 ", ""), "", " ".join(long.split()[::-1])]
    found = _similar(_signed(texts))
    assert (found[[0, 1, 3, 5, 6]] == 0).all()
    assert (found[[2, 4]] > 0.8).all()
    assert _similar(_signed([])).tolist() == []
    assert found[2] == (_signed(texts)[1] == _signed(texts)[2]).mean()


def _select(mined: MinedRun, corpus: Path, run: Path, **more: object) -> Selection:
    if not run.exists():
        run.mkdir(parents=True)
        for stage in ("bench", "count", "mine"):
            (run / stage).symlink_to(mined.run / stage)
    values = {"corpus": str(corpus), "tokenizer": str(mined.model), "unit_characters": 256, "budget_tokens": 300}
    return select_documents(SelectConfig(**{**values, "shortage": "take_all", "min_tokens": 8, **more}), run)


def test_near_duplicates_are_left_out_however_the_corpus_is_cut(
    mined: MinedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(mined.corpus, corpus)
    text = "the water is clear and the sun is high " + " ".join(f"n{number}" for number in range(40))
    copies = [text, f"{text} again", text.replace("clear", "cold"), text.upper()]
    lines = [orjson.dumps({"text": copy, "language": "en"}) for copy in copies]
    (corpus / "shard-7.jsonl").write_bytes(b"\n".join(lines))
    kept = _select(mined, corpus, tmp_path / "all")
    assert kept.manifest.details["near_duplicates"] == 0
    assert {row["similarity"] for row in kept.rows("scores")} == {None}
    apart = _select(mined, corpus, tmp_path / "apart", max_similarity=0.7)
    rows = [row for row in apart.rows("scores") if row["file"] == "shard-7.jsonl"]
    assert [row["similarity"] > 0.7 for row in rows] == [False, True, True, True]
    assert [row["duplicate"] for row in rows] == [False, False, False, True]
    assert not any(row["selected"] for row in apart.rows("scores") if row["similarity"] > 0.7)
    lost = {row["reason"]: row["units"] for row in apart.rows("losses") if row["language"] == "en"}
    assert apart.manifest.details["near_duplicates"] >= lost["near_duplicate"] >= 2
    assert (
        "more than 70% of their runs of five words in common" in (tmp_path / "apart/select/top/README.md").read_text()
    )

    def unread(*_: object) -> None:
        raise AssertionError("text was read")

    with monkeypatch.context() as patched:
        patched.setattr("pivotlens.select.passes.unit_batches", unread)
        looser = _select(mined, corpus, tmp_path / "apart", max_similarity=0.9)
    assert looser.manifest.details["near_duplicates"] <= apart.manifest.details["near_duplicates"]
    monkeypatch.setattr("pivotlens.corpus.cutting.SHARD_BYTES", 2000)
    cut = _select(mined, corpus, tmp_path / "cut", max_similarity=0.9, workers=2)
    assert cut.rows("scores") == looser.rows("scores")
