"""The comparison of rules with segmenters, by hand."""

from __future__ import annotations

import struct
from pathlib import Path

from tools.word_agreement.compare import ALONE, RULES, compared
from tools.word_agreement.cutters import _best
from tools.word_agreement.texts import Lines, drawn, read_documents


def test_pairs_are_of_line_and_word_in_any_form() -> None:
    lines = Lines.of([("a", "水。\n水。\n\n水果"), ("b", "河水")])
    assert (lines.texts, lines.documents) == (["水。", "水果", "河水"], [0, 0, 1])
    found = compared(lines, [("水", "河水"), ("果",)], "zh", [["水", "。"], ["水", "果"], ["河水"]])
    rows = {(row["kind"], row["way"]): row for row in found["figures"]}
    assert [rows["", RULES][name] for name in ("found", "both", "truth")] == [2, 2, 4]  # 水果 holds neither
    assert rows["", RULES]["precision"][0] == 1
    assert rows["", RULES]["recall"][0] == 0.5
    assert [rows["a", ALONE][name] for name in ("documents", "found", "both", "truth")] == [1, 3, 3, 3]
    assert rows["b", RULES]["recall"] == [1, 1, 1]
    assert found["differing"]["found_alone"] == {"pairs": 0, "most": [], "examples": []}
    assert found["differing"]["missed"]["most"] == [["水", 1], ["果", 1]]
    assert sorted(found["differing"]["missed"]["examples"]) == [["果", "水¦果"], ["水", "水¦果"]]


def test_documents_are_drawn_evenly_of_each_kind() -> None:
    documents = [("a", str(number)) for number in range(5)] + [("b", "x")]
    assert drawn(documents, 2) == [("a", "0"), ("a", "3"), ("b", "x")]


def test_messages_of_catalogs_lose_their_marks(tmp_path: Path) -> None:
    pairs = [(b"", b"Content-Type: text/plain; charset=UTF-8\n"), (b"_Save", "ש_מור a_1".encode())]
    start, content, tables = 28 + 2 * 8 * len(pairs), b"", [b"", b""]
    for pair in pairs:
        for which, text in enumerate(pair):
            tables[which] += struct.pack("<2I", len(text), start + len(content))
            content += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    (tmp_path / "a.mo").write_bytes(head + tables[0] + tables[1] + content)
    assert list(read_documents([tmp_path / "a.mo"], "he")) == [("messages", "שמור a_1")]


def test_of_an_analysers_readings_the_shortest_prefix_counts() -> None:
    class Read:
        def __init__(self, affix: tuple[str, ...], stem: str, freq: int) -> None:
            self.affix, self.stem, self.freq, self.type = affix, stem, freq, "Noun"

        def is_unknown(self) -> bool:
            return False

    token, reading = _best("فكرة", [Read(("ف", "", "", ""), "كرة", 9), Read(("", "", "", ""), "فكرة", 1)])
    assert (token, *reading) == ("فكرة", "", "فكرة", "", True)
    assert _best("للكتاب", [Read(("لال", "", "", ""), "كتاب", 9)])[1][:3] == ("لل", "كتاب", "")
    assert _best("كتابه", [Read(("", "", "", "هُ"), "كتاب", 9)])[1][:3] == ("", "كتاب", "ه")
