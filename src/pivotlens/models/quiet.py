"""Keeping transformers' own log lines and bars off the terminal: what matters is raised or announced by us."""

from __future__ import annotations

import logging as standard
import re
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging

from pivotlens.models.library_internals import let_warnings_repeat

# Its table of keys, for which we ask ourselves, and what bears on no figure: speed, names, packages.
_NOT_OF_FIGURES = re.compile(r"LOAD REPORT|deprecated|fall(s|ing)? back|fast path|not (available|installed)", re.I)


def quiet_transformers() -> None:
    """Let transformers log errors only."""
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class _Recorder(standard.Handler):
    def __init__(self) -> None:
        super().__init__(standard.WARNING)
        self.messages: dict[str, None] = {}

    def emit(self, record: standard.LogRecord) -> None:
        message = " ".join(record.getMessage().split())
        if not _NOT_OF_FIGURES.search(message):
            self.messages[message] = None


@contextmanager
def recording_transformers() -> Iterator[dict[str, None]]:
    """Keep what transformers warns of and bears on figures within the ``with``; let nothing reach the terminal."""
    quiet_transformers()
    logger = logging.get_logger("transformers")
    let_warnings_repeat()
    recorder, before = _Recorder(), (logger.handlers, logger.propagate, logger.level)
    logger.handlers, logger.propagate = [recorder], False
    logger.setLevel(standard.WARNING)
    try:
        yield recorder.messages
    finally:
        logger.handlers, logger.propagate = before[:2]
        logger.setLevel(before[2])
