from __future__ import annotations

from pathlib import Path

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.corpus import UnitPlan, list_corpus, split_units, unit_batches, unit_hashes

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
    file = list_corpus(str(tmp_path))[0]
    (batch,) = unit_batches(file, UnitPlan(unit_characters=64, limit=2))
    assert batch.languages == ["en", "en", "fr", "fr"]
    assert batch.rows.tolist() == [1, 1, 3, 3]
    assert batch.parts.tolist() == [0, 1, 0, 1]
    assert batch.groups == ["g"] * 4
    assert dict(batch.documents) == {"en": 1, "fr": 1}
    assert [bad.row for bad in batch.bad] == [2]


def test_batches_are_bounded(tmp_path: Path) -> None:
    row = '{"text": "%s", "language": "en"}\n' % ("abcdefg " * 25_000)
    (tmp_path / "f.jsonl").write_text(row * 12)
    batches = list(unit_batches(list_corpus(str(tmp_path))[0], UnitPlan()))
    assert len(batches) == 3
    assert np.concatenate([batch.rows[batch.parts == 0] for batch in batches]).tolist() == list(range(1, 13))


def test_hashes_are_even_and_depend_on_everything() -> None:
    rows, parts = np.repeat(np.arange(1, 5001), 2), np.tile([0, 1], 5000)
    hashes = unit_hashes("a.jsonl", rows, parts, 0, "count")
    assert np.unique(hashes).size == 10_000
    assert abs((hashes >> np.uint64(63)).mean() - 0.5) < 0.02
    assert abs(np.corrcoef(hashes[::2].astype(float), hashes[1::2].astype(float))[0, 1]) < 0.05
    for other in (("b.jsonl", 0, "count"), ("a.jsonl", 1, "count"), ("a.jsonl", 0, "select")):
        assert not (unit_hashes(other[0], rows, parts, other[1], other[2]) == hashes).any()
    assert (unit_hashes("a.jsonl", rows[7:9], parts[7:9], 0, "count") == hashes[7:9]).all()
    # The value itself is part of the contract: samples must not move between versions.
    assert int(hashes[0]) == 7679163613887055928
