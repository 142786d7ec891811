"""What is told of a training while it runs: JSON lines in the run folder, now and then a line, a service if asked."""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pivotlens.artifacts.files import writing_errors
from pivotlens.errors import PrerequisiteError
from pivotlens.extras import is_installed
from pivotlens.progress import Teller

_FILE, _PROJECT = "file", "pivotlens"
_ELSE = "or leave out log_to: losses also stand in the run folder under logs/train."
# Seconds between two lines.
_EVERY = 30.0


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
            f"`pip install {service}`, {_ELSE}",
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
        steps: Steps in all.
        tell: Takes a line now and then.
    """

    path: Path | None
    step_tokens: int
    service: str
    name: str
    settings: Mapping[str, Any]
    steps: int
    tell: Teller
    _last: float = field(default_factory=time.monotonic)
    _told: float = -math.inf
    _losses: list[float] = field(default_factory=list)
    _seconds: float = 0.0
    _session: Any = None

    def step(self, step: int, loss: float, rate: float, norm: float) -> None:
        """Write a line.

        Raises:
            ArtifactError: The disk is full.
            PrerequisiteError: The service takes nothing, such as one that asks for a key.
        """
        if self.path is None:
            return
        now = time.monotonic()
        seconds, self._last = max(now - self._last, 1e-9), now
        found = {
            "tokens": step * self.step_tokens, "loss": loss, "learning_rate": rate, "gradient_norm": norm,
            "tokens_per_second": round(self.step_tokens / seconds, 1),
        }  # fmt: skip
        with writing_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(orjson.dumps({"step": step, **found}, option=orjson.OPT_APPEND_NEWLINE))
        self._losses.append(loss)
        self._seconds += seconds
        if now - self._told >= _EVERY or step == self.steps:
            self._tell(step, now)
        if self.service != _FILE:
            with redirect_stdout(sys.stderr):  # it prints, and stdout is for results
                if self._session is None:
                    self._session = self._begun()
                self._session.log(found, step=step)

    def close(self) -> None:
        """End the session of the service."""
        if self._session is not None:
            with redirect_stdout(sys.stderr):
                self._session.finish()

    def _tell(self, step: int, now: float) -> None:
        """Tell of the steps since the last line."""
        count = len(self._losses)
        self.tell(
            f"train {self.name}: step {step:,} of {self.steps:,}, {step * self.step_tokens:,} tokens, "
            f"loss {sum(self._losses) / count:.4f}, {count * self.step_tokens / self._seconds:,.0f} tokens/s"
        )
        self._told, self._losses, self._seconds = now, [], 0.0

    def _begun(self) -> Any:
        session = importlib.import_module(self.service)
        try:
            session.init(project=_PROJECT, name=self.name, config=dict(self.settings))
        except Exception as error:  # the service raises whatever its parts raise
            raise PrerequisiteError(
                f"{self.service} cannot log the training {self.name}: {error}",
                f"Set it up, or let it log offline (WANDB_MODE=offline), {_ELSE}",
            ) from error
        return session
