"""JSON lines: a document a line, and where a large file of them can be cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any, NamedTuple

import orjson

from pivotlens.corpus.columns import kind_of
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.shards import Shard
from pivotlens.corpus.stored import CHUNK, frame_starts, kind_of_bytes, text_of
from pivotlens.errors import DataError


def json_rows(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the number and the values of a shard's lines, or what is wrong with one.

    Raises:
        DataError: The file is damaged, cut short or of another kind than its name tells.
    """
    file, first = shard.file, shard.start == 0
    for number, line in _lines(shard):
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if first and (line.lstrip().startswith(b"[") or line.strip() == b"{"):
                raise _no_lines(file, "is JSON over several lines, not a JSON object a line") from error
            values = _json_problem(line, error)
        else:
            if first and isinstance(values, list) and values and isinstance(values[0], dict):
                raise _no_lines(file, "is one JSON array, not a JSON object a line")
            if not isinstance(values, dict):
                values = f"the line is {kind_of(values)}, not a JSON object"
        first = False
        yield number, values


def _no_lines(file: CorpusFile, what: str) -> DataError:
    return DataError(
        f"{file.shown} {what}", "Write each document on a line of its own, as `jq -c '.[]'` does of an array."
    )


def _json_problem(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        return f"invalid UTF-8 at byte {problem.start + 1} of the line"
    constants: list[str] = []
    with suppress(ValueError, RecursionError):
        json.loads(text, parse_constant=constants.append)
        if constants:
            return f"bad JSON: {constants[0]} is no JSON value (Python's json and pandas write it); write null instead"
    return f"bad JSON: {error.msg} (character {error.pos + 1} of the line)"


def _lines(shard: Shard) -> Iterator[tuple[int, bytes]]:
    number = shard.rows_before
    pending: list[bytes] = []
    for chunk in text_of(shard):
        first, *rest = chunk.split(b"\n")
        pending.append(first)
        for following in rest:
            number += 1
            line = b"".join(pending)
            pending = [following]
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield number, line
    last = b"".join(pending)
    if last.strip():
        yield number + 1, last if number else last.removeprefix(b"\xef\xbb\xbf")


# -- cutting


_PLACES = 8
"""Places within the least size of a shard after which the next line may begin one."""


class LinesOf(NamedTuple):
    """What a stretch of a file's text holds.

    Attributes:
        size: Bytes of the text.
        lines: Line feeds.
        first: Bytes of the text up to the first of them, with it; -1 where there is none.
        is_whole: Whether it ends with one.
        starts: Some places where a line begins, as bytes of the file, of a plain file alone.
        lines_before: Line feeds of the stretch before each.
    """

    size: int
    lines: int
    first: int
    is_whole: bool
    starts: list[int]
    lines_before: list[int]


def stretches(file: CorpusFile, plain: int, compressed: int) -> tuple[list[int], bool]:
    """Return where a file can be taken up: a plain one anywhere, one of zstd where a frame begins; others nowhere else.

    Args:
        file: Of JSON lines.
        plain: Fewest bytes from one place to the next of a plain file.
        compressed: Fewest bytes from one place to the next of a compressed file, as it is stored.

    Returns:
        Byte offsets, the first 0, and whether these are in compressed text.
    """
    with file.open() as handle:
        kind = kind_of_bytes(handle.read(CHUNK))
        if kind is None:
            last = file.size - plain if _can_seek(handle, plain) else 0
            return [*range(0, max(last, 0) + 1, plain)], False
    starts = [0]
    for start in frame_starts(file) if kind == "zstd" else ():
        if start - starts[-1] >= compressed:
            starts.append(start)
    return starts, True


def _can_seek(handle: Any, place: int) -> bool:
    try:
        handle.seek(place)
    except (ValueError, OSError):  # a web server may give files only whole
        return False
    return True


def lines_of(stretch: Shard, least: int) -> LinesOf:
    """Count the lines of a stretch, and note where in it shards of a plain file might begin.

    Args:
        stretch: A part of a file.
        least: Fewest bytes of a shard.
    """
    size, lines, first, is_whole = 0, 0, -1, False
    starts: list[int] = []
    lines_before: list[int] = []
    place = stretch.start  # the next line that begins from here on is noted
    for chunk in text_of(stretch):
        here, counted = stretch.start + size, 0
        while (end := chunk.find(b"\n", max(place - 1 - here, 0)) + 1) > 0:
            lines += chunk.count(b"\n", counted, end)
            starts.append(here + end)
            lines_before.append(lines)
            counted, place = end, max((_PLACES * (here + end) // least + 1) * least // _PLACES, here + end + 1)
        if first < 0 and (found := chunk.find(b"\n")) >= 0:
            first = size + found + 1
        lines += chunk.count(b"\n", counted)
        size += len(chunk)
        is_whole = chunk.endswith(b"\n") if chunk else is_whole
    return LinesOf(size, lines, first, is_whole, starts, lines_before)


def plain_shards(stretches: Sequence[Shard], counted: Sequence[LinesOf], least: int) -> list[Shard]:
    """Return the shards of a plain file, each from the beginning of a line.

    Args:
        stretches: They cover the file, one after another.
        counted: What each holds.
        least: Fewest bytes of a shard but the last.
    """
    file = stretches[0].file
    begins, before = [(0, 0)], 0
    for of in counted:
        for start, lines in zip(of.starts, of.lines_before, strict=True):
            if begins[-1][0] + least <= start < file.size:
                begins.append((start, before + lines))
        before += of.lines
    size, ends = file.size // len(begins), [*(start for start, _ in begins[1:]), None]
    return [Shard(file, start, end, rows, size) for (start, rows), end in zip(begins, ends, strict=True)]


def compressed_shards(stretches: Sequence[Shard], counted: Sequence[LinesOf]) -> list[Shard]:
    """Return the shards of a compressed file, each from the beginning of a stretch.

    Where a stretch begins amid a line, that line belongs to the shard before, which reads on beyond its end; one within
    which no line begins is part of that shard.

    Args:
        stretches: They cover the file, one after another.
        counted: What each holds.
    """
    before = [0, *accumulate(of.lines for of in counted)]
    begins: list[tuple[int, int, int]] = [(0, 0, 0)]  # of each shard the stretch, bytes to be skipped, lines before
    is_whole = True
    for number, of in enumerate(counted):
        if number and is_whole and of.size:
            begins.append((number, 0, before[number]))
        elif number and not is_whole and 0 < of.first < of.size:
            begins.append((number, of.first, before[number] + 1))
        is_whole = of.is_whole if of.size else is_whole
    file, size = stretches[0].file, stretches[0].file.size // len(begins)
    shards = []
    for (number, skip, rows), after in zip(begins, [*begins[1:], None], strict=True):
        end, spill = (None, 0) if after is None else (stretches[after[0]].start, after[1])
        shards.append(Shard(file, stretches[number].start, end, rows, size, skip, spill))
    return shards
