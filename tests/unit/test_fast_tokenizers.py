"""Fast tokenizers cut as the model's own does, or are not used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivotlens.arrays import Integers
from pivotlens.extras import is_installed
from pivotlens.models import fast_tokenizers
from pivotlens.models.fast_tokenizers import EncodeFlat, fastest, sample_texts, use_hugging_face
from pivotlens.models.tokenizer import load_tokenizer
from tokenizer_kinds import CORPUS_MAKERS, byte_level

_HARD = st.text(
    st.one_of(st.sampled_from(" \n\tab'水éع�\u00a0\u200b\u0301👍<s>/"), st.characters(codec="utf-8")), max_size=60
)
_TOKENIZERS = {kind: make() for kind, make in CORPUS_MAKERS.items()}
_FASTEST = {kind: fastest(tokenizer)[0] for kind, tokenizer in _TOKENIZERS.items()}


@pytest.mark.parametrize("kind", CORPUS_MAKERS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.differing_executors])
@given(texts=st.lists(_HARD, max_size=4))
def test_the_fastest_gives_the_ids_of_the_models_own(kind: str, texts: list[str]) -> None:
    for found, wanted in zip(_FASTEST[kind](texts), use_hugging_face(_TOKENIZERS[kind])(texts), strict=True):
        assert found.dtype == wanted.dtype == np.int64
        assert found.tolist() == wanted.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("package", fast_tokenizers.LOADERS)
def test_each_package_knows_a_real_tokenizer_and_gives_the_same_ids(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed(package):
        pytest.skip(f"{package} is not installed")
    spec = "demo:gemma-3-270m" if package == "gigatoken" else "demo:smollm2-135m"
    tokenizer = load_tokenizer(spec).tokenizer
    monkeypatch.setattr(fast_tokenizers, "LOADERS", {package: fast_tokenizers.LOADERS[package]})
    encode, warnings = fastest(tokenizer)
    assert package in encode.__qualname__
    assert warnings == []


def test_one_other_id_and_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = byte_level()
    own = use_hugging_face(tokenizer)
    total = int(own(sample_texts(tokenizer))[1].sum())

    def wrong(_: str) -> EncodeFlat:
        def encode(texts: Sequence[str]) -> tuple[Integers, Integers]:
            ids, lengths = own(texts)
            ids[-1] += int(ids.size == total)
            return ids, lengths

        return encode

    def broken(_: str) -> EncodeFlat:
        raise RuntimeError("a kind of tokenizer that is not known")

    monkeypatch.setattr(fast_tokenizers, "LOADERS", {"os": broken, "numpy": wrong, "no_such_package": wrong})
    encode, warnings = fastest(tokenizer)
    assert encode(["the water"])[0].tolist() == tokenizer.encode("the water", add_special_tokens=False).ids
    assert warnings == [
        "the package numpy cuts sample texts into other tokens than the model's own tokenizer: it is not used"
    ]


def test_samples_hold_marks_of_the_tokenizer_and_its_pieces() -> None:
    tokenizer = byte_level()
    samples = sample_texts(tokenizer)
    assert samples == sample_texts(tokenizer)
    marks = [added.content for added in tokenizer.get_added_tokens_decoder().values()]
    assert marks
    assert all(any(mark in text for text in samples) for mark in marks)
    assert sum(map(len, samples)) > 4096
