"""A hand-written introduction: headings, paragraphs, lists and code of Markdown, as blocks of a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pivotlens.errors import DataError
from pivotlens.report.blocks import Block, Heading, Items, Listing, Paragraph, prose


def parse(path: str) -> tuple[Block, ...]:
    """Return a file's blocks.

    Raises:
        DataError: It cannot be read, or its code does not end.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the introduction {path}: {error}", "Give a Markdown file in UTF-8.") from error
    return tuple(_blocks(path, text))


def _blocks(path: str, text: str) -> Iterator[Block]:
    lines = iter(enumerate(text.splitlines(), 1))
    held: list[str] = []
    for number, line in lines:
        if line.startswith("```"):
            yield from _block(held)
            held, code = [], list[str]()
            for _, inner in lines:
                if inner.startswith("```"):
                    break
                code.append(inner)
            else:
                raise DataError(f"{path}, line {number}: code without an end", "Close it with a line of ```.")
            yield Listing("\n".join(code))
        elif line.startswith("#") or not line.strip():
            yield from _block(held)
            held = []
            if line.strip():
                marks, _, title = line.partition(" ")
                yield Heading(prose(title.strip()), min(max(len(marks), 2), 4))
        else:
            held.append(line)
    yield from _block(held)


def _block(held: list[str]) -> Iterator[Block]:
    if held and held[0].startswith("- "):
        entries: list[str] = []
        for line in held:
            if line.startswith("- "):
                entries.append(line[2:].strip())
            else:
                entries[-1] += f" {line.strip()}"
        yield Items(tuple(prose(entry) for entry in entries))
    elif held:
        yield Paragraph(prose(" ".join(line.strip() for line in held)))
