"""The public API of infini-gram: one POST a query, at a stated rate, with retries that end."""

from __future__ import annotations

import email.utils
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import orjson

from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.query.asked import Answer, Query
from pivotlens.query.config import QueryConfig

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0
_MOST_BYTES = 1 << 20
_MOST_CHARACTERS = 300
MOST_TERMS = 4
"""Most forms of a word that the server takes in a query for a pair (its MAX_TERMS_PER_CLAUSE)."""


class _PassingError(Exception):
    """A failure that may pass; ``after`` is how many seconds the server asks to wait, or None."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class _Pace:
    """Lets threads go one after another, at most so many a second."""

    def __init__(self, per_second: float) -> None:
        self._apart = 1 / per_second
        self._lock = threading.Lock()
        self._next = 0.0
        self.stopped = threading.Event()

    def wait(self) -> None:
        """Wait for this thread's turn.

        Raises:
            PrerequisiteError: The asking was stopped.
        """
        while True:
            with self._lock:
                ahead = self._next - time.monotonic()
                if ahead <= 0:
                    self._next = time.monotonic() + self._apart
                    return
            if self.stopped.wait(ahead):
                raise PrerequisiteError("the asking was stopped")

    def hold(self, seconds: float) -> None:
        """Let nobody go for so many seconds: what the server asks of one thread holds for all."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class PublicIndex:
    """An index behind the API, or behind a server of one's own that answers alike.

    Nothing is asked before `ask`: a plan needs no network. What the API serves under a name is taken to stay the same.
    """

    provisional = False
    most_terms = MOST_TERMS

    def __init__(self, name: str, config: QueryConfig) -> None:
        self.name = name
        self.at_once = config.at_once
        self._config = config
        self._pace = _Pace(config.queries_per_second)

    @property
    def fingerprint(self) -> str:
        """The address and the name: what they stand for cannot be told from here."""
        return f"{self._config.endpoint} {self.name}"

    def stop(self) -> None:
        """Make threads that wait to ask end with an error."""
        self._pace.stopped.set()

    def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ConfigError: The API refuses it.
            PrerequisiteError: It cannot be reached, or fails again and again.
            DataError: It answers in another form than documented.
        """
        for attempt in range(self._config.retries + 1):
            self._pace.wait()
            try:
                return self._answer(query)
            except _PassingError as error:
                failure = error
                seconds = 2.0**attempt if error.after is None else error.after
                self._pace.hold(min(seconds, _LONGEST_WAIT))
        raise PrerequisiteError(
            f"{self._config.endpoint} did not answer in {self._config.retries + 1} attempts: {failure}",
            "Check the network, or ask fewer at a time (queries_per_second, at_once), then run the same command again: "
            "every answer so far is kept.",
        )

    def _answer(self, query: Query) -> Answer:
        payload = {"index": self.name, "query_type": "count", **query.parameters()}
        headers = {"Content-Type": "application/json", "User-Agent": f"pivotlens/{metadata.version('pivotlens')}"}
        request = urllib.request.Request(self._config.endpoint, orjson.dumps(payload), headers)
        try:
            with urllib.request.urlopen(request, timeout=self._config.timeout) as response:
                content = response.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(error.code, _error_of(_read(error)), error.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise _PassingError(f"{type(reason).__name__}: {_short(str(reason))}") from error
        found = _json(content)
        if not isinstance(found, dict):
            raise _PassingError("the answer is no JSON object")  # as of a proxy in between
        if "error" in found:
            self._refuse(200, _short(str(found["error"])))
        return self._checked(found)

    def _refuse(self, status: int, said: str, after: str | None = None) -> None:
        """Raise what an answer of failure means."""
        if status in _PASSING:
            raise _PassingError(f"status {status}{said and f': {said}'}", _seconds(after))
        raise ConfigError(
            f"{self._config.endpoint} refuses a query of index {self.name!r} (status {status}): {said or 'no reason'}",
            "Check the name of the index and the settings; https://infini-gram.readthedocs.io lists what it serves.",
        )

    def _checked(self, found: Mapping[str, Any]) -> Answer:
        count, approx, tokens = found.get("count"), found.get("approx", False), found.get("tokens")
        if type(count) is not int or count < 0 or type(approx) is not bool:
            raise DataError(
                f"{self._config.endpoint} answers with count = {_short(repr(count))} and approx = "
                f"{_short(repr(approx))}, which are no number from 0 and no truth value",
                "It does not speak the API of infini-gram; check the address.",
            )
        flat = isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)
        return Answer(count, approx, tuple(tokens or ()) if flat else ())


def _read(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _error_of(content: bytes) -> str:
    found = _json(content)
    return _short(str(found["error"])) if isinstance(found, dict) and "error" in found else ""


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= _MOST_CHARACTERS else f"{shown[:_MOST_CHARACTERS]}…"


def _seconds(after: str | None) -> float | None:
    """Return what a Retry-After header asks for, in seconds, or None where it asks for nothing that can be read."""
    if after is None:
        return None
    try:
        return max(0.0, float(after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except ValueError:
        return None
