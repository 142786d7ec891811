"""Boilerplate: what is found, against a plain loop; what is left out; and that nothing depends on shards or order."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import orjson
import pytest

from pivotlens.corpus import (
    Boilerplate,
    BoilerplateLine,
    Document,
    LocalExecutor,
    OpenedCorpus,
    UnitPlan,
    list_corpus,
    open_corpus,
    unit_batches,
)
from pivotlens.corpus import boilerplate as finding

Row = dict[str, str]


def _rows(source: str, language: str, n: int, *, every: dict[str, int], seed: int = 0) -> list[Row]:
    """Return documents of a source; a line of ``every`` is in each n-th of them, with the document's number."""
    rng = random.Random(seed)
    rows = []
    for number in range(n):
        lines = ["".join(rng.choices("abcdefgh", k=9)) for _ in range(4)]
        for line, step in every.items():
            if number % step == 0:
                lines.insert(rng.randrange(5), line.replace("#", str(number)))
        rows.append({"text": "\n".join(lines), "language": language, "source": source})
    return rows


def _write(folder: Path, rows: list[Row], files: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        lines = [orjson.dumps(row) for row in rows[number::files]]
        (folder / f"part-{number}.jsonl").write_bytes(b"\n".join(lines))
    return folder


def _opened(corpus: Path, parts: Path, share: float = 0.1, **settings: int) -> OpenedCorpus:
    def folder(name: str) -> Path:
        (parts / name).mkdir(parents=True, exist_ok=True)
        return parts / name

    plan = UnitPlan(boilerplate_share=share, **settings)
    return open_corpus(list_corpus(str(corpus)), plan, LocalExecutor(), folder)


def _found(opened: OpenedCorpus) -> dict[tuple[str, str, str], int]:
    return {(*line.group, line.text): line.documents for line in opened.plan.boilerplate.lines}


FRENCH = {"  Page # de 60": 1, "Pied de page": 4, "Rare": 10, 'msgid "OK"': 1, '"%s"': 1, "• #": 1}
ROWS = [
    *_rows("web", "fr", 60, every=FRENCH),
    *_rows("web", "en", 30, every={"Page # of 30": 2, "Pied de page": 8}, seed=1),
    *_rows("small", "fr", 9, every={"Toujours": 1}, seed=2),
]  # fmt: skip


def test_what_is_found_is_what_a_plain_loop_finds(tmp_path: Path) -> None:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    documents: Counter[tuple[str, str]] = Counter()
    for row in ROWS:
        group = row["source"], row["language"]
        documents[group] += 1
        counts[group].update({re.sub(r"[0-9\s]", "", line) for line in row["text"].split("\n")})
    expected = {
        (*group, line): n
        for group, of_group in counts.items()
        for line, n in of_group.items()
        if n >= 10 and n > 0.1 * documents[group] and re.search("[a-z]", line) and not line.startswith(("msgid", '"'))
    }
    opened = _opened(_write(tmp_path / "corpus", ROWS), tmp_path / "parts")
    found = {(*line.group, line.key.decode()): line.documents for line in opened.plan.boilerplate.lines}
    assert found == expected
    assert set(found) == {("web", "fr", "Pagede"), ("web", "fr", "Pieddepage"), ("web", "en", "Pageof")}
    assert all(line.sampled == documents[line.group] for line in opened.plan.boilerplate.lines)


def test_nothing_depends_on_files_or_workers(tmp_path: Path) -> None:
    # The sample goes by the row of a document in its file: with all documents in it, how they lie does not matter.
    one = _opened(_write(tmp_path / "one", ROWS), tmp_path / "a")
    many = _opened(_write(tmp_path / "many", ROWS, files=5), tmp_path / "b")
    lines = [
        {(line.group, line.key): (line.documents, line.sampled) for line in opened.plan.boilerplate.lines}
        for opened in (one, many)
    ]
    assert lines[0] == lines[1] != {}


def test_units_are_without_boilerplate_which_is_counted(tmp_path: Path) -> None:
    opened = _opened(_write(tmp_path / "corpus", ROWS), tmp_path / "parts")
    (batch,) = unit_batches(opened.shards[0], opened.plan)
    expected = []
    for row in ROWS:
        lines = row["text"].split("\n")
        if row["source"] == "web":
            drop = ("Page ", "  Page ", "Pied") if row["language"] == "fr" else ("Page ",)
            lines = [line for line in lines if not line.startswith(drop)]
        expected.append("\n".join(lines))
    assert batch.texts == expected
    assert batch.sources == [row["source"] for row in ROWS]
    assert {(*line.group, line.key): n for line, n in batch.dropped.items()} == {
        ("web", "fr", b"Pagede"): 60,
        ("web", "fr", b"Pieddepage"): 15,
        ("web", "en", b"Pageof"): 15,
    }


def test_a_share_of_zero_keeps_everything(tmp_path: Path) -> None:
    opened = _opened(_write(tmp_path / "corpus", ROWS), tmp_path / "parts", share=0.0)
    assert opened.plan.boilerplate == Boilerplate()
    assert not (tmp_path / "parts" / "lines").exists()
    (batch,) = unit_batches(opened.shards[0], opened.plan)
    assert batch.texts == [row["text"] for row in ROWS]


def test_a_source_is_the_folder_where_no_column_tells(tmp_path: Path) -> None:
    for name in ("left", "right"):
        rows = [{key: row[key] for key in ("text", "language")} for row in _rows("", "en", 20, every={name: 1})]
        _write(tmp_path / "corpus" / name, rows)
    opened = _opened(tmp_path / "corpus", tmp_path / "parts")
    assert set(_found(opened)) == {("left", "en", "left"), ("right", "en", "right")}


def test_only_documents_that_are_read_are_looked_at(tmp_path: Path) -> None:
    rows = [*_rows("web", "en", 20, every={}), *_rows("web", "en", 60, every={"Footer": 1}, seed=3)]
    corpus = _write(tmp_path / "corpus", rows)
    assert not _found(_opened(corpus, tmp_path / "a", limit_documents=20))
    assert set(_found(_opened(corpus, tmp_path / "b"))) == {("web", "en", "Footer")}


def test_too_many_sources_are_not_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LEAST_SAMPLED", 32)
    monkeypatch.setattr(finding, "_ALL_SAMPLED", 128)
    few = [row for number in range(4) for row in _rows(f"s{number}", "en", 40, every={"Footer": 1}, seed=number)]
    many = [row for number in range(12) for row in _rows(f"s{number}", "en", 40, every={"Footer": 1}, seed=number)]
    apart = _opened(_write(tmp_path / "few", few), tmp_path / "a").plan.boilerplate
    assert apart.by_source
    assert [line.sampled for line in apart.lines] == [32] * 4
    for files in (1, 6):  # whether a shard knows it or only all of them together
        together = _opened(_write(tmp_path / f"many{files}", many, files), tmp_path / f"b{files}").plan.boilerplate
        assert not together.by_source
        assert [(line.group, line.key, line.documents, line.sampled) for line in together.lines] == [
            (("", "en"), b"Footer", 32, 32)
        ]
        assert together.without(Document("f", 1, "a\nFooter\nb", "en", "", "anything"), Counter()) == "a\nb"


def test_the_sample_is_the_smallest_hashes_in_whatever_order() -> None:
    rng = random.Random(0)
    documents = [(("s", rng.choice(["en", "fr"])), finding._Sampled(rng.getrandbits(64), str(n))) for n in range(2000)]
    expected = {
        group: sorted(document for of, document in documents if of == group)[: finding.MOST_SAMPLED]
        for group in (("s", "en"), ("s", "fr"))
    }
    for _ in range(3):
        rng.shuffle(documents)
        sample = finding._Sample()
        for group, document in documents:
            if sample.wants(group, document.hash):
                sample.add(group, document)
        assert sample.result() == expected


def test_a_line_that_is_indented_by_wide_spaces_is_left_out(tmp_path: Path) -> None:
    line = "\u3000著作権 #\u00a0"
    corpus = _write(tmp_path / "corpus", _rows("web", "ja", 20, every={line: 1}))
    opened = _opened(corpus, tmp_path / "parts")
    (found,) = opened.plan.boilerplate.lines
    assert (
        Boilerplate.of_rows(
            [{"source": "web", "language": "ja", "line": found.text, "documents": 20, "documents_sampled": 20}],
            "language",
            by_source=True,
        )
        == opened.plan.boilerplate
    )
    batches = [batch for shard in opened.shards for batch in unit_batches(shard, opened.plan)]
    assert sum(batch.dropped.total() for batch in batches) == 20
    assert not any("著作権" in text for batch in batches for text in batch.texts)


def test_other_documents_keep_the_line() -> None:
    line = BoilerplateLine(("web", "fr"), b"Page", "Page 1", 20, 20)
    found, dropped = Boilerplate((line,)), Counter()
    for source, language in (("web", "en"), ("book", "fr")):
        assert found.without(Document("f", 1, "Page 3", language, "", source), dropped) == "Page 3"
    assert found.without(Document("f", 1, "a\r\n\tPage 3\r\n\r\nPage x\n7", "fr", "", "web"), dropped) == (
        "a\r\n\r\nPage x\n7"
    )
    assert dropped.total() == 1
