"""The field experiment in a tiny world: it runs whole, goes on where it was, and its page follows from small files."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from examples.replication.__main__ import main

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = """
model = {model!r}
corpus = {corpus!r}
languages = ["en", "fr", "zh"]
held_out_share = 0.2
primary = ["top", "matched"]
traced = ["top"]
seeds = {{ top = 2, matched = 2, random = 1 }}

[pilot]
learning_rates = [1e-3, 1e-2]
seeds = [7, 8]

[stages.bench]
words = {words!r}
parts = ["mining=0.5", "dev=0.2", "test=0.3"]
shot_pool = 6
distractors = 2
calibration = 6

[stages.count]
unit_characters = 1024

[stages.mine]
min_df = 1
max_q = 1.0
max_null = 1.0
shuffles = 2
other_parts = "keep"

[stages.select]
unit_characters = 1024
budget_tokens = 400
min_tokens = 4
sequence_length = 32

[stages.frequency]
unit_characters = 256

[stages.train]
sequence_length = 32
batch_sequences = 4
tokens = 512
checkpoint_tokens = [256]
score_concepts = 4
shots = 2
held_out_units = 1
bootstrap = 100
precision = "float32"

[stages.score]
limit_concepts = 6
shots = 2
shot_sets = 1
newline = "left"
bootstrap = 100

[stages.trace]
limit_concepts = 4
shots = 2
bootstrap = 100
"""


@pytest.fixture(scope="module")
def settings(tiny, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("replication") / "tiny.toml"
    path.write_text(SETTINGS.format(model=str(tiny.model), corpus=str(tiny.corpus), words=str(tiny.words)))
    return path


def test_it_runs_whole(settings: Path) -> None:
    run = settings.parent / "run"
    assert main([str(run), "--settings", str(settings), "--processes", "1"]) == 0
    results = {path.name for path in (run / "results").iterdir()}
    assert results == {
        "pilot.json", "documents.json", "none.json", "top-0.json", "top-1.json", "matched-0.json", "matched-1.json",
        "random-0.json",
    }  # fmt: skip
    top = orjson.loads((run / "results/top-0.json").read_bytes())
    assert len(top["concepts"]) == 6
