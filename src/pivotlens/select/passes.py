"""The two passes over one file: score every unit, then take out the chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from pivotlens.corpus import BadRows, CorpusFile, UnitPlan, part_path, unit_batches, unit_hashes
from pivotlens.corpus.packing import Arrays, pack_arrays, pack_strings, unpack_arrays
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scoring import pivot_counts, text_digests


@dataclass(frozen=True)
class ScorePass:
    """Scores a file's units; its part is one array a column, with the bad rows."""

    plan: UnitPlan
    tokenizer: str
    pivots: tuple[int, ...]
    seed: int

    def __call__(self, file: CorpusFile) -> bytes:
        """Return the part of a file."""
        tokenizer = load_tokenizer(self.tokenizer)
        is_pivot = np.zeros(tokenizer.vocab_size, dtype=bool)
        is_pivot[list(self.pivots)] = True
        columns: dict[str, list[npt.NDArray[np.generic]]] = {}
        codes: dict[str, int] = {}
        documents = 0
        bad = BadRows()
        for batch in unit_batches(file, self.plan):
            documents += batch.documents.total()
            bad.add(batch.bad, batch.bad.count)
            n_tokens, n_pivots = pivot_counts(tokenizer.encode_batch(batch.texts), is_pivot)
            scored: Arrays = {
                "row": batch.rows,
                "part": batch.parts,
                "language": np.array([codes.setdefault(code, len(codes)) for code in batch.languages], dtype=np.int64),
                "n_tokens": n_tokens,
                "n_pivots": n_pivots,
                "digest": text_digests(batch.texts),
                "hash_top": unit_hashes(file.name, batch.rows, batch.parts, self.seed, "select top"),
                "hash_random": unit_hashes(file.name, batch.rows, batch.parts, self.seed, "select random"),
            }
            for name, values in scored.items():
                columns.setdefault(name, []).append(values)
        arrays = {name: np.concatenate(values) for name, values in columns.items()}
        arrays["languages"] = pack_strings(list(codes))
        arrays["documents"] = np.array(documents, dtype=np.int64)
        return pack_arrays(arrays | bad.to_arrays())


@dataclass(frozen=True)
class WritePass:
    """Takes the chosen units out of a file; its part is their JSON lines, those of one arm after those of another.

    Attributes:
        chosen: Folder with one part a file: whether each of its units is in each arm, ``(arms, units)``.
        scores: Folder of the parts of `ScorePass`.
    """

    plan: UnitPlan
    chosen: Path
    scores: Path

    def __call__(self, file: CorpusFile) -> bytes:
        """Return the part of a file."""
        content = unpack_arrays(part_path(self.chosen, file))
        chosen, share, share_low = content["chosen"].astype(bool), content["share"], content["share_low"]
        scores = unpack_arrays(part_path(self.scores, file))
        wanted: npt.NDArray[np.bool_] = np.logical_or.reduce(chosen, axis=0)
        lines: list[list[bytes]] = [[] for _ in chosen]
        first = 0
        for batch in unit_batches(file, self.plan) if wanted.any() else ():
            for offset in np.flatnonzero(wanted[first : first + len(batch.texts)]).tolist():
                unit = first + offset
                row, part = int(batch.rows[offset]), int(batch.parts[offset])
                line = orjson.dumps(
                    {
                        "id": f"{file.name}:{row}:{part}",
                        "text": batch.texts[offset],
                        "language": batch.languages[offset],
                        "group": batch.groups[offset],
                        "file": file.name,
                        "row": row,
                        "part": part,
                        "n_tokens": int(scores["n_tokens"][unit]),
                        "n_pivots": int(scores["n_pivots"][unit]),
                        "share": float(share[unit]),
                        "share_low": float(share_low[unit]),
                    },
                    option=orjson.OPT_APPEND_NEWLINE,
                )
                for arm in np.flatnonzero(chosen[:, unit]).tolist():
                    lines[arm].append(line)
            first += len(batch.texts)
        return pack_arrays({f"arm{arm}": _bytes(b"".join(of_arm)) for arm, of_arm in enumerate(lines)})


def _bytes(content: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(content, dtype=np.uint8)
