"""Making the files of an arm from what the workers kept of its documents: in every format, a file at a time."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import zstandard

from pivotlens.arrays import Integers
from pivotlens.artifacts.files import atomic_path, write_bytes
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.artifacts.manifest import Output
from pivotlens.corpus.executor import Executor
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.writing.arm_files import ArmFile
from pivotlens.corpus.writing.fragments import WritingPlan, lengths_of, lines_of, token_files_of
from pivotlens.corpus.writing.indexes import datatrove_index, datatrove_metadata, megatron_index, olmo_core_bounds
from pivotlens.corpus.writing.layout import TokenFormat
from pivotlens.corpus.writing.tokens import TokenCoding
from pivotlens.settings import CorpusFormat

_LEVEL = 10
_COPIED = 1 << 20
_ENDINGS: dict[TokenFormat, str] = {"datatrove": ".ds", "olmo_core": ".npy", "megatron": ".bin"}


Written = dict[str, tuple[Path, Output]]
"""Files that were written: by their name in the arm's folder where they lie, and what they hold."""


@dataclass(frozen=True)
class JoinPass:
    """Makes a file of an arm in every format; its part tells what was written beside it.

    Attributes:
        plan: How arms are written.
        files: The file that each shard of `ArmFile.as_shard` stands for, by the shard's name.
    """

    plan: WritingPlan
    files: Mapping[str, ArmFile]

    def __call__(self, shard: Shard, part: Path) -> None:
        """Make a file in all its formats, and its part when they are there."""
        file = self.files[shard.file.name]
        written = self._documents(file, part)
        if self.plan.coding is not None and self.plan.tokens and file.fragments:  # readers map no empty file
            written |= self._tokens(file, part, self.plan.coding)
        write_bytes(
            part, orjson.dumps({name: (path.name, output.model_dump()) for name, (path, output) in written.items()})
        )

    def _documents(self, file: ArmFile, part: Path) -> Written:
        names = {name: f"documents-{file.number:05d}{ending}" for name, ending in _DOCUMENTS.items()}
        paths = {name: part.with_suffix(ending) for name, ending in _DOCUMENTS.items() if name in self.plan.formats}
        rows = 0
        with ExitStack() as stack:
            writers = [stack.enter_context(_WRITERS[name](path, self.plan.schema)) for name, path in paths.items()]
            for lines in lines_of(file.fragments):
                rows += lines.count(b"\n")
                for write in writers:
                    write(lines)
        return {names[name]: (path, _output(path, rows)) for name, path in paths.items()}

    def _tokens(self, file: ArmFile, part: Path, coding: TokenCoding) -> Written:
        lengths = lengths_of(file.fragments)
        tokens = part.with_suffix(".tokens")
        with atomic_path(tokens) as temporary, temporary.open("wb") as joined:
            for path in token_files_of(file.fragments):
                with path.open("rb") as fragment:
                    shutil.copyfileobj(fragment, joined, _COPIED)
        output = _output(tokens, lengths.size)
        written: Written = {}
        for name, ending in _ENDINGS.items():
            if name not in self.plan.formats:
                continue
            stem = f"{name}/tokens-{file.number:05d}.{coding.type_name(name)}"
            written[stem + ending] = (tokens, output)
            for beside, content in _beside(name, lengths, coding).items():
                path = part.with_suffix(f".{name}{beside}")
                write_bytes(path, content)
                written[stem + beside] = (path, _output(path, lengths.size))
        return written


def _beside(name: TokenFormat, lengths: Integers, coding: TokenCoding) -> dict[str, bytes]:
    """Return what lies beside a file of tokens, by the ending of its name."""
    if name == "datatrove":
        metadata = datatrove_metadata(coding, int(lengths.sum()))
        return {".ds.index": datatrove_index(lengths), ".ds.metadata": metadata}
    if name == "olmo_core":
        return {".csv.gz": olmo_core_bounds(lengths)}
    return {".idx": megatron_index(lengths, coding)}


def _output(path: Path, rows: int) -> Output:
    return Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=rows)


def joined_files(
    files: Sequence[ArmFile], plan: WritingPlan, executor: Executor, store: PartStore
) -> Iterator[tuple[str, Path, Output]]:
    """Make the files of arms, and yield each by its name with the arm's folder, where it lies and what it holds.

    Args:
        files: The files.
        plan: How arms are written.
        executor: Makes them.
        store: Where they are kept.
    """
    shards = {file.as_shard(): file for file in files}
    work = JoinPass(plan, {shard.file.name: file for shard, file in shards.items()})
    executor.run(list(shards), work, store, "Making files")
    for shard, file in shards.items():
        for name, (path, output) in _written(store.path(shard)).items():
            yield f"{file.arm}/{name}", path, output


def _written(part: Path) -> Written:
    return {
        name: (part.with_name(path), Output.model_validate(output))
        for name, (path, output) in orjson.loads(part.read_bytes()).items()
    }


# -- documents


_DOCUMENTS: dict[CorpusFormat, str] = {"jsonl": ".jsonl.zst", "parquet": ".parquet"}
Write = Callable[[bytes], object]


@contextmanager
def _json_lines(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Write lines as one frame: some readers, such as that of fsspec, take the first frame for all of the file."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as file,
        compressor.stream_writer(file, closefd=False) as writer,
    ):
        yield writer.write


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Write lines as a row group a block."""
    parsing = pa.json.ParseOptions(schema, unexpected_field_behavior="error")
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:

        def write(lines: bytes) -> None:
            reading = pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
            writer.write_table(pa.json.read_json(io.BytesIO(lines), reading, parsing))

        yield write


_WRITERS: dict[CorpusFormat, Callable[[Path, pa.Schema], AbstractContextManager[Write]]] = {
    "jsonl": _json_lines,
    "parquet": _parquet,
}
