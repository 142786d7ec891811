"""What became of the shards of a pass: told while it runs, and as one error where some of them failed."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from pivotlens.corpus.shards import Shard
from pivotlens.errors import DataError
from pivotlens.progress import track

Outcomes = Generator[tuple[Shard, DataError | None]]
"""Shards in the order in which they end, each with what was wrong with its data."""
# So many shards are named, and where so many have failed, and most of those that were tried, no more are tried.
_NAMED = 20


def follow(outcomes: Outcomes, shards: Sequence[Shard], description: str) -> None:
    """Go through the outcomes of a pass to its end: a bad file does not keep the others from being read.

    Args:
        outcomes: They are closed whatever happens, so that what is at work ends.
        shards: Those that are done, in the order of the corpus.
        description: What is being done, for the progress bar.

    Raises:
        DataError: That of the only shard that failed, or one that names the first of several.
    """
    failed: dict[Shard, DataError] = {}
    tried = 0
    with closing(outcomes):  # at Ctrl-C the processes end now, not when somebody collects the garbage
        for shard, error in track(outcomes, description, len(shards)):
            tried += 1
            if error is not None:
                failed[shard] = error
            if len(failed) >= _NAMED and 2 * len(failed) > tried:
                break
    if failed:
        raise failure({shard: failed[shard] for shard in shards if shard in failed}, tried, len(shards))


def failure(failed: Mapping[Shard, DataError], tried: int, total: int) -> DataError:
    """Return one error for the shards that failed: of the first one's kind.

    Args:
        failed: Why each of them did, in the order of the corpus; at least one.
        tried: How many shards were tried.
        total: How many there are.
    """
    first = next(iter(failed.values()))
    if len(failed) == 1:
        return first
    lines = [
        f"{len(failed):,} of {total:,} shards failed:",
        *(error.message for error in list(failed.values())[:_NAMED]),
    ]
    if len(failed) > _NAMED:
        lines.append(f"and {len(failed) - _NAMED:,} more")
    if tried < total:
        lines.append(f"the other {total - tried:,} were not tried")
    return type(first)("\n".join(lines), first.hint)


def named(shards: Sequence[Shard], most: int = _NAMED) -> str:
    """Return the first of some shards by name, and how many more there are."""
    more = f" and {len(shards) - most:,} more" if len(shards) > most else ""
    return f"{', '.join(shard.shown for shard in shards[:most])}{more}"
