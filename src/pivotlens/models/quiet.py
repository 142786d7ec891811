"""Keeping transformers' own log lines and bars off the terminal: what matters is raised or announced by us."""

from __future__ import annotations

from transformers.utils import logging


def quiet_transformers() -> None:
    """Let transformers log errors only."""
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
