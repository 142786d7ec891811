"""A task knows no launcher: whoever fills the store, the stage goes on from what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from corpus_fixture import write_bench, write_corpus, write_tokenizer

from pivotlens.corpus import PartStore, Shard, Task, executor
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.stage import STAGE
from stage_by_hand import at_work

_SHARE = """
import sys
from pathlib import Path
from pivotlens.artifacts import Benchmark
from pivotlens.corpus import LocalExecutor, PartStore, list_corpus, open_corpus, unit_plan
from pivotlens.count import CountConfig
from pivotlens.count.passes import OccurrencePass
from pivotlens.count.vocabulary import CountedWords
from pivotlens.text.longer_words import read_longer_words

run, parts, corpus, tokenizer, share, of = sys.argv[1:]
config = CountConfig(corpus=corpus, tokenizer=tokenizer, unit_characters=64, sample=9, background=30)
benchmark = Benchmark.load(run)
longer = read_longer_words(config.longer_words).words
words = CountedWords.of(benchmark.test_concepts(), benchmark.concepts.values(), longer)
def folder(name):
    (Path(parts) / name).mkdir(exist_ok=True)
    return Path(parts) / name
opened = open_corpus(list_corpus(corpus), unit_plan(config), LocalExecutor(), folder)
shards = opened.shards
task = OccurrencePass(words, opened.plan, config.sample, config.background, config.seed)
LocalExecutor().run(shards[int(share) :: int(of)], task, PartStore(Path(parts) / "occurrences"))
"""


def test_two_processes_that_know_nothing_of_each_other_fill_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(tmp_path / "corpus", files=4, documents=25)
    write_tokenizer(tmp_path / "model")
    for name in ("apart", "fresh"):
        write_bench(tmp_path / name)
    corpus, model = str(tmp_path / "corpus"), str(tmp_path / "model")
    config = CountConfig(corpus=corpus, tokenizer=model, unit_characters=64, sample=9, background=30)
    with at_work(STAGE.plan(config, tmp_path / "apart")) as work:  # as an interrupted run leaves it
        parts = work.workspace.parts_folder("occurrences").parent
    arguments = [str(tmp_path / "apart"), str(parts), corpus, model]
    shares = [subprocess.Popen([sys.executable, "-c", _SHARE, *arguments, str(share), "2"]) for share in (0, 1)]
    assert [share.wait(timeout=120) for share in shares] == [0, 0]
    assert len(list((parts / "occurrences").glob("*.part"))) == 4

    made: list[str] = []
    work_on = executor.work_on

    def noting(shard: Shard, task: Task, store: PartStore) -> None:
        made.append(store.folder.name)
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", noting)
    apart = count_corpus(config, tmp_path / "apart")
    assert made == ["contexts"] * 4
    fresh = count_corpus(config, tmp_path / "fresh")
    names = {path.name for path in fresh.folder.iterdir()} - {"run.json"}
    assert names == {path.name for path in apart.folder.iterdir()} - {"run.json"}
    assert all((fresh.folder / name).read_bytes() == (apart.folder / name).read_bytes() for name in names)
