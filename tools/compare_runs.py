"""Compare two run folders table by table, value by value: ``python -m tools.compare_runs BEFORE AFTER``.

Prints what differs and ends with 1 where a figure does; a new table or column, and rows behind the old ones, are named
and are no difference. A column or table that was renamed is given as ``--renamed stage/table.old=new`` or
``--renamed stage/old=new``. Documents (``.jsonl.zst``) are compared line by line over all files of a folder, however
many files hold them; their keys are renamed as ``--renamed stage/folder.old=new``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard


def tables_of(run: Path) -> dict[str, Path]:
    """Return every table of a run by ``stage/name``."""
    return {path.relative_to(run).with_suffix("").as_posix(): path for path in sorted(run.glob("*/*.parquet"))}


def different_rows(before: pa.ChunkedArray, after: pa.ChunkedArray) -> int:
    """Return in how many rows two columns of one length differ; NaN equals NaN and the types may differ in width."""
    if before.type != after.type:
        before = before.cast(after.type)
    if before.equals(after):
        return 0
    if pa.types.is_floating(after.type):
        first, second = before.to_numpy(), after.to_numpy()
        return int(((first != second) & ~((first != first) & (second != second))).sum())
    return sum(one != other for one, other in zip(before.to_pylist(), after.to_pylist(), strict=True))


def compare_tables(name: str, before: pa.Table, after: pa.Table, renamed: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return what there is to say of a table, and whether a figure of it differs."""
    lines, differs = [], False
    if before.num_rows > after.num_rows:
        return [f"{name}: {before.num_rows:,} rows, now {after.num_rows:,}"], True
    if before.num_rows < after.num_rows:
        lines.append(f"{name}: {after.num_rows - before.num_rows:,} new rows behind the {before.num_rows:,} there were")
        after = after.slice(0, before.num_rows)
    old = {renamed.get(f"{name}.{column}", column): column for column in before.column_names}
    if added := [column for column in after.column_names if column not in old]:
        lines.append(f"{name}: new column {', '.join(added)}")
    for new, column in old.items():
        if new != column:
            lines.append(f"{name}: column {column} is now {new}")
        if new not in after.column_names:
            lines.append(f"{name}: column {column} is GONE")
            differs = True
        elif rows := different_rows(before[column], after[new]):
            lines.append(f"{name}: column {new} DIFFERS in {rows:,} of {after.num_rows:,} rows")
            differs = True
    return lines, differs


def document_lines(folder: Path) -> Iterator[bytes]:
    """Yield the lines of every document file of a folder, in the order of their names."""
    for path in sorted(folder.glob("*.jsonl.zst")):
        with path.open("rb") as stream:
            yield from (
                zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).readall().splitlines()
            )


def renamed_keys(folder: str, lines: Iterator[bytes], renamed: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the documents of a folder with their keys renamed; as they are where no key of them is."""
    if not any(name.startswith(f"{folder}.") for name in renamed):
        yield from lines
        return
    for line in lines:
        yield orjson.dumps({renamed.get(f"{folder}.{key}", key): value for key, value in orjson.loads(line).items()})


def document_folders(run: Path) -> set[str]:
    """Return the folders of a run that hold documents."""
    return {path.parent.relative_to(run).as_posix() for path in run.glob("*/*/*.jsonl.zst")}


def compare_runs(before: Path, after: Path, renamed: Mapping[str, str]) -> tuple[list[str], int, bool]:
    """Compare two run folders.

    Args:
        before: A run folder.
        after: Another.
        renamed: New name of ``stage/table`` or ``stage/table.column`` by its old one.

    Returns:
        What there is to say, how many tables and folders of documents were compared, and whether a figure differs.
    """
    old = {renamed.get(name, name): path for name, path in tables_of(before).items()}
    new = tables_of(after)
    lines = [f"{name}: new table" for name in new if name not in old]
    differs = False
    for name, path in old.items():
        if name not in new:
            lines.append(f"{name}: table is GONE")
            differs = True
            continue
        said, different = compare_tables(name, pq.read_table(path), pq.read_table(new[name]), renamed)
        lines += said
        differs |= different
    folders = document_folders(before) | document_folders(after)
    for folder in sorted(folders):
        pairs = zip_longest(
            renamed_keys(folder, document_lines(before / folder), renamed), document_lines(after / folder)
        )
        place = next((number for number, (one, other) in enumerate(pairs) if one != other), None)
        if place is not None:
            lines.append(f"{folder}: documents DIFFER from number {place:,} on")
            differs = True
    return lines, len(old) + len(folders), differs


def main() -> int:
    """Compare, say what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--renamed", action="append", default=[], metavar="OLD=NEW")
    given = parser.parse_args()
    renamed = {}
    for pair in given.renamed:
        old, _, new = pair.partition("=")
        renamed[old] = new
    lines, compared, differs = compare_runs(given.before, given.after, renamed)
    ending = "a figure DIFFERS" if differs else "every figure is equal"
    print("\n".join([*lines, f"{compared} tables and folders of documents compared: {ending}"]))
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
