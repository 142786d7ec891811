"""From a model spec to a folder of safetensors; no torch unless something must be converted."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from pivotlens.artifacts import Made, RunFolder, Source
from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import canonical_json, sha256_of_file
from pivotlens.errors import ConfigError, ModelError, PrerequisiteError, did_you_mean
from pivotlens.extras import install_hint, require_models
from pivotlens.models.demo import DEMO_MODELS, fetch_demo_model
from pivotlens.settings import SweepStageConfig

_CONVERTED = "pivotlens.json"
_ADAPTER = "adapter_config.json"
# Everything a model needs except pickles and remote code.
_HUB_FILES = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt", "*.jinja")
_POINTER, _POINTER_BYTES = b"version https://git-lfs", 1024


@dataclass(frozen=True)
class ResolvedModel:
    """A model on this disk.

    Attributes:
        spec: What the user wrote.
        folder: Folder with config, tokenizer and safetensors.
        fingerprint: sha256 that stands for the model's content.
        revision: Hub commit, or sha256 of the file it was converted from; empty for a folder.
    """

    spec: str
    folder: Path
    fingerprint: str
    revision: str


def cache_folder() -> Path:
    """Return where downloads and conversions are kept: ``PIVOTLENS_CACHE`` or the user's cache folder."""
    if configured := os.environ.get("PIVOTLENS_CACHE"):
        return expanded(configured)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pivotlens"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pivotlens"


def _check(spec: str) -> None:
    if not spec:
        raise ConfigError("no model given", "Pass --model, or set `model` in the configuration file.")
    if spec.startswith("demo:") and spec[5:] not in DEMO_MODELS:
        raise ConfigError(f"unknown demo model {spec!r}", did_you_mean(spec, (f"demo:{name}" for name in DEMO_MODELS)))


def resolve_model(spec: str, tokenizer_only: bool = False, near: RunFolder | None = None) -> ResolvedModel:
    """Find or fetch a model.

    Args:
        spec: A hub id ``org/name@revision``, a folder, a ``.gguf`` file, ``demo:NAME``, or ``run:STAGE/ARM@STEP``: what
            a stage made.
        tokenizer_only: Do not fetch weights from a hub.
        near: The run folder that such a reference leads into.

    Raises:
        ConfigError: The spec is empty or names an unknown demo model.
        PrerequisiteError: It must be downloaded and cannot be, or the stage has not run.
        ModelError: The folder or file is no usable model.
        ArtifactError: A file that a stage made is missing or was changed.
    """
    _check(spec)
    if (made := _made(spec, near)) is not None:
        for name in made.files:
            made.check(name)
        _check_folder(made.folder)
        return ResolvedModel(spec, made.folder, made.fingerprint, made.revision)
    if spec.startswith("demo:"):
        model = DEMO_MODELS[spec[5:]]
        folder = cache_folder() / "models" / f"{model.name}-{model.sha256[:12]}"
        if not _is_converted(folder):
            require_models(f"converting {spec}", "gguf")
            _convert(fetch_demo_model(model, cache_folder()), folder, model.sha256)
        return ResolvedModel(spec, folder, model.sha256, model.sha256)
    path = expanded(spec)
    if spec.endswith(".gguf"):
        sha256 = _gguf_fingerprint(path)
        folder = cache_folder() / "models" / f"{path.stem}-{sha256[:12]}"
        if not _is_converted(folder):
            require_models(f"converting {path.name}", "gguf")
            _convert(path, folder, sha256)
        return ResolvedModel(spec, folder, sha256, sha256)
    if path.is_dir():
        return ResolvedModel(spec, path, _sha256(_folder_content(path)), "")
    return _from_hub(spec, tokenizer_only)


def model_input(spec: str, near: RunFolder) -> str | Made:
    """Return what stands for a model in a fingerprint; fetches at most a hub model's small files.

    Raises:
        ConfigError: The spec is empty or names an unknown demo model.
        PrerequisiteError: It is not there and cannot be fetched, or the stage that makes it has not run.
        ModelError: The folder or file is no usable model.
    """
    _check(spec)
    made = _made(spec, near)
    if made is not None and made.provisional:
        return made
    if spec.startswith("demo:"):
        return DEMO_MODELS[spec[5:]].sha256
    if made is None and spec.endswith(".gguf"):
        return _gguf_fingerprint(expanded(spec))
    resolved = resolve_model(spec, tokenizer_only=True, near=near)
    refuse_adapter(resolved)
    return resolved.fingerprint


def swept_models(config: SweepStageConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return what stands for every model that a stage reads; errors as `model_input`."""
    first, *others = config.models()
    return {"model": model_input(first, near), **{f"model {spec}": model_input(spec, near) for spec in others}}


def tokenizer_input(spec: str, near: RunFolder) -> str | Made:
    """Return what stands for a model's tokenizer alone in a fingerprint: the sha256 of its ``tokenizer.json``.

    Another checkpoint with the same tokenizer gives the same. Of a demo model or a GGUF file it is the sha256 of that
    file, as its ``tokenizer.json`` is there only once it was converted; errors as `model_input`.
    """
    _check(spec)
    made = _made(spec, near)
    if made is not None and made.provisional:
        return made
    if made is None and (spec.startswith("demo:") or spec.endswith(".gguf")):
        return model_input(spec, near)
    return sha256_of_file(tokenizer_file(spec, near))


def tokenizer_file(spec: str, near: RunFolder | None = None) -> Path:
    """Return a model's ``tokenizer.json``; errors as `resolve_model`.

    Raises:
        ModelError: It has none.
    """
    _check(spec)
    made = _made(spec, near)
    folder = expanded(spec) if made is None else made.folder
    if folder.is_dir():
        if not (folder / "tokenizer.json").is_file():  # a tokenizer may stand alone
            _check_folder(folder)
        _refuse_pointer(folder / "tokenizer.json")
    else:
        folder = resolve_model(spec, tokenizer_only=True, near=near).folder
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(
            f"model {spec!r} has no fast tokenizer (no tokenizer.json in {folder})",
            "Convert it with transformers: AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…).",
        )
    return path


def refuse_adapter(resolved: ResolvedModel) -> None:
    """Refuse a model with an adapter beside it: whether it would be applied hangs on what is installed.

    Raises:
        ModelError: There is one.
    """
    if (resolved.folder / _ADAPTER).is_file():
        raise ModelError(
            f"{resolved.spec!r} holds an adapter ({_ADAPTER}), and nothing says whether it is to be applied",
            f"With it: merge it (PeftModel.from_pretrained(…).merge_and_unload().save_pretrained(…)) and give that "
            f"folder. Without it: give a copy that has no {_ADAPTER}.",
        )


def _made(spec: str, near: RunFolder | None) -> Made | None:
    return (near or RunFolder(Path())).made(spec)


def _gguf_fingerprint(path: Path) -> str:
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}", "Give the path of a .gguf file.")
    _refuse_pointer(path)
    status = path.stat()
    return _sha256_of(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _sha256_of(path: Path, size: int, modified: int) -> str:
    """Return the sha256 of a file of gigabytes, computed once for as long as nothing is written to it."""
    del size, modified
    return sha256_of_file(path)


def _sha256(content: object) -> str:
    return hashlib.sha256(canonical_json(content)).hexdigest()


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        if (folder / _ADAPTER).is_file():
            raise ModelError(
                f"{folder} is an adapter alone: it has {_ADAPTER} and no config.json",
                "Merge it into its model (PeftModel.from_pretrained(…).merge_and_unload().save_pretrained(…)) and give "
                "that folder.",
            )
        raise ModelError(
            f"{folder} is no model folder: it has no config.json", "Give a folder written by transformers."
        )
    for path in folder.iterdir():
        _refuse_pointer(path)


def _folder_content(folder: Path) -> list[object]:
    """Return names and sums of a model folder's files; of weights, which are large, size and time."""
    _check_folder(folder)
    content: list[object] = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".model", ".txt", ".jinja"):
            content.append([path.name, sha256_of_file(path)])
        elif path.suffix == ".safetensors":
            status = path.stat()
            content.append([path.name, status.st_size, status.st_mtime_ns])
    return content


def _refuse_pointer(path: Path) -> None:
    if path.is_file() and path.stat().st_size < _POINTER_BYTES and path.read_bytes().startswith(_POINTER):
        raise ModelError(f"{path} is a pointer of Git LFS, not the file", "Fetch what it stands for: `git lfs pull`.")


def _is_converted(folder: Path) -> bool:
    try:
        files = orjson.loads((folder / _CONVERTED).read_bytes())["files"]
        return all((folder / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # not there, or damaged


def conversion_warnings(folder: Path) -> list[str]:
    """Return what came up when a GGUF file was converted into a folder; nothing where the folder is a user's."""
    if not (folder / _CONVERTED).is_file():
        return []
    return [str(warning) for warning in orjson.loads((folder / _CONVERTED).read_bytes()).get("warnings", ())]


def _convert(gguf: Path, folder: Path, sha256: str) -> None:
    try:
        from pivotlens.models.convert import convert_gguf
    except ImportError as error:
        raise PrerequisiteError(
            f"converting {gguf.name} needs {error.name}, which is not installed",
            install_hint("models"),
        ) from error
    convert_gguf(gguf, folder, _CONVERTED, sha256)


def _from_hub(spec: str, tokenizer_only: bool) -> ResolvedModel:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name, _, revision = spec.partition("@")
    patterns = [pattern for pattern in _HUB_FILES if not (tokenizer_only and "safetensors" in pattern)]
    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
    except HFValidationError as error:
        raise ModelError(
            f"model {spec!r} is no folder, no .gguf file and no hub id",
            "Write a path that exists, org/name, or demo:gemma-3-270m.",
        ) from error
    except LocalEntryNotFoundError:
        folder = None
    if folder is None or not (tokenizer_only or any(folder.glob("*.safetensors"))):
        try:
            folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise ModelError(
                f"the hub has no model {spec!r}, or you may not see it",
                "Check the name and the revision; for a gated model log in with `hf auth login`.",
            ) from error
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise PrerequisiteError(
                f"model {spec!r} is not in the cache and the hub cannot be reached",
                "Connect to the network, give a folder or .gguf file, or use demo:gemma-3-270m.",
            ) from error
    if not (folder / "config.json").is_file():
        raise ModelError(f"{spec!r} has no config.json", "It is no transformers model.")
    if not (tokenizer_only or any(folder.glob("*.safetensors"))):
        raise ModelError(
            f"{spec!r} has no safetensors weights",
            "Pickled weights are never opened; convert the model to safetensors first.",
        )
    return ResolvedModel(spec, folder, f"{name}@{folder.name}", folder.name)
