"""Answers that were kept: each line of a file is one, and what a kill cut off is asked again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from pivotlens.artifacts.files import writing_errors
from pivotlens.artifacts.fingerprint import canonical_json
from pivotlens.query.asked import Answer, Query


class KeptAnswers:
    """The answers of one index in a file, as a context manager.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._answers: dict[bytes, Answer] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        with writing_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b", buffering=0)
            self._file.seek(0)
            content = self._file.read()
            if content and not content.endswith(b"\n"):  # a kill amid a line: the next one begins anew
                self._file.write(b"\n")
        for line in content.splitlines():
            try:
                key, count, approx, tokens = orjson.loads(line)
                self._answers[canonical_json(key)] = Answer(count, approx, tuple(tokens))
            except (orjson.JSONDecodeError, TypeError, ValueError):
                continue  # it is asked again
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, query: Query) -> Answer | None:
        """Return the answer that was kept, or None."""
        return self._answers.get(canonical_json(query.parameters()))

    def keep(self, query: Query, answer: Answer) -> None:
        """Keep an answer: it is in the file when this returns.

        Raises:
            ArtifactError: The file cannot be written.
        """
        parameters = query.parameters()
        line = orjson.dumps([parameters, answer.count, answer.approx, answer.tokens]) + b"\n"
        if self._file is not None:
            with writing_errors(self.path):
                self._file.write(line)  # one write at the end of the file: runs that share it do not mix lines
        self._answers[canonical_json(parameters)] = answer
