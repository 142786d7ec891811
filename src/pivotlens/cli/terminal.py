"""What the terminal shows: notices and bars on stderr, results on stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import orjson
from rich.console import Console
from rich.text import Text

from pivotlens.progress import install_announcer, install_teller, install_tracker

T = TypeVar("T")


def watch_progress() -> Console:
    """Show progress bars, or lines where there is no terminal, and notices on stderr; return that console."""
    console = Console(stderr=True, highlight=False)
    install_announcer(lambda message: console.print(Text(message), soft_wrap=True))
    if console.is_terminal:

        def tracker(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
            from rich.progress import track

            return iter(track(items, description=description, total=total, console=console, transient=True))

        install_tracker(tracker)
    else:
        install_teller(_print_line)
    return console


def _print_line(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def results_console() -> Console:
    """Return the console for results, on stdout; wide enough to be read from a file."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def print_json(value: object) -> None:
    """Write one JSON object on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()
