"""Select documents: reads ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import zstandard

from pivotlens.artifacts import (
    Pivots,
    ResultWriter,
    atomic_path,
    schema_of,
    write_bytes,
)
from pivotlens.corpus import (
    BadRows,
    CorpusFile,
    Listing,
    check_bad_share,
    part_path,
    run_over_files,
    unit_plan,
)
from pivotlens.corpus.packing import pack_arrays, unpack_arrays, unpack_strings
from pivotlens.errors import ConfigError
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from pivotlens.select.card import data_card
from pivotlens.select.choosing import choose
from pivotlens.select.config import SelectConfig
from pivotlens.select.passes import ScorePass, WritePass
from pivotlens.select.scoring import Integers, is_duplicate
from pivotlens.stage import Work
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.text.matching import missed_beside_particles

_COMPRESSION_LEVEL = 10


@dataclass(frozen=True)
class _Units:
    """All units of the corpus, in its order; arrays have the shape ``(units,)``, ``digest`` ``(units, 4)``."""

    sizes: tuple[int, ...]
    file: Integers
    language: Integers
    languages: tuple[str, ...]
    columns: dict[str, npt.NDArray[np.generic]]
    documents: int
    bad: BadRows

    def integers(self, name: str) -> Integers:
        return self.columns[name].astype(np.int64)


def run(work: Work[SelectConfig]) -> dict[str, Any]:
    """Score every unit, choose the arms and write their documents."""
    config, workspace, writer = work.config, work.workspace, work.writer
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    for warning in tokenizer.warnings:
        writer.warn(warning)
    pivots = _pivots(Pivots.load(work.run), config, tokenizer)
    corpus, plan = work.plan.source("corpus", Listing), unit_plan(config)
    files = corpus.files
    scores = workspace.parts_folder("scores")
    token_ids = tuple(sorted({token for variants in pivots for token in variants}))
    score = ScorePass(plan, str(tokenizer.folder), token_ids, config.seed)
    units = _merged(files, run_over_files(scores, files, score, config.workers, "Scoring units"))
    check_bad_share(units.bad, units.documents, config.max_bad_share, config.corpus)

    n_tokens, n_pivots = units.integers("n_tokens"), units.integers("n_pivots")
    share = np.divide(n_pivots, n_tokens, out=np.zeros(n_tokens.size), where=n_tokens > 0)
    share_low = wilson_lower(n_pivots, n_tokens)
    duplicate = is_duplicate(units.columns["digest"].astype(np.uint64))
    eligible = ~duplicate & (n_tokens >= config.min_tokens)
    modes = tuple(dict.fromkeys(config.modes))
    chosen = np.stack(
        [
            choose(
                mode,
                units.language,
                n_tokens,
                share_low,
                units.columns[f"hash_{mode}"].astype(np.uint64),
                # Without pivots nothing ranks the units: the arm stays empty rather than random by another name.
                eligible if pivots or mode == "random" else np.zeros_like(eligible),
                config.budget_tokens,
            )
            for mode in modes
        ]
    )

    choices = workspace.parts_folder("chosen")
    ends = np.cumsum(units.sizes)
    for file, end, size in zip(files, ends.tolist(), units.sizes, strict=True):
        of_file = slice(end - size, end)
        part = {"chosen": chosen[:, of_file], "share": share[of_file], "share_low": share_low[of_file]}
        write_bytes(part_path(choices, file), pack_arrays(part))
    write = WritePass(plan, choices, scores)
    texts = run_over_files(workspace.parts_folder("documents"), files, write, config.workers, "Writing documents")

    _write_scores(writer, files, units, share, share_low, duplicate, modes, chosen)
    summary = _summary(modes, units, n_tokens, n_pivots, eligible, chosen, config.budget_tokens)
    for name, rows in (("summary", summary), ("arms", arm_rows(summary))):
        writer.write_table(name, pa.Table.from_pylist(rows, schema=schema_of("select", name)))
    for arm, mode in enumerate(modes):
        _write_documents(writer, mode, arm, texts, int(chosen[arm].sum()))
        card = data_card(mode, config.meaning(), [row for row in summary if row["mode"] == mode], len(pivots))
        write_bytes(writer.staged(f"{mode}/README.md"), card.encode())
    for warning in corpus.warnings:
        writer.warn(warning)
    _warn(writer, config, units, summary, len(pivots))
    if "top" in modes:
        without = chosen[modes.index("top")] & (n_pivots == 0)
        if without.any():
            codes = ", ".join(units.languages[number] for number in np.unique(units.language[without]).tolist())
            writer.warn(
                f"{int(without.sum()):,} of the {int(chosen[modes.index('top')].sum()):,} units of arm top hold none "
                f"({codes}): the budget is larger than what the pivots reach"
            )
    return {
        "corpus_files": len(files),
        "documents": units.documents,
        "units": int(n_tokens.size),
        "tokens": int(n_tokens.sum()),
        "bad_rows": units.bad.count,
        "duplicates": int(duplicate.sum()),
        "short": int((~duplicate & (n_tokens < config.min_tokens)).sum()),
        "pivots": len(pivots),
        "pivot_tokens": len(token_ids),
        "tokenizer": tokenizer.fingerprint,
        "seed": config.seed,
    }


def _pivots(mined: Pivots, config: SelectConfig, tokenizer: TextTokenizer) -> tuple[tuple[int, ...], ...]:
    """Return the token ids of each of the best pivots: all those that `mine` merged into one."""
    rows = sorted(mined.rows("pivots"), key=lambda row: (-row["score"], row["token_id"]))[: config.pivots]
    for row in rows:
        if row["token_id"] >= tokenizer.vocab_size or tokenizer.text(row["token_id"]) != row["token"]:
            raise ConfigError(
                f"token {row['token_id']} is {row['token']!r} in the mined pivots but not in the tokenizer of "
                f"{config.tokenizer!r}",
                "Give --tokenizer the model that `pivotlens count` was given.",
            )
    return tuple(tuple(row["variant_ids"]) for row in rows)


def _merged(files: Sequence[CorpusFile], parts: Sequence[Path]) -> _Units:
    contents = [unpack_arrays(part) for part in parts]
    bad = BadRows()
    for file, content in zip(files, contents, strict=True):
        bad.add_part(file, content)
    of_files = [unpack_strings(content.pop("languages")) for content in contents]
    languages = sorted({code for codes in of_files for code in codes})
    index = {code: number for number, code in enumerate(languages)}
    numbered = [
        np.array([index[code] for code in codes], dtype=np.int64)[content["language"].astype(np.int64)]
        for codes, content in zip(of_files, contents, strict=True)
    ]
    sizes = tuple(numbers.size for numbers in numbered)
    names = ("row", "part", "n_tokens", "n_pivots", "digest", "hash_top", "hash_random")
    return _Units(
        sizes=sizes,
        file=np.repeat(np.arange(len(files), dtype=np.int64), sizes),
        language=np.concatenate(numbered),
        languages=tuple(languages),
        columns={name: np.concatenate([content[name] for content in contents]) for name in names},
        documents=sum(int(content["documents"]) for content in contents),
        bad=bad,
    )


def _write_scores(
    writer: ResultWriter,
    files: Sequence[CorpusFile],
    units: _Units,
    share: npt.NDArray[np.float64],
    share_low: npt.NDArray[np.float64],
    duplicate: npt.NDArray[np.bool_],
    modes: Sequence[str],
    chosen: npt.NDArray[np.bool_],
) -> None:
    arms_of_unit, arms = np.nonzero(chosen.T)
    offsets = np.searchsorted(arms_of_unit, np.arange(chosen.shape[1] + 1)).astype(np.int32)
    selected = pa.ListArray.from_arrays(pa.array(offsets), pa.array(list(modes), pa.string()).take(pa.array(arms)))
    columns = {
        "file": pa.array([file.name for file in files], pa.string()).take(pa.array(units.file)),
        "row": units.integers("row"),
        "part": units.integers("part"),
        "language": pa.array(units.languages, pa.string()).take(pa.array(units.language)),
        "n_tokens": units.integers("n_tokens"),
        "n_pivots": units.integers("n_pivots"),
        "share": share,
        "share_low": share_low,
        "selected": selected,
        "duplicate": duplicate,
    }
    writer.write_table("scores", pa.table(columns))


def _summary(
    modes: Sequence[str],
    units: _Units,
    n_tokens: Integers,
    n_pivots: Integers,
    eligible: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    budget: int,
) -> list[dict[str, Any]]:
    rows = []
    for arm, mode in enumerate(modes):
        for number, language in enumerate(units.languages):
            of_language = units.language == number
            taken = chosen[arm] & of_language
            tokens = int(n_tokens[taken].sum())
            rows.append(
                {
                    "mode": mode,
                    "language": language,
                    "units": int(taken.sum()),
                    "tokens": tokens,
                    "budget": budget,
                    "available": int(n_tokens[eligible & of_language].sum()),
                    "share": int(n_pivots[taken].sum()) / tokens if tokens else None,
                }
            )
    return rows


def _write_documents(writer: ResultWriter, mode: str, arm: int, parts: Sequence[Path], rows: int) -> None:
    name = f"{mode}/documents-00000.jsonl.zst"
    compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True)
    with atomic_path(writer.staged(name, rows)) as temporary, temporary.open("wb") as file:
        with compressor.stream_writer(file, closefd=False) as stream:
            for part in parts:
                stream.write(unpack_arrays(part)[f"arm{arm}"].tobytes())
        file.flush()


def arm_rows(summary: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the ``select/arms`` rows: each arm over all languages, its share weighted by tokens.

    Args:
        summary: Rows of ``select/summary``.
    """
    result = []
    for mode in dict.fromkeys(row["mode"] for row in summary):
        rows = [row for row in summary if row["mode"] == mode]
        tokens = sum(row["tokens"] for row in rows)
        pivots = sum((row["share"] or 0.0) * row["tokens"] for row in rows)
        share = pivots / tokens if tokens else 0.0
        result.append({"mode": mode, "units": sum(row["units"] for row in rows), "tokens": tokens, "share": share})
    return result


def _warn(
    writer: ResultWriter, config: SelectConfig, units: _Units, summary: Sequence[Mapping[str, Any]], n_pivots: int
) -> None:
    if config.limit is not None:
        writer.warn(f"only the first {config.limit:,} documents of each file were read (--limit)")
    if units.bad.count:
        first = units.bad.first[0]
        writer.warn(
            f"{units.bad.count:,} rows of the corpus could not be read, the first {first.file}, line {first.row}: "
            f"{first.problem}"
        )
    missed = missed_beside_particles(units.languages)
    if not n_pivots:
        writer.warn(
            "`mine` found no pivots to select by, so arm top holds nothing: pivots live in documents that mix "
            f"languages; count a corpus with some{f'. {missed}' if missed else ', or lower --min-df of mine'}"
        )
    elif n_pivots < config.pivots:
        writer.warn(f"{n_pivots:,} pivots were mined, fewer than the {config.pivots:,} asked for; all of them count")
    empty = [row for row in summary if row["units"] == 0 and (n_pivots or row["mode"] != "top")]
    short = f"no unit is long enough: none has {config.min_tokens:,} tokens (--min-tokens)"
    for row in empty:
        why = short if row["available"] == 0 else f"its first unit exceeds {config.budget_tokens:,}"
        writer.warn(f"arm {row['mode']} holds nothing in {row['language']}: {why}")
    exhausted = sorted({row["language"] for row in summary if 0 < row["available"] <= row["budget"]})
    if exhausted:
        writer.warn(
            f"the budget of {config.budget_tokens:,} tokens takes everything there is in {', '.join(exhausted)}: "
            f"the arms do not differ there"
        )
