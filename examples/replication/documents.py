"""From the corpus to the arms: the groups are parted, pivots mined, and documents selected once a seed."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import orjson
import pyarrow as pa

from examples.replication.artifacts import Documents, Row
from examples.replication.settings import Settings
from pivotlens import build_benchmark, count_corpus, mine_pivots, select_documents
from pivotlens.artifacts import Benchmark, Counts, Pivots, Selection
from pivotlens.artifacts.files import remove_tree, write_bytes
from pivotlens.artifacts.manifest import read_manifest
from pivotlens.bench.config import BenchConfig
from pivotlens.corpus import survey_corpus
from pivotlens.corpus.by_group import part_by_share, write_parts
from pivotlens.count.config import CountConfig
from pivotlens.errors import ConfigError
from pivotlens.mine.config import MineConfig
from pivotlens.select.config import SelectConfig

TRAIN, UNSEEN = "train", "unseen"
"""Parts of the corpus: what is mined and selected from, and groups that nothing else ever reads."""
MINING, DEV, TEST = "mining", "dev", "test"
"""Parts of the word list: pivots are mined for the first, the pilot scores the second, the experiment the third."""
FREQUENCY = "frequency"


def benchmark(settings: Settings, part: str, run: Path) -> Benchmark:
    """Make the benchmark of one part of the word list."""
    return build_benchmark(settings.stage(BenchConfig, languages=settings.languages, part=part), run)


def part_corpus(settings: Settings, run: Path) -> Path:
    """Write the corpus in two parts that share no group, in the languages of the experiment; return their folder."""
    to, listing = run / "corpus", survey_corpus(settings.corpus)
    of = {"corpus": listing.fingerprint, "settings": settings.fingerprint}
    record = to / "parts.json"
    if record.is_file():
        found = orjson.loads(record.read_bytes())
        if {name: found.get(name) for name in of} == of:
            return to
    shares = {TRAIN: 1 - settings.held_out_share, UNSEEN: settings.held_out_share}
    part_of = part_by_share(shares, settings.groups_seed)

    def make(folder: Path) -> None:
        counts = write_parts(listing.files, folder, (TRAIN, UNSEEN), part_of, settings.languages)
        write_bytes(folder / record.name, orjson.dumps({**of, "documents": counts}))

    _put(to, make)
    return to


def _put(folder: Path, make: Callable[[Path], object]) -> None:
    """Make a folder beside its place and put it there once it is whole."""
    aside = folder.with_name(f"{folder.name}.partial")
    remove_tree(aside)
    make(aside)
    remove_tree(folder)
    aside.replace(folder)


def mine(settings: Settings, run: Path, workers: int) -> Path:
    """Count the first part of the corpus and mine the pivots of the concepts for mining; return the run folder."""
    folder = run / MINING
    corpus = str(part_corpus(settings, run) / TRAIN)
    benchmark(settings, MINING, folder)
    count_corpus(settings.stage(CountConfig, corpus=corpus, tokenizer=settings.model, workers=workers), folder)
    mine_pivots(settings.stage(MineConfig), folder)
    return folder


def select(settings: Settings, run: Path, seed: int, arms: Sequence[str], workers: int) -> Path:
    """Draw the arms of a seed; return their run folder, in which what was mined lies too.

    Raises:
        ConfigError: An arm holds fewer tokens than a training reads.
    """
    folder, mining = run / f"arms-{seed}", run / MINING
    for stage in ("bench", "count", "mine"):  # the same result in another folder is the same result
        if read_manifest(folder / stage) != read_manifest(mining / stage):
            _put(folder / stage, partial(shutil.copytree, mining / stage, copy_function=os.link))
    corpus = str(run / "corpus" / TRAIN)
    config = settings.stage(
        SelectConfig, corpus=corpus, tokenizer=settings.model, arms=tuple(arms), seed=seed, workers=workers,
    )  # fmt: skip
    wanted = settings.stages["train"]["tokens"]
    for row in select_documents(config, folder).rows("arms"):
        if row["packed"] < wanted:
            raise ConfigError(
                f"arm {row['arm']!r} with seed {seed} holds {row['packed']:,} tokens in whole sequences, and "
                f"{wanted:,} are trained on: some would be read twice",
                "Lower `tokens` of [stages.train], or raise `budget_tokens` of [stages.select].",
            )
    return folder


def described(settings: Settings, run: Path, workers: int) -> Documents:
    """Return what was mined, and what the arms of the first seed hold."""
    folder = run / "arms-0"
    mined, selection = Pivots.load(folder), Selection.load(folder)
    record = orjson.loads((run / "corpus" / "parts.json").read_bytes())
    tests = benchmark(settings, TEST, run / FREQUENCY / "bench")
    parts = Counter(row["part"] for row in _concepts_of_other_parts(tests)) | Counter(
        {TEST: len(tests.test_concepts())}
    )
    types = {
        (row["arm"], row["value"]): row for row in _all_languages(selection.table("composition", facet="document_type"))
    }
    arms = []
    for row in selection.rows("arms"):
        shares = {kind: found["tokens"] / row["tokens"] for (arm, kind), found in types.items() if arm == row["arm"]}
        arms.append({**row, "document_types": shares})
    return Documents(
        settings.fingerprint,
        parts={f"concepts {part}": count for part, count in parts.items()}
        | {f"documents {part}": count for part, count in record["documents"].items()},
        pivots={
            name: int(mined.manifest.details[name])
            for name in ("pair_pivots_left_out", "corpus_pivots", "corpus_pivots_left_out")
        }
        | {"pair_pivots": int(mined.rows("summary")[0]["pair_pivots"])},
        arms=arms,
        frequency=[_frequency(settings, run, arm, workers) for arm in settings.arms(0)],
    )


def _concepts_of_other_parts(tests: Benchmark) -> list[Row]:
    found = {row["concept_id"]: row for row in tests.rows("other_parts")}
    return list(found.values())


def _all_languages(composition: pa.Table) -> list[Row]:
    summed = composition.group_by(["arm", "value"]).aggregate([("tokens", "sum")])
    return [{"arm": row["arm"], "value": row["value"], "tokens": row["tokens_sum"]} for row in summed.to_pylist()]


def _frequency(settings: Settings, run: Path, arm: str, workers: int) -> Row:
    """Return how often the tested words, and both words of a pair together, stand in short passages of an arm."""
    folder = run / FREQUENCY / arm
    tests = benchmark(settings, TEST, folder)
    scored = {concept.concept_id for concept in tests.test_concepts(settings.stages.get("score", {})["limit_concepts"])}
    config = settings.named(
        FREQUENCY, CountConfig, corpus=f"run:{run / 'arms-0'}:select/{arm}", tokenizer=settings.model, workers=workers
    )
    pairs = [row for row in count_corpus(config, folder).rows("pairs") if row["concept_id"] in scored]
    counts = Counts.load(folder)
    n = max(len(pairs), 1)
    return {
        "arm": arm,
        "passages": int(counts.manifest.details["units"]),
        "words": sum(row["df_source"] for row in pairs) / n,
        "words_absent": sum(row["df_source"] == 0 for row in pairs) / n,
        "pairs_together": sum(row["df_both"] for row in pairs) / n,
        "pairs_ever_together": sum(row["df_both"] > 0 for row in pairs) / n,
    }
