"""What is told of a training while it runs: JSON lines in the run folder, and a service where one is asked for."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pivotlens.artifacts.files import writing_errors
from pivotlens.errors import PrerequisiteError
from pivotlens.extras import is_installed

_FILE, _PROJECT = "file", "pivotlens"


def log_path(run: Path, name: str) -> Path:
    """Return where the log of a training is: beside the results, as it holds times."""
    return run / "logs" / "train" / f"{name}.jsonl"


def check_service(service: str) -> None:
    """Check that the package of a service is installed.

    Raises:
        PrerequisiteError: It is not.
    """
    if service != _FILE and not is_installed(service):
        raise PrerequisiteError(
            f"log_to = {service!r} needs {service}, which is not installed",
            f"`pip install {service}`, or leave out log_to: losses also stand in the run folder under logs/train.",
        )


@dataclass
class StepLog:
    """Takes the steps of a training.

    Attributes:
        path: The file of lines; None where another process writes it.
        step_tokens: Tokens of a step.
        service: ``trackio`` or ``wandb``, or ``file`` where there is none.
        name: Of the training.
        settings: What the service shows of it.
    """

    path: Path | None
    step_tokens: int
    service: str
    name: str
    settings: Mapping[str, Any]
    _last: float = field(default_factory=time.monotonic)
    _session: Any = None

    def step(self, step: int, loss: float, rate: float, norm: float) -> None:
        """Write a line.

        Raises:
            ArtifactError: The disk is full.
        """
        if self.path is None:
            return
        now = time.monotonic()
        found = {
            "step": step, "tokens": step * self.step_tokens, "loss": loss, "learning_rate": rate, "gradient_norm": norm,
            "tokens_per_second": round(self.step_tokens / max(now - self._last, 1e-9), 1),
        }  # fmt: skip
        self._last = now
        with writing_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE))
        if self.service != _FILE:
            if self._session is None:
                self._session = importlib.import_module(self.service)
                self._session.init(project=_PROJECT, name=self.name, config=dict(self.settings))
            self._session.log(found)

    def close(self) -> None:
        """End the session of the service."""
        if self._session is not None:
            self._session.finish()
