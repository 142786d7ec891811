"""Progress of long loops: silent in a library, a bar where the command line installs one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
Tracker = Callable[[Iterable[T], str, int | None], Iterator[T]]


def _silent(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    return iter(items)


current_tracker: ContextVar[Tracker] = ContextVar("pivotlens_progress", default=_silent)  # type: ignore[type-arg]


def install_tracker(tracker: Tracker) -> None:  # type: ignore[type-arg]
    """Make ``track`` show its loops through ``tracker``."""
    current_tracker.set(tracker)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over ``items``; whoever runs the program may see how far it is."""
    return current_tracker.get()(items, description, total)


Teller = Callable[[str], None]


def _untold(message: str) -> None:
    """Tell nobody."""


current_teller: ContextVar[Teller] = ContextVar("pivotlens_teller", default=_untold)


def install_teller(teller: Teller) -> None:
    """Have lines of long work, which stand for bars where there is no terminal, told by a function that pickles."""
    current_teller.set(teller)


Announcer = Callable[[str], None]
current_announcer: ContextVar[Announcer] = ContextVar(
    "pivotlens_announcer", default=logging.getLogger("pivotlens").warning
)


def install_announcer(announcer: Announcer) -> None:
    """Make ``announce`` hand its messages to ``announcer``."""
    current_announcer.set(announcer)


def announce(message: str) -> None:
    """Tell whoever runs the program something that must not pass unseen, such as a licence or a download."""
    current_announcer.get()(message)
