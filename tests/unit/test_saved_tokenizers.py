"""A tokenizer file's saved state - truncation, padding, templates, dropout - changes no count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import transformers as hf
from tokenizers import Tokenizer, models, processors

from pivotlens.artifacts import Counts, Selection
from pivotlens.cli.main import main
from pivotlens.models.load import load_model
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from tiny_models import llama_like, random_model, save
from tokenizer_kinds import CORPUS_MAKERS, byte_level, fast, with_bos, word_piece

_TEXTS = ["the water of the river and the book: la maison, l'eau 水 学校 hiver " * 12, "", "Élan", " a"]


def _truncated(tokenizer: Tokenizer) -> None:
    tokenizer.enable_truncation(16, stride=2, direction="left")


def _padded(tokenizer: Tokenizer) -> None:
    tokenizer.enable_padding(length=64, pad_id=1, pad_token="<s>")


def _padded_to_multiples(tokenizer: Tokenizer) -> None:
    tokenizer.enable_padding(direction="left", pad_to_multiple_of=8)


def _template(tokenizer: Tokenizer) -> None:
    with_bos(tokenizer, eos=True)


def _bert(tokenizer: Tokenizer) -> None:
    tokenizer.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 1))


def _dropout(tokenizer: Tokenizer) -> None:
    if isinstance(tokenizer.model, models.BPE):
        tokenizer.model.dropout = 0.5


def _everything(tokenizer: Tokenizer) -> None:
    for state in (_truncated, _padded, _template, _dropout):
        state(tokenizer)


STATES = {
    "truncation": _truncated,
    "padding": _padded,
    "padding to multiples": _padded_to_multiples,
    "template": _template,
    "bert": _bert,
    "dropout": _dropout,
    "everything": _everything,
}


def _loaded(tokenizer: Tokenizer, folder: Path) -> TextTokenizer:
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    return load_tokenizer(str(folder))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", CORPUS_MAKERS)
def test_corpus_tokens_are_independent_of_saved_state(kind, state, tmp_path):
    plain = CORPUS_MAKERS[kind]()
    changed = Tokenizer.from_str(plain.to_str())
    STATES[state](changed)
    wanted = _loaded(plain, tmp_path / "plain")
    for attempt in range(3):
        found = _loaded(changed, tmp_path / f"changed-{attempt}")
        for one, other in zip(found.encode_batch(_TEXTS), wanted.encode_batch(_TEXTS), strict=True):
            assert one.tolist() == other.tolist()
    assert len(wanted.encode_batch(_TEXTS)[0]) > 64


def test_what_was_switched_off_is_named(tmp_path):
    tokenizer = byte_level()
    _everything(tokenizer)
    assert _loaded(tokenizer, tmp_path / "all").warnings == (
        "tokenizer.json was saved with truncation to 16 tokens: it was switched off",
        "tokenizer.json was saved with padding: it was switched off",
        "tokenizer.json was saved with dropout of 0.5, with which a text is cut differently each time: "
        "it was switched off",
    )
    assert _loaded(with_bos(byte_level()), tmp_path / "bos").warnings == ()
    assert _loaded(word_piece(), tmp_path / "cased").warnings == ()


def test_a_normaliser_is_kept_and_named(tmp_path):
    found = _loaded(word_piece(lowercase=True), tmp_path / "uncased")
    assert found.warnings == (
        "the tokenizer lower-cases and strips accents from every text: words that differ in that alone are one",
    )
    one, other = found.encode_batch(["Eau ÉLAN", "eau elan"])
    assert one.tolist() == other.tolist()


@pytest.fixture
def stateful_copy(tiny, tmp_path) -> Callable[[Callable[[Tokenizer], None]], Path]:
    """Return a copy of the small model's folder whose tokenizer was saved in a state."""

    def make(state: Callable[[Tokenizer], None]) -> Path:
        folder = tmp_path / "stateful"
        folder.mkdir()
        (folder / "config.json").write_bytes((tiny.model / "config.json").read_bytes())
        tokenizer = Tokenizer.from_file(str(tiny.model / "tokenizer.json"))
        state(tokenizer)
        tokenizer.save(str(folder / "tokenizer.json"))
        return folder

    return make


def _call(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def test_count_and_select_are_independent_of_saved_state(tiny, tmp_path, stateful_copy):
    stateful = stateful_copy(lambda tokenizer: (_truncated(tokenizer), _padded(tokenizer)))
    runs = []
    for name, tokenizer in (("plain", tiny.model), ("stateful", stateful)):
        run = tmp_path / name
        common = ("--run", run, "--config", tiny.config)
        _call("bench", *common)
        _call("count", *common, "--tokenizer", tokenizer)
        _call("mine", *common)
        _call("select", *common, "--tokenizer", tokenizer)
        runs.append(run)
    for result, tables in ((Counts, ("tokens", "word_tokens", "languages")), (Selection, ("scores",))):
        one, other = (result.load(run) for run in runs)
        for table in tables:
            assert one.table(table).equals(other.table(table))
        assert any("truncation to 16" in warning for warning in other.manifest.warnings)
        assert not any("truncation" in warning for warning in one.manifest.warnings)


def test_a_models_own_tokenizer_is_cut_alike_each_time(tmp_path):
    """What the scorer and the lens encode: transformers switches truncation and padding off, and keeps dropout."""
    plain, changed = byte_level(), byte_level()
    _everything(changed)
    model = random_model(hf.LlamaConfig(**llama_like(vocab_size=400)))
    save(model, tmp_path / "changed", fast(changed))
    content = orjson.loads((tmp_path / "changed" / "tokenizer.json").read_bytes())
    assert content["model"]["dropout"] == 0.5
    loaded = load_model(str(tmp_path / "changed"), device="cpu")
    wanted = with_bos(plain, eos=True)
    for _ in range(5):
        assert loaded.tokenizer(_TEXTS)["input_ids"] == [wanted.encode(text).ids for text in _TEXTS]
    assert any("dropout" in warning for warning in loaded.warnings)
