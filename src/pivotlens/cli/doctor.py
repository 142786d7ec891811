"""`pivotlens doctor`: is everything here that a run needs?"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata

from cyclopts import App

from pivotlens.cli.terminal import print_json, results_console
from pivotlens.cli.verbs import Json, help_text
from pivotlens.errors import PrerequisiteError
from pivotlens.extras import install_line, is_installed

EXAMPLES = ("pivotlens doctor", "pivotlens doctor --json")
_CORE = ("numpy", "pyarrow", "tokenizers", "numba", "zstandard")
_MODELS = ("torch", "transformers", "safetensors", "accelerate", "gguf")
_NEEDED_GIGABYTES = 4


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``ok`` is None for what is only told."""

    name: str
    ok: bool | None
    text: str


def add(app: App) -> None:
    """Add the verb."""
    app.command(doctor, name="doctor", help=help_text("Check this machine for what a run needs.", EXAMPLES))


def doctor(*, json: Json = False) -> None:
    """Check the machine."""
    findings = [*_packages(), *_cache(), *_machine()]
    if json:
        print_json([vars(finding) for finding in findings])
    else:
        console = results_console()
        for finding in findings:
            mark = {True: "ok", False: "MISSING", None: ""}[finding.ok]
            console.print(f"{mark:<8} {finding.name:<16} {finding.text}", markup=False, soft_wrap=True)
    missing = [finding for finding in findings if finding.ok is False]
    if missing:
        raise PrerequisiteError(f"{len(missing)} things are missing, the first: {missing[0].name}", missing[0].text)


def _packages() -> list[Finding]:
    findings = [Finding("python", None, platform.python_version())]
    for names, remedy in ((_CORE, install_line()), (_MODELS, install_line("models"))):
        for name in names:
            if not is_installed(name):
                findings.append(Finding(name, False, f"Install it with `{remedy}`."))
            else:
                findings.append(Finding(name, True, metadata.version(name)))
    return findings


def _cache() -> list[Finding]:
    from pivotlens.models.demo import DEMO_MODELS
    from pivotlens.models.resolve import cache_folder

    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return [Finding("cache", False, f"{folder} cannot be written ({error.strerror}); set PIVOTLENS_CACHE.")]
    free = shutil.disk_usage(folder).free / 1e9
    text = f"{folder}, {free:.0f} GB free"
    findings = [
        Finding("cache", free >= _NEEDED_GIGABYTES, text if free >= _NEEDED_GIGABYTES else f"{text}; 4 are needed")
    ]
    for name, model in DEMO_MODELS.items():
        there = any((folder / "models").glob(f"{name}-{model.sha256[:12]}"))
        findings.append(
            Finding(f"demo:{name}", None, "in the cache" if there else f"not fetched yet ({model.megabytes} MB)")
        )
    return findings


def _machine() -> list[Finding]:
    findings = [
        Finding(
            "processors",
            None,
            str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        )
    ]
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    findings.append(Finding("browser", None, browser or "no Chromium found; only the project's browser tests need one"))
    if is_installed("torch"):
        import torch

        kinds = [
            name
            for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
            if there
        ]
        findings.append(Finding("device", None, ", ".join(kinds) or "cpu only"))
    return findings
