"""Halves of a corpus keep translations together; agreement of mined runs is a plain count."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from tools.corpus_halves import HALVES, compare, split

from pivotlens.artifacts import schema_of
from pivotlens.corpus import Shard, list_corpus, read_documents
from pivotlens.mine.config import MineConfig
from stage_by_hand import writing


def test_a_group_is_in_one_half_and_nothing_is_lost(tmp_path: Path) -> None:
    rows = [
        {"text": f"text {number} {code}", "language": code, "group": f"g{number}", "source": "s"}
        for number in range(40)
        for code in ("fr", "en")
    ]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    split(str(tmp_path / "corpus"), tmp_path / "halves")
    files = [list_corpus(str(tmp_path / "halves" / half)) for half in HALVES]
    found = [[document for file in half for document in read_documents(Shard.whole(file))] for half in files]
    groups = [{document.group for document in half} for half in found]
    assert all(groups)
    assert not groups[0] & groups[1]
    assert sorted(document.text for half in found for document in half) == sorted(row["text"] for row in rows)


def _mined(run: Path, pairs: dict[str, list[int]], best: list[int]) -> Path:
    columns: dict[str, list] = {name: [] for name in schema_of("mine", "pair_pivots").names}
    for concept, tokens in pairs.items():
        for sides in (("de", "fr"), ("fr", "de")):
            for rank, token in enumerate(tokens, start=1):
                row = dict.fromkeys(columns, 0) | {"concept_id": concept, "rank": rank, "token_id": token, "token": "t"}
                row |= {"source_language": sides[0], "target_language": sides[1], "variant_ids": [token, token + 100]}
                row |= {"source_word": "a", "target_word": "b", "relation": ""}
                for name, column in columns.items():
                    column.append(row[name])
    with writing(run, MineConfig(), inputs={}) as stage:
        stage.write_table("pair_pivots", columns)
        names = schema_of("mine", "pivots").names
        pivots = {name: [0] * len(best) for name in names}
        pivots |= {"token_id": best, "token": ["t"] * len(best), "variant_ids": [[one] for one in best]}
        stage.write_table("pivots", pivots)
        stage.finish()
    return run


def test_agreement_is_a_plain_count(tmp_path: Path) -> None:
    first = _mined(tmp_path / "a", {"x": [1, 2], "y": [3], "z": [4, 5]}, [1, 2, 3])
    second = _mined(tmp_path / "b", {"x": [1], "y": [6, 3], "w": [9]}, [3, 4])
    found = compare(first, second)
    assert (found["pairs"], found["pairs_of_either"]) == (2, 4)
    assert found["same_first"] == 0.5
    assert found["first_among_ten"] == pytest.approx(3 / 4)
    assert found["best_shared"] == 0.01
