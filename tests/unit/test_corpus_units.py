from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.corpus import Shard, UnitBatch, UnitPlan, list_corpus, split_units, unit_batches, unit_hashes
from pivotlens.errors import DataError

_GRAPHEME = regex.compile(r"\X")
_PIECES = st.sampled_from(["a", "é", "e\u0301", "水", "👨\u200d👩\u200d👧", "🇫🇷", " ", " \u0301", "\n", "\r\n", "กำ"])


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=60).map("".join), st.integers(1, 12))
def test_units_give_the_text_back_and_are_cut_where_allowed(text: str, length: int) -> None:
    units = split_units(text, "characters", length)
    assert "".join(units) == text
    assert all(0 < len(unit) <= length for unit in units)
    boundaries = [match.end() for match in _GRAPHEME.finditer(text)]
    start = 0
    for unit in units[:-1]:
        end = start + len(unit)
        window = text[start : start + length]
        spaces = [at for at in boundaries if start < at <= start + length and text[at - 1].isspace()]
        if "\n" in window:
            assert len(unit) == window.rindex("\n") + 1
        elif spaces:
            assert end == spaces[-1]
        elif _GRAPHEME.match(text, start).end() > start + length:
            assert len(unit) == length
        else:
            assert end in boundaries
        start = end
    assert split_units(text, "document", length) == ([text] if text else [])


def test_cuts_prefer_line_ends_then_spaces() -> None:
    assert split_units("ab\ncd\nef gh", "characters", 7) == ["ab\ncd\n", "ef gh"]
    assert split_units("abc def ghi", "characters", 6) == ["abc ", "def ", "ghi"]
    assert split_units("abcdefgh", "characters", 3) == ["abc", "def", "gh"]
    assert split_units("xyze\u0301", "characters", 4) == ["xyz", "e\u0301"]


def test_batches_limit_and_parts(tmp_path: Path) -> None:
    rows = [f'{{"text": "{"a " * 40}", "language": "{code}", "group": "g"}}' for code in ("en", "fr", "en")]
    (tmp_path / "f.jsonl").write_text("\n".join([rows[0], "{", *rows[1:]]))
    shard = Shard.whole(list_corpus(str(tmp_path))[0])
    (batch,) = unit_batches(shard, UnitPlan(unit_characters=64, limit_documents=2))
    assert batch.languages == ["en", "en", "fr", "fr"]
    assert batch.rows.tolist() == [1, 1, 3, 3]
    assert batch.units.tolist() == [0, 1, 0, 1]
    assert batch.groups == ["g"] * 4
    assert dict(batch.documents) == {"en": 1, "fr": 1}
    assert [bad.row for bad in batch.bad] == [2]


def test_batches_are_bounded(tmp_path: Path) -> None:
    row = '{"text": "%s", "language": "en"}\n' % ("abcdefg " * 25_000)
    (tmp_path / "f.jsonl").write_text(row * 12)
    batches = list(unit_batches(Shard.whole(list_corpus(str(tmp_path))[0]), UnitPlan()))
    assert len(batches) == 3
    assert np.concatenate([batch.rows[batch.units == 0] for batch in batches]).tolist() == list(range(1, 13))


def _batches(folder: Path, lines: list[str], **settings: float) -> list[UnitBatch]:
    (folder / "f.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return list(unit_batches(Shard.whole(list_corpus(str(folder))[0]), UnitPlan(**settings)))


GOOD_LINE = '{"text": "a", "language": "en"}'


def test_only_the_first_bad_rows_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    long = '{"text": "%s", "language": "en"}' % ("abcdefg " * 70_000)
    batches = _batches(tmp_path, [*["{x"] * 60, long, long, *["{x"] * 600, long, long, "{x"], max_bad_share=1.0)
    assert len(batches) > 2
    assert sum(batch.bad.count for batch in batches) == 661
    assert [row.row for batch in batches for row in batch.bad] == [*range(1, 61), *range(63, 103)]


def test_a_hopeless_file_fails_early(tmp_path: Path) -> None:
    lines = [GOOD_LINE] * 900 + ['{"body": "a"}'] * 100_000
    with pytest.raises(DataError, match=r"1,000 of the first 1,900 rows of .*f\.jsonl cannot be read") as caught:
        _batches(tmp_path, lines)
    assert "line 901: there is no column 'text', only 'body'" in caught.value.message
    assert "--text-column" in caught.value.hint
    assert "--max-bad-share (now 0.001)" in caught.value.hint
    # What may still turn out well, and what is allowed, is read to the end.
    for mixed, share in (([GOOD_LINE] * 1001 + ["{x"] * 1000, 0.001), (["{x"] * 2000, 1.0), (["{x"] * 999, 0.001)):
        assert sum(batch.bad.count for batch in _batches(tmp_path, mixed, max_bad_share=share)) == mixed.count("{x")


def test_hashes_are_even_and_depend_on_everything() -> None:
    rows, units = np.repeat(np.arange(1, 5001), 2), np.tile([0, 1], 5000)
    hashes = unit_hashes("a.jsonl", rows, units, 0, "count")
    assert np.unique(hashes).size == 10_000
    assert abs((hashes >> np.uint64(63)).mean() - 0.5) < 0.02
    assert abs(np.corrcoef(hashes[::2].astype(float), hashes[1::2].astype(float))[0, 1]) < 0.05
    for other in (("b.jsonl", 0, "count"), ("a.jsonl", 1, "count"), ("a.jsonl", 0, "select")):
        assert not (unit_hashes(other[0], rows, units, other[1], other[2]) == hashes).any()
    assert (unit_hashes("a.jsonl", rows[7:9], units[7:9], 0, "count") == hashes[7:9]).all()
    # The value itself is part of the contract: samples must not move between versions.
    assert int(hashes[0]) == 7679163613887055928
