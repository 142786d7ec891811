"""The attribution page: what is taken from a run, and that its page and figures follow from that."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
from test_attribute import CONFIG, DIRECTIONS, items, write
from tools import attribution_facts, attribution_results

from pivotlens.artifacts import Counts
from pivotlens.attribute import attribute_behaviour
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark

CONCEPTS = 60
LOOK_ALIKES = 15


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose first French words are spelled as the English word of the next concept."""
    lines = ["concept\tsplit\ten\tfr\tzh"]
    for number in range(CONCEPTS):
        french = f"English{number + 1}" if number < LOOK_ALIKES else f"french{number}"
        lines.append(f"c{number}\ttest\tenglish{number}\t{french}\t中{chr(0x4E00 + number)}")
    lines += [f"s{number}\tshot\tshot{number}\ttir{number}\t例{number}" for number in range(9)]
    (tmp_path / "words.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=3, shot_pool=9), tmp_path / "run")
    write(tmp_path / "run", items(concepts=CONCEPTS))
    attribute_behaviour(CONFIG, tmp_path / "run")
    corpus = {"name": "a corpus", "text_bytes": 5_000_000, "documents": 9, "units": 5000}
    corpus |= {"languages": [{"language": "fr", "documents": 9, "units": 5000, "text_bytes": {"pages": 5_000_000}}]}
    monkeypatch.setattr(attribution_facts, "_corpus", lambda counts: corpus)
    return tmp_path / "run"


def test_the_page_follows_from_what_is_kept(run: Path, tmp_path: Path) -> None:
    data = tmp_path / "kept"
    attribution_facts.collect(run, data)
    page = attribution_results.page(data)
    rows = {(row["source_language"], row["target_language"]): row
            for row in orjson.loads((data / "facts.json").read_bytes())["directions"]}  # fmt: skip
    found = items(concepts=CONCEPTS)
    for direction in DIRECTIONS:
        here = [row for row in found if (row["source_language"], row["target_language"]) == direction]
        here = [row for row in here if not row["same_spelling"]]
        shared = [row for row in here if row["df_both"]]
        assert rows[direction]["items"] == len(here)
        assert rows[direction]["never"] == len(here) - len(shared)
        assert rows[direction]["as_english"] == sum(int(row["concept_id"][1:]) < LOOK_ALIKES for row in shared)
    assert "5 MB of text, 9 documents, 5,000 units" in page
    assert f"mean of {len(DIRECTIONS)} of {len(DIRECTIONS)} directions" in page
    assert "spelled like an English word" in page
    tables = [line for line in page.splitlines() if line.startswith("| `calibrated` | ")]
    assert len(tables) == 6  # both item sets with and without look-alikes, and of the likelihood-ratio test
    assert tables[0] != tables[2]
    figures = attribution_results.figures(data)
    assert set(figures) == {"auc-correct.svg", "auc-all.svg", "behaviour.svg", "score.svg"}
    for name, svg in figures.items():
        ElementTree.fromstring(svg)
        assert f"(attribution/{name})" in page


def test_nothing_of_where_the_run_lies_is_kept(run: Path, tmp_path: Path) -> None:
    data = tmp_path / "kept"
    attribution_facts.collect(run, data)
    assert all(str(tmp_path).encode() not in path.read_bytes() for path in data.iterdir())


def test_the_corpus_must_tell_what_it_is(tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.jsonl").write_text('{"text": "x", "language": "fr"}\n')
    described = {"name": "two kinds", "text_bytes": 7, "counts": [
        {"kind": kind, "language": code, "text_bytes": size}
        for kind, code, size in (("a", "fr", 1), ("a", "fr", 2), ("b", "fr", 4), ("a", "xx", 8))
    ]}  # fmt: skip
    (tmp_path / "corpus" / "manifest.json").write_bytes(orjson.dumps(described))
    counts = Counts.load(run)
    counts.manifest.config["corpus"] = str(tmp_path / "corpus")
    counts.manifest.details.update(documents=1, units=1)
    found = attribution_facts._corpus(counts)
    assert (found["name"], found["text_bytes"]) == ("two kinds", 7)
    assert [(row["language"], row["text_bytes"]) for row in found["languages"]] == [("fr", {"a": 3, "b": 4})]
